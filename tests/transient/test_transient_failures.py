"""Runs that cannot continue say why, and hand back what they have; wrong input is said at once."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp as solve_by_scipy

from sgsolve import PartialBranchWarning, Problem, solve_ivp
from sgsolve.errors import ConvergenceError, InputError
from sgsolve.problem.native_steps.native_steps import NativeSteps
from sgsolve.results.status import Status
from sgsolve.transient import Bdf, FixedSteps, IndexWarning, Pulse, RungeKutta, Stored, TimeEvent


def failed(problem, x0, interval, **options):
    with pytest.raises(ConvergenceError) as caught:
        problem.transient(x0, interval, raise_on_failure=True, **options)
    run = caught.value.result
    assert run.status is Status.STEP_TOO_SMALL
    return run


@pytest.mark.parametrize("steps", [RungeKutta(), Bdf()], ids=repr)
@pytest.mark.parametrize("t0", [0.0, 5.0])
def test_growth_without_bound_is_named(steps, t0):
    """The steps succeed until the time no longer changes; y could grow to the largest number."""
    problem = Problem(lambda y: -(y**2), storage=lambda y: 1.0 * y, blocks={"u": [0]})
    run = failed(problem, [1.0], (t0, t0 + 2.0), rtol=1e-4, steps=steps)
    assert run["t"][-1] == pytest.approx(t0 + 1.0, abs=1e-2)
    assert "u[0] grows without bound" in run.message
    assert np.all(np.diff(run["t"]) > 0.0)


@pytest.mark.parametrize(
    ("rate", "x0", "end", "faster"),
    [
        pytest.param(lambda u: np.exp(u), 0.0, 1.0, True, id="thermal runaway: -log(1 - t)"),
        pytest.param(lambda u: -0.5 / u, 1.0, 1.0, True, id="a root: sqrt(1 - t)"),
        pytest.param(lambda u: 1.0 / np.log(u), 0.5, 0.84657, False, id="zero at finite speed"),
    ],
)
def test_a_solution_that_changes_ever_faster_is_named(rate, x0, end, faster):
    problem = Problem(lambda u: -rate(u), storage=lambda u: 1.0 * u, blocks={"u": [0]})
    run = failed(problem, [x0], (0.0, 5.0), rtol=1e-4)
    assert run["t"][-1] == pytest.approx(end, rel=1e-2)
    assert ("u[0] changes ever faster" in run.message) is faster


@pytest.mark.parametrize("steps", [Bdf(), RungeKutta()], ids=repr)
def test_a_fold_of_the_algebraic_equations_is_named(steps):
    problem = Problem(
        lambda u: np.stack([-1 + 0 * u[0], u[1] ** 2 - (1 - u[0])]),
        storage=lambda u: u * np.array([1.0, 0.0]),
        blocks={"x": [0], "z": [1]},
    )
    run = failed(problem, [0.0, 1.0], (0.0, 2.0), rtol=1e-6, steps=steps)
    assert run["t"][-1] == pytest.approx(1.0, abs=1e-3)
    assert "singular" in run.message
    assert "z[0]" in run.message


@pytest.mark.parametrize("u0", [0.1, 1.0])
def test_growth_beside_an_algebraic_unknown_is_no_fold(u0):
    """u' = u^3 has a wrong sign; the mean m without storage only follows u."""
    problem = Problem(
        lambda u, m: {"u": -(u**3) - 1.0, "m": m - 0.1 * u.mean()},
        storage=lambda u, m: {"u": u, "m": 0.0 * m},
        blocks={"u": 3, "m": ()},
        fields=True,
    )
    with pytest.warns(PartialBranchWarning):
        run = problem.transient({"u": u0, "m": 0.1 * u0}, (0.0, 10.0))
    assert "singular" not in run.message
    assert "grows without bound" in run.message or "changes ever faster" in run.message
    assert "signs: dQ/dt = -F" in run.message


def test_an_equation_that_is_not_finite_is_named():
    problem = Problem(lambda y: 1 + 0 * np.sqrt(y), storage=lambda y: 1.0 * y, blocks={"u": [0]})
    run = failed(problem, [1.0], (0.0, 2.0))
    assert "u[0]" in run.message
    assert "not finite" in run.message
    assert run["t"][-1] == pytest.approx(1.0, abs=1e-3)


