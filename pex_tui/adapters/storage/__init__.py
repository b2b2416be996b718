"""What is kept on disk beside the repository: journal, locks, logs, trust."""
