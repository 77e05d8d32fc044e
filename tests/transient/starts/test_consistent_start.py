"""Consistent starts: algebraic equations are met at constant charge, and the index is measured."""

import numpy as np
import pytest

from sgsolve import Problem, ad
from sgsolve.solvers.state.workspace import Workspace
from sgsolve.transient import Bdf, PiecewiseLinear, RungeKutta
from sgsolve.transient.error_weights import ErrorWeights
from sgsolve.transient.starts.consistent_start import consistent_start
from sgsolve.transient.starts.index import check_index, index_growth
from tests.transient.equations import Equations


def solve(system, x):
    """Newton's method, as simple as it can be."""
    for _ in range(50):
        F, J = system.linearize(x)
        step = np.linalg.solve(J.toarray(), -F)
        x = x + step
    return x


def started(equations, length=1.0, rtol=1e-6):
    weights = ErrorWeights(equations.blocks, rtol, rtol, None)
    times = (0.0, length)
    return consistent_start(equations, Workspace(), weights, times, equations.x0, solve)


def test_an_algebraic_unknown_moves_to_where_its_equation_holds():
    """x' = z - x, 0 = z^3 + z - x - 1: the start gives z = 0, and z = 1 is right."""
    equations = Equations(
        lambda t, u: np.stack([u[0] - u[1], u[1] ** 3 + u[1] - u[0] - 1]),
        lambda u: u * np.array([1.0, 0.0]),
        [1.0, 0.0],
    )
    start = started(equations)
    assert start.x == pytest.approx([1.0, 1.0], abs=1e-7)
    assert start.moved == "x[1]"
    assert start.charge == pytest.approx([1.0, 0.0], abs=0)


def test_the_charge_of_a_floating_node_is_kept_while_its_unknowns_move():
    """A capacitor of rank one over two unknowns: Q = v1 - v2 in one, nothing in the other."""
    equations = Equations(
        lambda t, u: np.stack([u[0] - u[1], u[0] + 2 * u[1] - 3]),
        lambda u: np.stack([u[0] - u[1], 0 * u[0]]),
        [1.0, 0.5],
    )
    start = started(equations)
    assert start.x == pytest.approx([4 / 3, 5 / 6], abs=1e-6)


def test_a_consistent_start_stays_where_it_is():
    equations = Equations(
        lambda t, u: np.stack([u[0] - u[1], u[1] ** 3 + u[1] - u[0] - 1]),
        lambda u: u * np.array([1.0, 0.0]),
        [1.0, 1.0],
    )
    start = started(equations)
    assert start.moved == ""
    assert np.array_equal(start.x, equations.x0)


def test_a_fast_transient_is_not_taken_for_an_inconsistent_start():
    equations = Equations(lambda t, u: 1e7 * (u - 2.0), lambda u: 1.0 * u, [1.0])
    start = started(equations)
    assert start.moved == ""
    assert np.array_equal(start.x, [1.0])
    assert start.slope == pytest.approx([1e7], rel=1e-3)


def test_the_slope_of_an_algebraic_unknown_follows_the_time():
    """z = sin 3t + x, x' = -x: z' = 3 - 1 at t = 0."""
    equations = Equations(
        lambda t, u: ad.hstack([u[0], u[1] - u[0] - np.sin(3 * t)]),
        lambda u: u * np.array([1.0, 0.0]),
        [1.0, 1.0],
    )
    assert started(equations).slope == pytest.approx([-1.0, 2.0], rel=1e-5)


def circuit(kind):
    """A source at node 0; index 1 with a resistor to the capacitor, index 2 without."""
    if kind == 1:
        return Equations(
            lambda t, u: ad.hstack([u[0] - np.sin(t), u[1] - u[0], u[0] - u[1] + u[2]]),
            lambda u: u * np.array([0.0, 1.0, 0.0]),
            [0.0, 0.0, 0.0],
        )
    return Equations(
        lambda t, u: ad.hstack([u[0] - np.sin(t), u[1]]),
        lambda u: np.stack([0 * u[0], u[0]]),
        [0.0, -1.0],
    )


