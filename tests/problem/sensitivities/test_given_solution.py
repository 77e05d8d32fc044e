"""Derivatives at numbers that solve no equations are refused."""

import numpy as np
import pytest

from sgsolve import InputError, Problem


def residual(u, v, load):
    return {"u": u**3 + u - load * v, "v": 1e6 * (v - 1.0)}


def problem(load=1.0):
    return Problem(residual, params={"load": load}, blocks={"u": 2, "v": 2}, fields=True)


CALLS = {
    "sensitivity": lambda p, x: p.sensitivity(x, "load"),
    "of a functional": lambda p, x: p.sensitivity(x, "load", functional=np.sum),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_row_of_a_branch_at_other_parameters_is_refused(call):
    found = problem()
    branch = found.sweep({"u": 0.5, "v": 1.0}, "load", [1.0, 1.1, 4.0])
    for row in (1, 2):
        with pytest.raises(InputError, match=r"step of Newton changes 'u'.*branch\.at"):
            call(found, branch.states[row])
        x, params = branch.at(row)
        there = found.at(**params)
        np.testing.assert_allclose(call(there, x), call(there, there.solve(x)), rtol=1e-9)
    assert np.shape(call(found, branch.states[0])) == np.shape(call(found, found.solve(x)))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_solution_of_few_digits_and_one_of_zeros_are_taken(call):
    found = problem()
    exact = found.solve({"u": 0.5, "v": 1.0})
    np.testing.assert_allclose(call(found, exact.x.round(5)), call(found, exact), rtol=1e-4)
    unloaded = problem(0.0)
    x = np.array([0.0, 0.0, 1.0, 1.0])  # u has no size
    np.testing.assert_allclose(call(unloaded, x), call(unloaded, unloaded.solve(x)), rtol=1e-9)


def test_a_block_of_rounding_errors_is_no_reason_to_refuse():
    """The flux of an equilibrium is zero to rounding, and a step changes all of it."""
    flux = Problem(
        lambda n, j, a: {"n": n - np.array([1.0, 2.0]) * a, "j": j - (2.0 * n[:1] - n[1:])},
        params={"a": 1.1},
        blocks={"n": 2, "j": 1},
        fields=True,
    )
    x = np.array([1.1, 2.2, 3e-16])
    np.testing.assert_allclose(flux.sensitivity(x, "a"), [1.0, 2.0, 0.0], atol=1e-15)


def test_unknowns_that_are_rounding_errors_beside_their_scale_are_taken():
    """Quasi-Fermi potentials in equilibrium: noise in every equation, of volts."""
    levels = Problem(
        lambda v, a: np.append(np.diff(v), v[0] - a), params={"a": 0.0}, scale={"x": 1.0}
    )
    x = np.array([2e-16, -1e-16, 3e-16])
    np.testing.assert_allclose(levels.sensitivity(x, "a"), np.ones(3), rtol=1e-12)
    with pytest.raises(InputError, match="does not solve"):
        levels.sensitivity([0.0, 0.1, 0.0], "a")
