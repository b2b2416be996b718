"""The machine: processes, clock, file system events, whole files."""
