"""Special points and events: detect a sign change between two points, and locate its zero."""
