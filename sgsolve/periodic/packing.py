"""Between the unknowns of a run along orbits and a `PeriodicOrbit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import Vector
from ..results.periodic_orbit import PeriodicOrbit
from .orbit_family import OrbitFamily, node_times
from .scheme import collocation_scheme


def orbit_of(
    family: OrbitFamily,
    x: Vector,
    params: Mapping[str, Any],
    multipliers: Vector | None = None,
    blocks: Any = None,
) -> PeriodicOrbit:
    """Return the orbit of a vector of unknowns on the mesh of a family."""
    X, T = family.split(x)
    times = T * np.append(node_times(family.scheme, family.mesh), 1.0)
    states = np.vstack([X, X[:1]])
    scheme = family.scheme
    return PeriodicOrbit(
        times,
        states,
        family.mesh.copy(),
        scheme.degree,
        scheme.ends,
        dict(params),
        multipliers,
        blocks,
    )


def unknowns_of(orbit: PeriodicOrbit) -> Vector:
    """Return the unknowns of an orbit: the states, and the period behind them."""
    return np.append(orbit.states[:-1].ravel(), orbit.period)


def sampled(orbit: PeriodicOrbit, degree: int, ends: bool, mesh: Vector) -> Vector:
    """Return the unknowns of an orbit on another mesh."""
    times = orbit.period * node_times(collocation_scheme(degree, ends), mesh)
    return np.append(orbit(times).ravel(), orbit.period)
