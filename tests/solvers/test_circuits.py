"""Circuits of transistors from all nodes at the supply: no success at points that ran away."""

import numpy as np
import pytest

from sgsolve import Problem, ad
from tests.selection import slow

IS, VT = 1e-15, 0.02585


def collector(b, c):
    return IS * (np.exp(b / VT) - np.exp((b - c) / VT)) - IS * (np.exp((b - c) / VT) - 1.0)


def base(b, c):
    return IS / 100.0 * (np.exp(b / VT) - 1.0) + IS * (np.exp((b - c) / VT) - 1.0)


def stage(b, c, after, supply, load):
    """Return the current into the collector node, with the base of the next stage."""
    return (supply - c) / load - collector(b, c) - (c - after) / 1e4


def ring(stages, supply, load):
    """Return the residual of inverters in a ring: bases and collectors of the transistors."""

    def residual(v):
        b, c = v[:stages], v[stages:]
        F = [stage(b[k], c[k], b[(k + 1) % stages], supply, load) for k in range(stages)]
        F += [(c[k - 1] - b[k]) / 1e4 - base(b[k], c[k]) for k in range(stages)]
        return ad.stack(F)

    return residual


@pytest.mark.parametrize(
    ("stages", "supply", "load"),
    [(2, 5.0, 1e3), (3, 5.0, 1e3), *slow((2, 12.0, 1e3), (2, 5.0, 1e5))],
)
@pytest.mark.parametrize("part", [1.0, -0.2, 4.0])
def test_a_ring_of_inverters_is_solved_or_not_but_never_far_away(stages, supply, load, part):
    residual = ring(stages, supply, load)
    start = np.full(2 * stages, part * supply)
    with np.errstate(all="ignore"):
        result = Problem(residual).solve(start, raise_on_failure=False)
    if result.success:
        assert np.abs(residual(result.x)).max() < 1e-9
        assert np.abs(result.x).max() < supply
