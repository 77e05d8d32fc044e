"""What a result says of the equations: why a solve failed, and what to try."""
