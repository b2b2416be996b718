"""Files beside the repository: journal, locks, logs, trust."""
