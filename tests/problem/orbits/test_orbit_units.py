"""Multipliers of orbits do not depend on the units of unknowns, equations and parameters."""

import numpy as np
import pytest

from sgsolve import Problem
from tests.periodic.oscillators import feedback


def in_units(rows, columns, unit):
    """The feedback oscillator, whose first period doubling is published, in other units."""

    def residual(x, a):
        return rows * np.stack(feedback(x / columns, a / unit))

    def storage(x):
        return rows * (x / columns)

    return Problem(residual, params={"a": 1.2 * unit}, storage=storage, scale=columns)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_period_doubling_in_random_units(seed):
    """A row of C that is small by its unit is no constraint: its multiplier counts."""
    rows, columns = 10.0 ** np.random.default_rng(seed).uniform(-6.0, 6.0, (2, 3))
    unit = 10.0 ** (seed - 1.0)
    problem = in_units(rows, columns, unit)
    branch = problem.continuation(np.zeros(3), "a", (0.9 * unit, 1.2 * unit), stability=True)
    (hopf,) = branch.hopf_points
    assert hopf.parameter == pytest.approx(unit, rel=1e-10)
    assert hopf.nature == "supercritical"
    orbits = problem.orbit_continuation(branch, bounds=(0.6 * unit, 1.2 * unit))
    (doubling,) = orbits.special_points_of("period doubling")
    assert doubling.parameter == pytest.approx(0.63030200616 * unit, rel=1e-9)
    assert orbits["multipliers"].shape[1] == 3
    assert orbits["unstable"][-1] == 1
