"""Checkouts for attempts: pooled, shared by readers, set up."""
