"""Prediction of the files that tasks change and of their conflicts, learned from git history."""
