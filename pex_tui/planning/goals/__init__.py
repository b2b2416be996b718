"""Rule-based planning: from a goal in words to a plan, without a model."""
