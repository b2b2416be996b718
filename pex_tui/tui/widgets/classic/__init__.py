"""The monitor in one box, as the specification draws it."""
