"""Programs: what recurs is recorded, traced, compiled, and from then on run as one function.

In that order: `points` (what was done, and the tape of arrays it was done with), `recorded` (the
derivative that writes it down), `tracing`, `program`, and `evaluation`, which chooses.
"""
