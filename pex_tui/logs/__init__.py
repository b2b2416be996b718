"""Readers of growing logs."""
