"""Branches with corners, where `min`, `max` or `where` changes the equations."""

from __future__ import annotations

import numpy as np
import pytest

from sgsolve import PartialBranchWarning, Problem, Status


def bent(x, p, slope):
    """Return p(x) - p for p = x up to 1 and another slope beyond."""
    return np.where(x < 1.0, x, 1.0 + slope * (x - 1.0)) - p


@pytest.mark.parametrize("slope", [3.0, 0.1, 0.01])
def test_a_branch_passes_its_corner(slope):
    problem = Problem(bent, params={"p": 0.0, "slope": slope})
    branch = problem.continuation([0.0], "p", (-1.0, 1.5), step=0.1)
    assert branch.success
    assert branch.special_points == []
    assert branch.states[-1, 0] == pytest.approx(1.0 + 0.5 / slope)


@pytest.mark.parametrize("slope", [-0.1, -0.5])
def test_a_branch_that_turns_back_at_a_corner_has_a_fold_there(slope):
    problem = Problem(bent, params={"p": 0.0, "slope": slope})
    branch = problem.continuation([0.0], "p", (-1.0, 1.5), step=0.1)
    assert branch.success
    assert [point.kind for point in branch.special_points] == ["fold"]
    assert branch.special_points[0].parameter == pytest.approx(1.0)
    assert branch["p"][-1] == -1.0
    assert branch.states[-1, 0] == pytest.approx(1.0 - 2.0 / slope)


def test_a_corner_that_turns_further_ends_the_run():
    problem = Problem(bent, params={"p": 0.0, "slope": -5.0})
    with pytest.warns(PartialBranchWarning, match="corner"):
        branch = problem.continuation([0.0], "p", (-1.0, 1.5), step=0.1)
    assert branch.status is Status.STEP_TOO_SMALL
    assert branch["p"][-1] == pytest.approx(1.0)


@pytest.mark.parametrize("gap", [1e-5, 1e-2])
def test_a_jump_is_no_corner(gap):
    problem = Problem(
        lambda x, p: np.where(x < 1.0, x, 1.0 + gap + 0.1 * (x - 1.0)) - p, params={"p": 0.0}
    )
    with pytest.warns(PartialBranchWarning):
        branch = problem.continuation([0.0], "p", (-1.0, 1.5), step=0.1)
    assert branch["p"].max() < 1.0 + 1e-6


def two_generators(angle, voltage, reactive, load):
    """Return the power balances of a line from a strong bus to one with a limited generator."""
    sent = 10.0 * voltage * np.sin(angle)
    drawn = 10.0 * voltage * (voltage - np.cos(angle))
    held = voltage - 1.0
    return {
        "angle": sent + load,
        "voltage": drawn + 0.1 * load - reactive,
        "reactive": reactive - np.clip(reactive - held, 0.0, 0.5),
    }


def test_a_generator_reaches_its_limit_before_the_nose():
    blocks = {"angle": (), "voltage": (), "reactive": ()}
    problem = Problem(two_generators, params={"load": 0.5}, blocks=blocks, fields=True)
    start = problem.pack(angle=0.0, voltage=1.0, reactive=0.1)
    branch = problem.continuation(
        start, "load", (0.5, 10.0), outputs={"voltage": lambda x: x[1], "reactive": lambda x: x[2]}
    )
    (nose,) = branch.special_points
    assert nose.kind == "fold"
    # at the nose v^4 - (1 + 2 q) v^2 + q^2 + (load / 10)^2 = 0 has a double root v^2
    load, q = nose.parameter, (0.5 - 0.1 * nose.parameter) / 10.0
    discriminant = (1.0 + 2.0 * q) ** 2 - 4.0 * (q**2 + (load / 10.0) ** 2)
    assert discriminant == pytest.approx(0.0, abs=1e-8)
    assert branch["reactive"].max() == pytest.approx(0.5)
    held = branch["reactive"] < 0.5 - 1e-9
    assert np.allclose(branch["voltage"][held], 1.0)
    assert held.any()
    assert not held.all()
