"""Sockets between engines, commands and agents."""
