"""Low-level git: commands, objects, refs, indexes, locks, settings."""
