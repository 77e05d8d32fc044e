"""The error at the end is at most 30 times the tolerance, and about the same multiple at all.

Sources: the test set for IVP solvers of Bari (HIRES, VDPOL); E. Hairer and G. Wanner, Solving
Ordinary Differential Equations II (1996), IV.10 (E5). The other values are those of Radau IIA and
of a BDF code at tolerances of 1e-10 and below.
"""

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.transient.methods.bdf import BdfStepper
from sgsolve.transient.methods.runge_kutta import ACCEPTED, RungeKuttaStepper
from sgsolve.transient.methods.tableaus import ESDIRK4, TR_BDF2
from sgsolve.transient.methods.time_step import MARGIN, RejectedStep, TimeStep
from tests.selection import slow
from tests.transient.equations import Equations, Run
from tests.transient.test_reference_problems import barenblatt, cusp, fisher, oregonator


def relative(expected):
    return lambda x: np.abs(x / np.array(expected) - 1).max()


def hires():
    def flow(t, y):
        back = 280 * y[5] * y[7]
        return ad.hstack(
            [
                1.71 * y[0] - 0.43 * y[1] - 8.32 * y[2] - 0.0007,
                -1.71 * y[0] + 8.75 * y[1],
                10.03 * y[2] - 0.43 * y[3] - 0.035 * y[4],
                -8.32 * y[1] - 1.71 * y[2] + 1.12 * y[3],
                1.745 * y[4] - 0.43 * y[5] - 0.43 * y[6],
                back - 0.69 * y[3] - 1.71 * y[4] + 0.43 * y[5] - 0.69 * y[6],
                -back + 1.81 * y[6],
                back - 1.81 * y[6],
            ]
        )

    expected = [
        *[0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4],
        *[0.1175651343283149e-2, 0.2386356198831331e-2, 0.6238968252742796e-2],
        *[0.2849998395185769e-2, 0.2850001604814231e-2],
    ]
    y0 = [1, 0, 0, 0, 0, 0, 0, 0.0057]
    return Equations(flow, lambda y: 1 * y, y0), (0.0, 321.8122), relative(expected)


def van_der_pol():
    def flow(t, y):
        return ad.hstack([-y[1], y[0] - 1e3 * (1 - y[0] ** 2) * y[1]])

    expected = [0.1706167732170483e1, -0.8928097010247975e-3]
    return Equations(flow, lambda y: 1 * y, [2.0, 0.0]), (0.0, 2000.0), relative(expected)


def e5():
    A, B, K, N = 7.89e-10, 1.1e7, 1.13e3, 1e6

    def flow(t, y):
        third = y[1] - y[2]
        made, used = A * y[0], B * y[0] * third
        return ad.hstack([made + used, -made + N * K * y[1] * third, K * y[2] - used])

    expected = [7.481321e-6, 2.3734782e-12, 1.6111949e-13]
    return Equations(flow, lambda y: 1 * y, [1.76e-3, 0, 0]), (0.0, 1e5), relative(expected)


def gray_scott():
    n, h = 200, 1 / 200
    s = np.sin(np.pi * h * (np.arange(n) + 0.5)) ** 100

    def spread(u):
        flux = np.concatenate([[0.0], (u[1:] - u[:-1]) / h, [0.0]])
        return (flux[1:] - flux[:-1]) / h

    def flow(t, w):
        u, v = w[:n], w[n:]
        made = u * v * v
        first = -1e-4 * spread(u) + made - 0.024 * (1 - u)
        return np.concatenate([first, -1e-6 * spread(v) - made + 0.084 * v])

    start = np.concatenate([1 - 0.5 * s, 0.25 * s])
    expected = np.array([0.8422299456, 0.674320633, 0.854408813])
    equations = Equations(flow, lambda w: 1 * w, start)
    return equations, (0.0, 1000.0), lambda x: np.abs(x[[50, 100, 150]] - expected).max()


