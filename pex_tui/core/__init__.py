"""The run as a value: a pure function over a journal of events."""
