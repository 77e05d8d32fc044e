"""What the pattern of a matrix tells: matching, orders of elimination, the size of its factors."""
