"""Attempts at work whose changes would not merge."""
