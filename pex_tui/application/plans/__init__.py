"""Plans for review, from files and from goals."""
