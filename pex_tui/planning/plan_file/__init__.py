"""Parsing and writing of plan files."""
