"""Duration and order of a plan."""
