"""The project that a command works in: repository, settings, trust, health."""
