"""What the larger commands do, once their arguments are known."""
