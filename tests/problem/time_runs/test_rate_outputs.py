"""Outputs g + dh/dt: balances hold to rounding, values agree with closed forms."""

import numpy as np
import pytest

from sgsolve import Problem, ad
from sgsolve.errors import DataTypeError
from sgsolve.transient import Bdf, FixedSteps, Pulse, RungeKutta, Stored
from tests.selection import slow

VARIABLE = [Bdf(), Bdf(2, ndf=False), RungeKutta(), RungeKutta("TR-BDF2")]
FIXED = [FixedSteps(method, 0.02) for method in ("backward Euler", "BDF2", "trapezoid", "ESDIRK4")]
by_method = pytest.mark.parametrize("steps", VARIABLE + FIXED, ids=repr)


def charge(v):
    """A nonlinear capacitor."""
    return v + v**3


def network(source):
    """A source, a resistor, two capacitors (one nonlinear), a resistor beside a diode."""

    def flow(u, V):
        v0, v1, v2, i = u[0], u[1], u[2], u[3]
        drop = v0 - v1
        return np.stack([v0 - V, -drop, 0.5 * v2 + 0.1 * (np.exp(v2) - 1), drop + i])

    def storage(u):
        v1, v2 = u[1], u[2]
        return np.stack([0 * v1, charge(v1) + 2 * (v1 - v2), -2 * (v1 - v2), 0 * v1])

    return Problem(flow, params={"V": 0.0}, storage=storage).at(V=source)


def nothing(u):
    return 0.0


CURRENTS = {
    "source": (lambda u: -u[3], nothing),
    "nonlinear": (nothing, lambda u: charge(u[1])),
    "coupling": (nothing, lambda u: 2 * (u[1] - u[2])),
    "load": (lambda u: 0.5 * u[2] + 0.1 * (np.exp(u[2]) - 1), nothing),
    # By the equations, which are algebraic here: v0 = V.
    "constraint": (nothing, lambda u, V: u[0] - V),
}


@by_method
@pytest.mark.parametrize("times", [np.linspace(0.1, 3.0, 47), *slow(None)])
def test_the_law_of_kirchhoff_holds_to_rounding(steps, times):
    problem = network(lambda t: 1.0 + np.sin(3 * t))
    run = problem.transient(
        [0.5, 0.0, 0.0, 0.0],  # moved to the source's voltage: the start is inconsistent
        (0.0, 3.0),
        steps=steps,
        first_step=1e-2,
        rtol=1e-4,
        atol=1e-6,  # by default some steps are short, and currents have the rounding of Q / step
        outputs=CURRENTS,
        breakpoints=[1.0],
        times=times,
    )
    largest = max(np.abs(run[name]).max() for name in CURRENTS)
    sums = [
        run["source"] - run["nonlinear"] - run["coupling"],
        run["coupling"] - run["load"],
        run["constraint"],
    ]
    for total in sums:
        assert np.abs(total).max() < 1e-12 * largest


@by_method
def test_the_current_of_a_capacitor(steps):
    """v' = V - v with V = sin t: the current is V - v = (sin t + cos t - exp(-t)) / 2."""
    problem = Problem(lambda v, t: v - np.sin(t), storage=lambda v: 1.0 * v)
    both = {"both": (lambda v: np.zeros((2, 1)) + v[0], lambda v: v[0] * np.array([[1.0], [2.0]]))}
    run = problem.transient([0.0], (0.0, 2.0), steps=steps, rtol=1e-5, outputs=both)
    t = run["t"]
    v = (np.sin(t) - np.cos(t) + np.exp(-t)) / 2
    rate = (np.cos(t) + np.sin(t) - np.exp(-t)) / 2
    assert run["both"].shape == (len(run), 2, 1)
    size = 2e-2 if steps in FIXED else 2e-3
    assert np.abs(run["both"][:, 0, 0] - (v + rate)).max() < size
    assert np.abs(run["both"][:, 1, 0] - (v + 2 * rate)).max() < 2 * size


