"""Git adapters: workspaces, capture, landing and maintenance."""
