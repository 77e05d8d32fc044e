"""A kernel with its arrays: its memory, its guards, its calls of NumPy, and its many members."""
