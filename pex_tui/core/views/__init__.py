"""A state as the screens and reports show it."""
