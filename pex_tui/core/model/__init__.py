"""What a run is made of: plan, rules, state, conflicts, and what follows from them alone."""
