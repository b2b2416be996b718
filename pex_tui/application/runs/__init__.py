"""Runs: started, resumed, attached to, and driven without the app."""
