"""Overlap detection: live attempts whose changes would not merge."""
