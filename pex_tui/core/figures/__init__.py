"""What a run took and cost, what it could have taken, and how it will go on."""
