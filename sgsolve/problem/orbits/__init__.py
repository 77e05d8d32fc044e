"""Periodic orbits of a problem: one orbit, a branch of orbits, and their equations."""
