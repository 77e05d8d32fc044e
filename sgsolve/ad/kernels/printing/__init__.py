"""From the values of a kernel to its text in LLVM IR: the loops, the Jacobian, and the tables."""
