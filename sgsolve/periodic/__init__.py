"""Periodic orbits by collocation: discretization, meshes, Floquet multipliers, branches.

The methods of `Problem` use these parts; `sgsolve.PeriodicOrbit` is the result.
"""
