"""Globs over repository paths, and whether two of them share one."""