@pytest.mark.parametrize("index", [1, 2])
def test_the_index_is_measured(index):
    equations = circuit(index)
    at = equations.derivatives(0.0, equations.x0, 1.0, 0 * equations.x0)
    growth, direction = index_growth(equations, Workspace(), at, 1.0)
    assert growth == pytest.approx(index, abs=0.1)
    if index == 2:
        assert np.argmax(np.abs(direction)) == 1  # the current through the source


def test_ordinary_differential_equations_have_index_zero():
    equations = Equations(lambda t, u: u, lambda u: 1.0 * u, [1.0, 2.0])
    at = equations.derivatives(0.0, equations.x0, 1.0, 0 * equations.x0)
    assert index_growth(equations, Workspace(), at, 1.0)[0] == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("zero", [False, True])
def test_ordinary_differential_equations_are_not_factorized_for_their_index(zero):
    weights = np.array([1.0, 0.0 if zero else 2.0])
    equations = Equations(lambda t, u: u, lambda u: weights * u, [1.0, 2.0])
    workspace = Workspace()
    error_weights = ErrorWeights(equations.blocks, 1e-4, 1e-4, None)
    assert check_index(equations, workspace, error_weights, 0.0, equations.x0, 1.0)
    assert (workspace.counts().n_factor > 0) is zero


@pytest.mark.parametrize("capacity", [1.0, 1e-12, 1e12])
def test_the_rates_of_ordinary_equations_at_the_start(capacity):
    """C x' = b(t) - x: the slope is known, and nothing is factorized to find it."""
    C = capacity * np.array([1.0, 2.0])
    problem = Problem(lambda x, t: x - np.cos(t / capacity), storage=lambda x: C * x)
    run = problem.transient([3.0, 5.0], (0.0, capacity), rtol=1e-9, dense_output=True, max_steps=3)
    first = run["t"][1]
    slope = (run.interpolant(first)[0] - 3.0) / first
    assert slope == pytest.approx(-2.0 / capacity, rel=1e-3)
    assert run.stats.n_factor <= 3  # of a trial, and of two steps


@pytest.mark.parametrize("steps", [Bdf(), RungeKutta()], ids=repr)
@pytest.mark.parametrize("algebraic", [False, True])
def test_a_start_is_kept_where_the_run_is_much_longer_than_its_first_changes(steps, algebraic):
    """Robertson's reactions; values of the Test Set for IVP Solvers (Mazzia and Magherini 2008)."""

    def residual(y):
        slow, fast = 0.04 * y[0] - 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
        return np.stack([slow, fast - slow, y.sum() - 1.0 if algebraic else -fast])

    problem = Problem(residual, storage=lambda y: np.stack([y[0], y[1], y[2] * (not algebraic)]))
    sizes = np.array([1e-6, 1e-12, 1e-4])  # atol below the values at the end
    run = problem.transient([1.0, 0.0, 0.0], (0.0, 1e11), rtol=1e-5, atol=1e-5 * sizes, steps=steps)
    assert run.success
    assert "did not meet" not in run.message
    assert run.states[0].tolist() == [1.0, 0.0, 0.0]
    exact = [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050]
    assert run.x == pytest.approx(exact, rel=1e-3)


def test_a_start_beside_the_algebraic_equations_is_moved_in_a_long_run_too():
    def residual(y):  # y0' = -y0, within a run of 1e11 times its duration
        return np.stack([y[0], y[1] - 2.0 * y[0]])

    problem = Problem(residual, storage=lambda y: np.stack([y[0], 0.0 * y[1]]))
    run = problem.transient([1.0, 0.0], (0.0, 1e11), rtol=1e-4, times=[0.0, 1.0, 1e11])
    assert "moved, most in x[1]" in run.message
    assert run.states[0] == pytest.approx([1.0, 2.0], rel=1e-6)
    assert run.states[1] == pytest.approx([np.exp(-1.0), 2.0 * np.exp(-1.0)], abs=3e-3)


