"""Process trees: a shim for each agent owns, freezes and ends everything that the agent started."""
