"""Adapters to the outside: processes, git, SQLite, clocks."""
