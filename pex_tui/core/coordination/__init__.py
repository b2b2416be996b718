"""What tasks at work share: locks, write leases, overlaps, messages."""
