"""Reports of a run in their formats."""
