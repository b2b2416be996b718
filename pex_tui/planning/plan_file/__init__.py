"""A plan file into a plan, and a plan into a file."""
