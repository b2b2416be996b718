"""Three-way text merge: line matching, merging, and resolution by strategy or memory."""
