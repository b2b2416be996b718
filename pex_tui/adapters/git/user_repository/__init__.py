"""The user's repository: its checkouts, refs and history, and its state directory."""