@pytest.mark.parametrize("end", [1.0, 1e3])
def test_the_first_steps_do_not_depend_on_the_length_of_the_run(end):
    """A ramp of 1 ns over a nonlinear resistor and a capacitor, then a long time at rest."""
    problem = Problem(
        lambda u, V: np.stack([u[0] - u[1], u[1] + u[1] ** 3 - V - u[0]]),
        params={"V": 0.0},
        storage=lambda u: u * np.array([1e-9, 0.0]),
    ).at(V=lambda t: 5.0 * min(t / 1e-9, 1.0))
    short, long = (problem.transient([0.0, 0.0], (0.0, t), breakpoints=[1e-9]) for t in (1e-8, end))
    assert long["t"][:5] == pytest.approx(short["t"][:5], rel=1e-3)
    assert long.x == pytest.approx([5.0 ** (1 / 3)] * 2, rel=1e-6)  # u^3 = V at rest


@pytest.mark.parametrize("scale", [1.0, 1e-9])
def test_the_first_step_is_as_long_as_the_curvature_allows(scale):
    """By the slope alone it is 5.7e-9, and grows by 2.4 in each step after it."""
    problem = Problem(lambda x, t: -np.cos(t / scale + 0.5) - 0.0 * x, storage=lambda x: scale * x)
    span, tolerances = (0.0, 10.0 * scale), {"rtol": 1e-8, "atol": 1e-8}
    run = problem.transient([0.0], span, **tolerances)
    assert run["t"][1] > 1e-6 * scale
    assert run["error"][1] < 1e-2
    given = problem.transient([0.0], span, first_step=1e-8 * scale, **tolerances)
    assert given["t"][1] == 1e-8 * scale


def test_a_start_that_is_moved_does_not_make_the_first_steps_shorter():
    """A coil and a capacitor without charge: their sizes are not what the move leaves of zero."""

    def flow(x):
        e1, e2, e3, coil, source = x
        return [source + 2.0 * (e1 - e2), 2.0 * (e2 - e1) + coil, -coil, e3 - e2, e1 - 1.0]

    circuit = Problem(flow, storage=lambda x: [0.0 * x[0], 0.0 * x[1], x[2], x[3], 0.0 * x[4]])
    moved, given = (
        circuit.transient(start, (0.0, 5.0), rtol=1e-6, steps=RungeKutta())
        for start in ([0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0, 0.0])
    )
    assert "was moved" in moved.message
    assert moved["step"][1] == pytest.approx(given["step"][1], rel=0.1)
    assert moved.x[2] == pytest.approx(1.036550787389, abs=1e-5)


@pytest.mark.parametrize("steps", [Bdf(), RungeKutta("ESDIRK4")], ids=["Bdf", "ESDIRK4"])
@pytest.mark.parametrize("begin", [0.0, 1.0], ids=["at the start", "at a breakpoint"])
def test_an_algebraic_unknown_that_begins_to_change_fast_meets_its_equation(begin, steps):
    def switched(u, g):  # current i through a conductance, voltage v behind it
        i, v = u
        return [0.1 * i, (1e-6 + g) * (12.0 - v) - i]

    gate = PiecewiseLinear([begin - 1.0, begin, begin + 1e-3, 3.0], [0.0, 0.0, 1.0, 1.0])
    problem = Problem(switched, params={"g": gate}, storage=lambda u: u * np.array([1.0, 0.0]))
    run = problem.transient([3e-6, 0.0], (0.0, 2.0), steps=steps)
    at = int(np.flatnonzero(run["t"] == begin)[-1])
    i, v = run.states[at]
    right = gate(np.nextafter(begin, 3.0))
    assert abs(12.0 - i / (1e-6 + right) - v) < 1e-4
    assert len(run) < 300
    assert run.x == pytest.approx([3e-6 * np.exp(-0.2), 12.0], rel=2e-3)
