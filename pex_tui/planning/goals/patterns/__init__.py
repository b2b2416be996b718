"""Patterns of cooperation, and the choice of the one that a goal asks for."""
