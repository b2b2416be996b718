"""Starting each kind of agent and following its output."""
