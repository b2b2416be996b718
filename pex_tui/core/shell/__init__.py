"""Shell lines as values: the commands of a line, and the programs that these run."""
