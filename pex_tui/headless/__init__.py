"""Runs without a screen: plain lines, JSON Lines, reports."""
