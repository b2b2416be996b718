"""The loop: inbox, journal, step, publish, perform."""
