"""What a point is and what a step did, as values and in words."""
