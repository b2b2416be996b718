"""Finished work onto the integration branch and the user's: merge, gate, resolve, move."""
