"""What a run needs a person for, and how they are called."""
