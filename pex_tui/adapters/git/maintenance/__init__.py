"""Maintenance: find what finished runs left behind, and clean it up."""
