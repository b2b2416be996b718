"""Views of a state for screens and reports."""
