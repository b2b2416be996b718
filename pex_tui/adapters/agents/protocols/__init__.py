"""The protocols that agents with a model speak."""
