"""The merge queue, the gate, and the handling of conflicts."""
