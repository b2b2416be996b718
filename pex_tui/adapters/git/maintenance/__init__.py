"""What finished runs left behind: found by refs, and cleaned up."""
