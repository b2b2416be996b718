"""Composition of the parts: projects, runs, and the hosts that drive them."""
