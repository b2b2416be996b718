"""The app on a project."""
