"""How long a plan takes, and in which order."""
