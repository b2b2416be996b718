"""Implementations of the larger commands, after their arguments are parsed."""
