"""Orders of convergence at fixed steps, on a stiff linear system of index 1 with a known solution.

Reference: the matrix exponential of the system after the algebraic unknown is eliminated, with the
forcing cos t as two more unknowns.
"""

from functools import partial

import numpy as np
import pytest
from scipy.linalg import expm

from sgsolve import ad
from sgsolve.transient.methods.bdf import BdfStepper
from sgsolve.transient.methods.runge_kutta import RungeKuttaStepper
from sgsolve.transient.methods.tableaus import ESDIRK4, TR_BDF2, TRAPEZOID, TWO_HALVES
from tests.transient.equations import Equations, Run


def linear(stiffness):
    """x1' = -x1 + x2 + z, x2' = -stiffness x2 + z, 0 = z + x1 - 2 x2 - cos t."""

    def flow(t, u):
        return ad.hstack(
            [u[0] - u[1] - u[2], stiffness * u[1] - u[2], u[2] + u[0] - 2 * u[1] - np.cos(t)]
        )

    return Equations(flow, lambda u: u * np.array([1.0, 1.0, 0.0]), [1.0, 0.0, 0.0])


def exact(stiffness, t):
    A = np.array(
        [[-2.0, 3.0, 1.0, 0.0], [-1.0, 2.0 - stiffness, 1.0, 0.0], [0, 0, 0, -1.0], [0, 0, 1.0, 0]]
    )
    x1, x2, cosine, _ = expm(A * t) @ np.array([1.0, 0.0, 1.0, 0.0])
    return np.array([x1, x2, cosine - x1 + 2.0 * x2])


METHODS = {
    "backward Euler": (1, lambda i: BdfStepper(i, 1, False, fixed=True)),
    "BDF2": (2, lambda i: BdfStepper(i, 2, False, fixed=True)),
    "trapezoid": (2, TRAPEZOID),
    "TR-BDF2": (2, TR_BDF2),
    "ESDIRK4": (4, ESDIRK4),
}


def error(method, steps):
    equations = linear(2.0)
    make = METHODS[method][1]
    if not callable(make):
        first = TWO_HALVES if make is TRAPEZOID else None
        make = partial(
            RungeKuttaStepper, tableau=make, stores=equations.stores, first=first, fixed=True
        )
    run = Run(equations, 0.0, 1.0, 1e-10, 1e-10, make, 1.0 / steps)
    assert run.accepted == steps
    return np.abs(run.x - exact(2.0, 1.0)).max()


@pytest.mark.parametrize("method", METHODS)
def test_order_at_fixed_steps(method):
    order = METHODS[method][0]
    steps = (10, 20) if order == 4 else (40, 80)
    observed = np.log2(error(method, steps[0]) / error(method, steps[1]))
    assert abs(observed - order) < 0.25


def test_a_stage_at_the_end_of_a_step_is_at_its_end_exactly():
    for tableau in (ESDIRK4, TR_BDF2, TRAPEZOID, TWO_HALVES):
        assert tableau.c[-1] == 1.0
        assert np.allclose(tableau.A.sum(axis=1), tableau.c, rtol=0, atol=1e-15)


@pytest.mark.parametrize("tableau", [ESDIRK4, TR_BDF2], ids=lambda t: t.name)
def test_order_conditions_of_the_tableau_and_of_its_embedded_formula(tableau):
    A, b, c = tableau.A, tableau.A[-1], tableau.c
    embedded = b - tableau.error
    conditions = [
        (1, lambda w: w.sum(), 1),
        (2, lambda w: w @ c, 1 / 2),
        (3, lambda w: w @ c**2, 1 / 3),
        (3, lambda w: w @ A @ c, 1 / 6),
        (4, lambda w: w @ c**3, 1 / 4),
        (4, lambda w: (w * c) @ A @ c, 1 / 8),
        (4, lambda w: w @ A @ c**2, 1 / 12),
        (4, lambda w: w @ A @ A @ c, 1 / 24),
    ]
    for order, value, target in conditions:
        if order <= tableau.order:
            assert value(b) == pytest.approx(target, abs=1e-14)
        if order <= 3:
            assert value(embedded) == pytest.approx(target, abs=1e-14)


def test_methods_are_stable_at_infinity():
    """The value after a step of y' = lambda y tends to zero as lambda does to minus infinity."""
    for tableau in (ESDIRK4, TR_BDF2):
        A, z = tableau.A, -1e8
        one = np.ones(len(A))
        growth = 1 + z * A[-1] @ np.linalg.solve(np.eye(len(A)) - z * A, one)
        assert abs(growth) < 1e-6


def test_the_trapezoid_forgets_a_start_that_is_off_its_constraint():
    """Two backward Euler half-steps damp what the rule alone would carry on for ever."""
    equations = linear(2.0)
    make = partial(
        RungeKuttaStepper, tableau=TRAPEZOID, stores=equations.stores, first=TWO_HALVES, fixed=True
    )
    run = Run(equations, 0.0, 1.0, 1e-10, 1e-10, make, 0.05)
    assert abs(equations.flow(1.0, run.x)[2]) < 1e-9
