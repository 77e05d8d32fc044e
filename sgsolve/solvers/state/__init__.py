"""The system as solvers see it, and the point where a solve stands."""
