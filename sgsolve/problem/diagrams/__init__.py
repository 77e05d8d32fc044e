"""Bifurcation diagrams: the search for all branches, and the folder that keeps them."""
