"""Steps in time in machine code, several in one call."""
