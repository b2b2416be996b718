"""Process trees: a shim per agent that owns, freezes and ends all it started."""
