"""The terminal of the app: its driver, its loss, its first screen."""
