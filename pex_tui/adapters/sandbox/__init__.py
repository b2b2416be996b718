"""Confine processes to their workspace: by bubblewrap's mounts, or by Landlock's rules."""
