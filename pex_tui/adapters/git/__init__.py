"""Git: workspaces, landing, and the checks around them."""
