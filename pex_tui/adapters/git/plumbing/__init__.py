"""Git as a program: objects, refs, indexes, locks, settings."""
