"""The event loop of a run: queue, journal, step, publish, perform."""
