"""Events of a run, the actions it asks for, and their JSON form."""
