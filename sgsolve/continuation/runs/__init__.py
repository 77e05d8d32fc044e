"""A run of any kind: its loop, its options, its recorder and the functions of the user."""
