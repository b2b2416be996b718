"""Agent definitions and the runners for them."""
