"""Whether a point is a solution, and what a failure looks like from there."""
