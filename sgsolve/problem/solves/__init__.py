"""Solutions at fixed parameters: one from a start, or several by deflation."""
