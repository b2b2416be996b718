"""Settings: their types, their sources, and their loading."""
