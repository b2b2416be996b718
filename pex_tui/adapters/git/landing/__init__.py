"""Landing of finished work on the run's branch and the user's: merge, gate, resolve, move."""
