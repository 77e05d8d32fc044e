"""Products with matrices and tensors, small systems, and Fourier transforms."""
