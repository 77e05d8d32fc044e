"""Points of a curve of solutions: bordered systems, the norm along the curve, the corrector."""
