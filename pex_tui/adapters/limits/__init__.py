"""Limits on the process trees of attempts: memory, CPU, processes and disk space."""
