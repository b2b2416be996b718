"""The user's repository: what it is, what is checked out, and pex-tui's place in it."""
