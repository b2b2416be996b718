"""Agent definitions: found, checked, added."""
