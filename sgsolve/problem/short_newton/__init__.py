"""Newton's method with full steps for small compiled systems, in machine code."""
