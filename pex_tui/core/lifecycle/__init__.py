"""Attempts from their start to their end: dispatch, limits, retries, permissions."""
