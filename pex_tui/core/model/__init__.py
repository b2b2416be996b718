"""Values of a run (plan, rules, state, conflicts) and functions of these values alone."""
