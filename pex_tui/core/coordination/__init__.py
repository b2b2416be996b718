"""Coordination of tasks at work: locks, write leases, overlaps, messages."""
