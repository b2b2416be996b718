"""Isolation: a repository for each workspace, and a watch on the user's repository."""
