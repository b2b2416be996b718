"""The merge queue, the gate and what becomes of work that does not merge."""