@pytest.mark.parametrize("steps", [Bdf(), RungeKutta()], ids=repr)
def test_currents_after_jumps_and_events(steps):
    """A pulse through a resistor into a nonlinear capacitor; an event discharges half of it."""
    problem = Problem(lambda v, V: v - V, params={"V": 0.0}, storage=charge).at(
        V=Pulse(0.0, 1.0, delay=0.5, width=1.0)
    )
    run = problem.transient(
        [0.2],
        (0.0, 2.0),
        steps=steps,
        rtol=1e-4,
        first_step=1e-3,
        outputs={"in": (lambda v: 0.0, lambda v: charge(v[0])), "R": lambda v, V: V - v[0]},
        events={"high": lambda v: v[0] - 0.4},
        on_event={"high": lambda v: 0.5 * v},
    )
    assert len(run.special_points) == 2
    assert np.abs(run["in"] - run["R"]).max() < 1e-3
    jump = np.searchsorted(run["t"], 0.5)
    assert run["in"][jump] - run["in"][jump - 1] == pytest.approx(1.0, abs=1e-3)


def test_charges_that_hold_the_time_and_rates_that_are_a_parameter():
    leak = {"i": (lambda v: v[0], lambda v, t: 3.0 * t + v[0])}
    for problem in (
        Problem(lambda v: 2.0 * v, storage=lambda v, t: v - t),
        Problem(lambda v, dv: dv + 2.0 * v - 1, params={"dv": np.zeros(1)}, storage="dv"),
    ):
        run = problem.transient([0.0], (0.0, 1.0), rtol=1e-6, outputs=leak)
        v = (1 - np.exp(-2 * run["t"])) / 2
        assert np.abs(run.states[:, 0] - v).max() < 1e-5
        assert np.abs(run["i"] - (v + 3.0 + np.exp(-2 * run["t"]))).max() < 1e-4


def test_a_conserved_sum_stays_so_over_restarts_with_currents():
    n, h = 40, 0.5
    x = -10 + h * (np.arange(n) + 0.5)

    def flow(w, t):
        flux = np.concatenate([np.zeros(1), (w[1:] - w[:-1]) / h, np.zeros(1)])
        return -(1.0 if t < 1.5 else 3.0) * (flux[1:] - flux[:-1]) / h

    problem = Problem(flow, storage=np.sqrt)
    run = problem.transient(
        (np.maximum(1 - x**2 / 12, 0) + 0.1) ** 2,
        (1.0, 3.0),
        rtol=1e-3,
        breakpoints=[1.5],
        outputs={
            "rate": (nothing, lambda w: ad.sum(np.sqrt(w))),
            "total": Stored(lambda w: ad.sum(np.sqrt(w))),
            "of states": lambda w: np.sqrt(w).sum(),
        },
    )
    assert np.abs(run["rate"]).max() < 1e-9  # rates of 17 over the shortest step, 1e-5
    assert np.ptp(run["total"]) < 1e-12 * run["total"][0]
    assert run["total"] == pytest.approx(run["of states"], rel=1e-3)
    assert run["total"][0] == pytest.approx(run["of states"][0], rel=1e-14)
    with pytest.raises(DataTypeError, match="Stored needs a function of x, not 3"):
        Stored(3)


def test_a_resumed_run_records_the_same_currents(tmp_path):
    problem, path = network(lambda t: np.sin(t)), tmp_path / "run.npz"
    options = {"rtol": 1e-4, "outputs": CURRENTS, "times": np.linspace(0, 2, 41)}
    for steps in (Bdf(), RungeKutta()):
        options["steps"] = steps
        whole = problem.transient(np.zeros(4), (0.0, 2.0), **options)
        problem.transient(np.zeros(4), (0.0, 2.0), checkpoint=path, max_steps=11, **options)
        rest = problem.transient(np.zeros(4), (0.0, 2.0), checkpoint=path, resume=True, **options)
        for name in CURRENTS:
            assert np.array_equal(rest[name], whole[name])


def test_pairs_that_cannot_serve_are_refused():
    problem = Problem(lambda v: v, storage=lambda v: 1.0 * v)

    def run(pair):
        problem.transient([1.0], (0.0, 1.0), outputs={"i": pair})

    with pytest.raises(DataTypeError, match=r"outputs: 'i' must be a function of x, or a pair"):
        run((nothing, nothing, nothing))
    with pytest.raises(DataTypeError, match="or a pair"):
        run((nothing, 2.0))
    with pytest.raises(DataTypeError, match=r"'i': g has the shape \(\), but h has \(1,\)"):
        run((nothing, lambda v: 1.0 * v))
    with pytest.raises(DataTypeError, match="must return a real number"):
        run((nothing, lambda v: "text"))
    with pytest.raises(ValueError, match="'t' is a column"):
        problem.transient([1.0], (0.0, 1.0), outputs={"t": (nothing, nothing)})
