"""From a goal in words to a plan, with no model: rules over the text and the repository."""
