"""Planning before a run starts: from text, history and plan files to a plan."""
