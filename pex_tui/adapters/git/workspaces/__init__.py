"""Workspaces for attempts: pooled worktrees for writers, shared checkouts for readers."""