METHODS = {
    "Bdf": lambda equations: BdfStepper,
    "ESDIRK4": lambda equations: (
        lambda implicit: RungeKuttaStepper(implicit, ESDIRK4, equations.stores)
    ),
}
# Absolute tolerances over the relative one.
PROBLEMS = {
    hires: 1e-4,
    van_der_pol: 1e-4,
    e5: 1e-22,
    gray_scott: 1e-2,
    barenblatt: 1e-2,
    cusp: 1e-2,
    fisher: 1e-2,
    oregonator: 1e-2,
}


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.__name__)
def test_the_error_is_at_most_thirty_times_the_tolerance(problem, method):
    for rtol in (1e-4, 3.2e-5, 1e-6, 1e-8):
        equations, times, error = problem()
        run = Run(equations, *times, rtol, PROBLEMS[problem] * rtol, METHODS[method](equations))
        assert error(run.x) < 30 * rtol, rtol


@pytest.mark.parametrize("method", ["order 5", "ESDIRK4", *slow("order 2", "TR-BDF2")])
def test_the_error_is_the_same_multiple_of_all_tolerances(method):
    equations = Equations(lambda t, y: ad.hstack([-y[1], y[0]]), lambda y: 1 * y, [0.0, 1.0])
    make = {
        "order 2": lambda implicit: BdfStepper(implicit, 2),
        "order 5": BdfStepper,
        "TR-BDF2": lambda implicit: RungeKuttaStepper(implicit, TR_BDF2, equations.stores),
        "ESDIRK4": METHODS["ESDIRK4"](equations),
    }[method]
    finest = 1e-7 if "2" in method else 1e-9
    errors = [
        np.abs(Run(equations, 0.0, 10.0, rtol, rtol, make).x - [np.sin(10.0), np.cos(10.0)]).max()
        for rtol in (1e-5, finest)
    ]
    assert errors[1] / finest == pytest.approx(errors[0] / 1e-5, rel=0.3)


def test_no_step_has_most_of_the_error_that_steps_have_in_common():
    equations = Equations(lambda t, y: y, lambda y: 1 * y, [1.0])
    stepper = Run(equations, 0.0, 1.0, make=METHODS["ESDIRK4"](equations)).stepper
    outcomes = []
    for h in (0.1, 0.2, 0.3, 0.4):
        stepper.resize(h)
        outcomes.append(stepper.attempt(stepper.t + h))
    taken = [one.error for one in outcomes if isinstance(one, TimeStep)]
    rejected = [one for one in outcomes if isinstance(one, RejectedStep)]
    assert max(taken) <= ACCEPTED < min(one.error for one in rejected)
    assert "(a step may have 0.25)" in rejected[0].reason


def stiff_step(tableau, z):
    """Return the error and its estimate after one step of y' = -z (y - t^3 / 6) + t^2 / 2."""
    A, c = tableau.A, tableau.c
    y = np.linalg.solve(np.eye(len(c)) + z * A, A @ (z * c**3 / 6 + c**2 / 2))
    rates = -z * (y - c**3 / 6) + c**2 / 2
    return abs(y[-1] - 1 / 6), abs(tableau.error @ rates) / (1 + z * tableau.gamma)


@pytest.mark.parametrize("tableau", [ESDIRK4, TR_BDF2], ids=lambda tableau: tableau.name)
def test_the_error_of_stiff_equations_is_at_most_the_estimate(tableau):
    for z in 10.0 ** np.arange(-2, 8):
        error, estimate = stiff_step(tableau, z)
        assert error <= 1.001 * estimate
    if tableau is ESDIRK4:
        assert error == pytest.approx(estimate, rel=1e-5)


def test_the_next_step_foresees_errors_that_grow():
    equations = Equations(lambda t, y: y, lambda y: 1 * y, [1.0])
    stepper = Run(equations, 0.0, 1.0, make=METHODS["ESDIRK4"](equations)).stepper
    changes = []
    for asked in (1.0, 1.0, 0.8, 0.64, 0.8):  # the lengths that errors ask for
        stepper.resize(1e-3)
        step = stepper.attempt(stepper.t + stepper.h)
        step.error = asked**-4 / MARGIN
        stepper.accept(step)
        changes.append(stepper.h / step.h)
    assert changes[1:] == pytest.approx([1.0, 0.8**2, 0.64 * 0.8, 0.8])
