"""The agent library: find, check and add agent definitions."""
