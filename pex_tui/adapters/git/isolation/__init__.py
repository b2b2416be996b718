"""Repositories of their own for workspaces, and a watch on the one that is shared."""
