"""Attempts from start to end: dispatch, limits, retries, permissions."""