def test_a_state_outside_the_model_shortens_the_step():
    """A trial step leaves the domain of the square root; the solution does not."""
    problem = Problem(lambda y: np.sqrt(y) + y, storage=lambda y: 1.0 * y)
    run = problem.transient([1.0], (0.0, 1.0), first_step=1.0)
    assert run.success
    assert 2 * np.log(np.sqrt(run.x[0]) + 1) == pytest.approx(2 * np.log(2) - 1, abs=1e-3)


def test_a_fixed_step_that_fails_is_said():
    problem = Problem(lambda y: -(y**2), storage=lambda y: 1.0 * y)
    run = failed(problem, [1.0], (0.0, 2.0), steps=FixedSteps("backward Euler", 0.5))
    assert "the run ended at t =" in run.message


def decay():
    return Problem(lambda v, s: v - s, params={"s": 0.0}, storage=lambda v: 1.0 * v)


BAD = {
    "ends first": ({"interval": (1.0, 0.0)}, "times must increase"),
    "no length": ({"interval": (1.0, 1.0)}, "no length"),
    "not finite": ({"interval": (0.0, np.inf)}, "finite"),
    "no interval": ({"interval": 3.0}, "two numbers"),
    "rtol zero": ({"rtol": 0.0}, "rtol must be at least"),
    "rtol text": ({"rtol": "tight"}, "rtol must be a number"),
    "rtol below rounding": ({"rtol": 1e-17}, "rtol must be at least"),
    "atol zero": ({"atol": 0.0}, "atol must be positive"),
    "atol shape": ({"atol": [1e-3, 1e-3]}, "atol has shape"),
    "steps class": ({"steps": Bdf}, r"call it: Bdf\(\)"),
    "steps name": ({"steps": "BDF"}, r"steps must be Bdf\(\)"),
    "start": ({"start": "guess"}, "start must be one of"),
    "first step": ({"first_step": -1.0}, "first_step must be positive"),
    "max step": ({"max_step": "1"}, "max_step must be a number"),
    "times outside": ({"times": [0.0, 2.0]}, "times must lie within"),
    "times order": ({"times": [0.5, 0.2]}, "times must increase"),
    "breakpoints": ({"breakpoints": [5.0]}, "breakpoints must lie within"),
    "event number": ({"events": {"e": 3.0}}, "'e' must be a function"),
    "event list": ({"events": [abs]}, "events must map names"),
    "stop unknown": ({"stop": "never"}, "stop names 'never'"),
    "action unknown": ({"on_event": {"e": abs}}, "which is no event"),
    "max_steps": ({"max_steps": 0}, "max_steps must be a whole number of at least 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_wrong_input_is_said_before_any_step(case):
    options, message = BAD[case]
    options = dict(options)
    interval = options.pop("interval", (0.0, 1.0))
    with pytest.raises(InputError, match=message):
        decay().transient([1.0], interval, **options)


def test_an_event_that_returns_no_number_is_said():
    with pytest.raises(InputError, match="event 'e' at t = 0 must return one real number"):
        decay().transient([1.0], (0.0, 1.0), events={"e": lambda v: "x"})


def test_an_action_that_returns_no_state_is_said():
    event = {"half": TimeEvent(lambda v: v[0] - 0.5)}
    with pytest.raises(InputError, match="must return the state after the event, 1 finite"):
        decay().transient([1.0], (0.0, 1.0), events=event, on_event={"half": lambda v: None})


def test_a_storage_is_needed_and_must_depend_on_the_unknowns():
    with pytest.raises(InputError, match=r"Pass Problem\(..., storage=Q\)"):
        Problem(lambda v: v).transient([1.0], (0.0, 1.0))
    with pytest.raises(InputError, match="depends on no unknown"):
        Problem(lambda v: v, storage=lambda v: np.ones(1)).transient([1.0], (0.0, 1.0))
    with pytest.raises(InputError, match="is no parameter of the residual"):
        Problem(lambda v: v, storage="rate")
    with pytest.raises(InputError, match="storage returned shape"):
        Problem(lambda v: v, storage=lambda v: v[0]).transient([1.0, 1.0], (0.0, 1.0))


def test_nan_in_the_storage_is_named():
    problem = Problem(lambda v: v, storage=lambda v: np.log(v), blocks={"n": [0]})
    with pytest.raises(InputError, match=r"the storage is not finite at the start.*n\[0\]"):
        problem.transient([-1.0], (0.0, 1.0))


def test_a_residual_of_another_name_for_the_time_is_told():
    with pytest.raises(InputError, match="needs 'time'"):
        Problem(lambda v, time: v - time, storage=lambda v: 1.0 * v).transient([1.0], (0.0, 1.0))


def test_a_function_of_time_is_for_transients_only():
    problem = decay().at(s=Pulse(0.0, 1.0))
    with pytest.raises(InputError, match="'s' is a function of time"):
        problem.solve([1.0])
    with pytest.raises(InputError, match="parameter 's' must be a number"):
        decay().at(s=lambda time: 1.0)


def test_equations_without_a_solution_in_time_are_refused():
    """Twice the same algebraic equation: J + C/h is singular whatever h is."""
    problem = Problem(
        lambda u: np.stack([u[0], u[1] + u[2] - 1, u[1] + u[2] - 1]),
        storage=lambda u: u * np.array([1.0, 0.0, 0.0]),
    )
    with pytest.raises(ConvergenceError, match="no consistent state could be found at t = 0"):
        problem.transient([1.0, 0.5, 0.5], (0.0, 1.0))


def column_of_loam(n, flux, drains=True):
    """Water into loam, in cm and days: saturated cells store nothing more, and may drain below."""
    h, m = 100.0 / n, 1.0 - 1.0 / 1.56

    def saturation(psi):
        return (1.0 + (0.036 * np.where(psi < 0.0, -psi, 0.0)) ** 1.56) ** -m

    def residual(psi):
        s = np.minimum(saturation(psi), 1.0 - 1e-12)
        k = 24.96 * np.sqrt(s) * (1.0 - (1.0 - s ** (1.0 / m)) ** m) ** 2
        down = 0.5 * (k[1:] + k[:-1]) * (1.0 - (psi[1:] - psi[:-1]) / h)
        down = np.concatenate([[flux], down, drains * k[-1:]])
        return down[1:] - down[:-1]

    return Problem(residual, storage=lambda psi: 0.35 * h * saturation(psi)), saturation


@pytest.mark.filterwarnings("ignore::sgsolve.results.branch.PartialBranchWarning")
@pytest.mark.parametrize(
    ("flux", "rtol"),
    [
        pytest.param(flux, rtol, marks=pytest.mark.slow)
        for flux, rtol in ((60.0, 1e-4), (30.0, 1e-5), (30.0, 1e-6))
    ],
)
def test_soil_takes_water_until_all_of_it_is_saturated(flux, rtol):
    """A charge beyond saturation, by the tolerance of Newton's iteration, has no pressure."""
    problem, saturation = column_of_loam(30, flux)
    run = problem.transient(np.full(30, -100.0), (0.0, 3.0), rtol=rtol, atol=100.0 * rtol)
    assert not run.success  # more water comes in than can leave
    assert saturation(run.x).min() > 0.999
    drained = 24.96 * run["t"][-1]
    missing = 0.35 * 100.0 * (1.0 - saturation(-100.0))
    assert missing < flux * run["t"][-1] < missing + drained


@pytest.mark.parametrize("rtol", [1e-4, pytest.param(1e-5, marks=pytest.mark.slow)])
def test_restarts_after_failed_steps_conserve_to_rounding(rtol):
    """Cells that become saturated take no more water, and the pressures of all above jump."""
    problem, saturation = column_of_loam(30, 60.0, drains=False)
    water = Stored(lambda psi: 35.0 / 30.0 * np.sum(saturation(psi)))
    start = np.full(30, -100.0)
    run = problem.transient(
        start, (0.0, 0.2), rtol=rtol, atol=100.0 * rtol, outputs={"water": water}
    )
    assert run.success
    assert "restarts" in run.message
    assert "the storage of the state itself" not in run.message
    exact = 35.0 * saturation(-100.0) + 60.0 * run["t"]
    assert np.abs(run["water"] - exact).max() < 1e-12 * exact.max()


def test_a_dense_solution_ends_before_a_state_without_bound():
    run = solve_ivp(lambda t, y: y**2, (0.0, 2.0), [1.0], dense_output=True)
    assert not run.success
    assert run.sol(0.5)[0] == pytest.approx(2.0, rel=0.05)


def converter(diode):
    """A step-down converter whose node voltage is taken for an unknown of index 2."""

    def flow(u, s):
        node, current, out = u
        return [
            (1e-9 + 10.0 * s) * (node - 12.0) - diode(node) + current,
            out - node,
            out / 5.0 - current,
        ]

    return Problem(flow, storage=lambda u: [0.0 * u[0], 1e-4 * u[1], 1e-5 * u[2]]).at(s=SWITCH)


SWITCH = Pulse(0.0, 1.0, delay=1e-6, width=5e-6, rise=20e-9, fall=20e-9, period=1e-5)


@pytest.mark.parametrize("steps", [Bdf(), RungeKutta()], ids=["BDF", "ESDIRK4"])
def test_a_fast_switch_without_a_capacitor_at_its_node(steps):
    """Newton's iteration must converge in the voltage of the node."""
    problem = converter(lambda node: 1e-9 * (np.exp(-node / 0.02585) - 1.0))
    with pytest.warns(IndexWarning):
        run = problem.transient([0.0, 0.0, 0.0], (0.0, 2e-5), steps=steps)
    assert run.success, run.message
    assert np.abs(run.states[:, 1]).max() < 2.0
    assert run.x[0] == pytest.approx(-0.54, abs=0.01)


@pytest.mark.parametrize("rtol", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("steps", [Bdf(), RungeKutta()], ids=["BDF", "ESDIRK4"])
def test_a_diode_of_two_resistances_without_a_capacitor_at_its_node(steps, rtol):
    """A matrix of the conducting diode makes small updates of the voltage where it blocks."""
    problem = converter(lambda node: np.where(node >= 0.0, -1e-9, -100.0) * node)
    with pytest.warns(IndexWarning):
        run = problem.transient([0.0, 0.0, 0.0], (0.0, 2e-5), steps=steps, rtol=rtol)
    assert run.success, run.message

    def rates(t, u):  # the voltage of the node is known by the other unknowns
        on = 1e-9 + 10.0 * float(SWITCH(t))
        node = (12.0 * on - u[0]) / (on + 1e-9)
        node = node if node > 0.0 else (12.0 * on - u[0]) / (on + 100.0)
        return [(node - u[1]) / 1e-4, (u[0] - u[1] / 5.0) / 1e-5]

    t, u = 0.0, np.zeros(2)
    for end in [*SWITCH.breakpoints(0.0, 2e-5), 2e-5]:
        u = solve_by_scipy(rates, (t, end), u, method="Radau", rtol=1e-7, atol=1e-10).y[:, -1]
        t = end
    assert run.x[1:] == pytest.approx(u, rel=3.0 * rtol)


@pytest.mark.parametrize("in_loops", [True, False], ids=["machine code", "Python"])
@pytest.mark.parametrize("rtol", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("leak", [0.0, 1e-8, 1e-5])
def test_a_matrix_from_the_other_side_of_a_kink(leak, rtol, in_loops, monkeypatch):
    """Its slope is up to 1e11 times too large, so that updates of the voltage seem to be none.

    The switch is open: the current is that of 12 V and its 1e-9 S.
    """
    if not in_loops:
        monkeypatch.setattr(NativeSteps, "serves", staticmethod(lambda stepper: False))
    problem = converter(lambda node: 100.0 * np.maximum(-node, 0.0) - leak * node)
    run = problem.transient([0.0, 0.0, 0.0], (0.0, 1e-6), rtol=rtol)
    assert run.success, run.message
    current = 12e-9 / (1.0 + 5.0 * (1e-9 + leak))
    assert run.x[1] == pytest.approx(current, rel=5.0 * rtol)
    assert run.x[2] == pytest.approx(-5.0 * current * np.expm1(-1e-6 / 5e-5), rel=30.0 * rtol)
