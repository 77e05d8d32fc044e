"""The parts of a Newton step: its direction, its length, and when a Jacobian serves again."""
