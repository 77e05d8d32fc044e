"""Estimates of potentials, levels and resistances, from which long steps of a voltage start."""
