"""Newton's method with full steps for small systems, in machine code."""
