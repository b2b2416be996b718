"""The world outside: processes, git, SQLite, clocks."""
