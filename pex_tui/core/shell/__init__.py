"""Shell lines as values: the commands in a line, and the programs that these run."""
