"""What can happen to a run and what it asks for, and both as JSON."""
