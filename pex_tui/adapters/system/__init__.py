"""The machine: processes, clock, file system events, atomic files."""
