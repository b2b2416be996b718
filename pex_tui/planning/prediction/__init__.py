"""What tasks will probably change and where they will collide, learned from the repository."""
