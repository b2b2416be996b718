"""Figures of a run: time, cost, lower bounds, and the expected remainder."""
