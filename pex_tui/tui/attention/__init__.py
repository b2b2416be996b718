"""Situations that require a person, and the alerts for them."""
