"""Curves: events, bounds, stability, Hopf points, folds in two parameters, homotopy, reports."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import ConvergenceError, InputError, PartialBranchWarning, Problem, Status, ad
from sgsolve.bifurcation import Stability
from sgsolve.continuation import Arclength, Homotopy
from sgsolve.continuation.runs.progress_bar import expected
from sgsolve.errors import DataTypeError
from sgsolve.solvers import Bounds, Positive, Restarts, Robust
from tests.continuation.gallery import (
    bratu,
    brusselator,
    elastica,
    far_start,
    s_curve,
    tilted_pitchfork,
)
from tests.selection import slow


def test_events_and_where_to_stop():
    branch = Problem(s_curve).continuation(
        [-2.1], "lam", (0.0, 1.0), events={"zero": lambda x: x[0]}, stop="zero"
    )
    (event,) = branch.special_points_of("zero")
    assert abs(event.parameter - 0.5) < 1e-12
    assert branch["lam"][-1] == event.parameter
    assert len(branch.folds) == 1
    assert "as asked" in branch.message
    assert branch.status is Status.STOP_CONDITION


def test_until_and_outputs_and_parameters():
    def residual(x, a=0.0, b=2.0):
        return x - a * b

    branch = (
        Problem(residual)
        .at(b=3.0)
        .continuation(
            [0.0],
            "a",
            step=0.1,
            until=lambda x, b: x[0] > 2.0 * b,
            outputs={"ratio": lambda x, a, b: x[0] - a * b},
            max_points=50,
        )
    )
    assert branch.success
    assert branch.x[0] > 6.0
    assert branch.states[-2, 0] <= 6.0
    assert np.abs(branch["ratio"]).max() < 1e-12
    assert branch.params["b"] == 3.0


def test_a_closed_curve_ends_where_it_began():
    def circle(x, p=0.0):
        return x**2 + p**2 - 1.0

    branch = Problem(circle).continuation([1.0], "p", step=0.1)
    assert branch.success
    assert "closed" in branch.message
    assert np.allclose(sorted(f.parameter for f in branch.special_points), [-1.0, 1.0], atol=1e-10)


@pytest.mark.parametrize("force", [1e-2, *slow(1e-4)])
def test_a_branch_that_starts_next_to_zero_gets_on(force):
    """A rod under a tiny transverse force grows by four orders of magnitude where it buckles."""
    branch = (
        Problem(elastica)
        .at(lam=2.0, mu=force)
        .continuation(np.zeros(49), "lam", (2.0, 5.0), step=0.2)
    )
    assert branch.success
    assert np.abs(branch.states[0]).max() < force
    assert np.abs(branch.x).max() > 2.0
    assert len(branch) < 230


@pytest.mark.slow
def test_a_narrow_gap_is_not_jumped():
    """The hyperbola x^2 = p^2 + 1e-8: without care the branch is followed as if it were x = p."""
    branch = (
        Problem(lambda x, p: x**2 - p**2 - 1e-8)
        .at(p=-1.0)
        .continuation([-1.0], "p", (-1.0, 1.0), step=0.05)
    )
    assert branch.success
    assert branch.states.max() < 0.0


def test_downwards_and_wrong_directions():
    branch = Problem(bratu).at(lam=1.0).continuation(np.zeros(9), "lam", (0.0, 1.0))
    assert branch["lam"][-1] == 0.0
    assert np.abs(branch.x).max() < 1e-12
    with pytest.raises(InputError, match="leads out of the bounds"):
        Problem(bratu).at(lam=1.0).continuation(np.zeros(9), "lam", (0.0, 1.0), step=0.1)
    with pytest.raises(InputError, match="outside the bounds"):
        Problem(bratu).at(lam=2.0).continuation(np.zeros(9), "lam", (0.0, 1.0))


def test_wrong_arguments_are_named():
    problem = Problem(bratu)
    for options, text in (
        ({"detect": "hopf"}, "detect names 'hopf': stability=True finds these"),
        ({"detect": "torus"}, "detect names 'torus'; there are"),
        ({"stop": "zero"}, "stop names 'zero'"),
        ({"events": {"fold": np.max}}, "cannot be called 'fold'"),
        ({"max_points": 0}, "max_points"),
        ({"keep_states": -1}, "keep"),
        ({"steps": Arclength(), "bounds": (1.0, 0.0)}, "bounds must increase"),
        ({"stability": Stability(mass=np.ones(3))}, "mass has shape"),
    ):
        with pytest.raises(InputError, match=text):
            problem.continuation(np.zeros(9), "lam", **options)
    with pytest.raises(InputError, match="predictor"):
        Arclength(predictor="guess")


def test_the_first_point_that_fails_is_explained():
    with pytest.raises(ConvergenceError, match="first point, lam = 9, failed"):
        Problem(bratu).at(lam=9.0).continuation(np.zeros(9), "lam")


def test_the_limit_on_points():
    with pytest.warns(PartialBranchWarning, match="400 points"):
        Problem(lambda x, p=0.0: x - p).continuation([0.0], "p", max_step=0.02)
    branch = Problem(lambda x, p=0.0: x - p).continuation([0.0], "p", max_points=5)
    assert len(branch) == 5
    assert branch.status is Status.MAX_POINTS


def test_a_curve_that_ends_is_handed_back():
    def residual(x, p=0.0):
        return x - np.sqrt(1.0 - p)

    with pytest.warns(PartialBranchWarning, match="not finite"):
        branch = Problem(residual).continuation([1.0], "p", (0.0, 2.0), detect=())
    assert branch.status is Status.STEP_TOO_SMALL
    assert 0.9 < branch["p"][-1] <= 1.0
    with pytest.raises(ConvergenceError, match="not finite"):
        Problem(residual).continuation([1.0], "p", (0.0, 2.0), detect=(), raise_on_failure=True)


def test_own_jacobian_and_parameters_that_cannot_be_seeded():
    def floating(x, lam=0.0):
        return x**3 - 3.0 * x + 3.0 - 6.0 * float(lam)

    own = Problem(s_curve, jacobian=lambda x, lam: np.diag(3.0 * x**2 - 3.0))
    for problem in (Problem(floating), own):
        branch = problem.continuation([-2.1], "lam", (0.0, 1.0))
        found = [fold.parameter for fold in branch.folds]
        assert np.allclose(found, [5 / 6, 1 / 6], atol=1e-10)


def test_hopf_point_of_the_brusselator():
    start, bounds = [2.0, 1.0], (2.0, 8.0)
    branch = Problem(brusselator).continuation(start, "b", bounds, detect="hopf", stability=True)
    (hopf,) = branch.hopf_points
    assert abs(hopf.parameter - 5.0) < 1e-10
    assert abs(hopf.frequency - 2.0) < 1e-8
    J = Problem(brusselator).at(b=hopf.parameter).jacobian(hopf.x).toarray()
    assert np.abs(J @ hopf.vector - 2.0j * hopf.vector).max() < 1e-8
    assert set(branch["unstable"]) == {0, 2}


def brusselator_line(n, d1=0.008, d2=0.004, a=2.0):
    """In space on (0, 1), at rest at the ends; the first mode oscillates first."""
    h = 1.0 / (n + 1)

    def residual(u, b=2.0):
        x, y = u[:n], u[n:]
        left = np.concatenate([[a], x, [a]])
        right = np.concatenate([[0.0], y, [0.0]])
        right = right + b / a * np.concatenate([[1.0], np.zeros(n), [1.0]])
        react = x**2 * y
        return np.concatenate(
            [
                d1 * (left[2:] - 2.0 * x + left[:-2]) / h**2 + a - (b + 1.0) * x + react,
                d2 * (right[2:] - 2.0 * y + right[:-2]) / h**2 + b * x - react,
            ]
        )

    mode = 4.0 / h**2 * np.sin(0.5 * np.pi * h) ** 2
    return residual, 1.0 + a**2 + (d1 + d2) * mode


def test_hopf_point_of_a_large_system_by_arnoldi():
    n = 150
    residual, exact = brusselator_line(n)
    start = np.concatenate([np.full(n, 2.0), np.full(n, 2.5)])
    branch = (
        Problem(residual)
        .at(b=5.0)
        .continuation(
            start, "b", (5.0, 5.3), detect=(), stability=Stability(count=8), max_points=30
        )
    )
    (hopf,) = branch.hopf_points
    assert abs(hopf.parameter - exact) < 1e-9


def test_a_mass_matrix_scales_the_spectrum():
    def hopf_of(mass):
        branch = Problem(brusselator).continuation(
            [2.0, 1.0], "b", (2.0, 8.0), stability=Stability(mass=mass)
        )
        return branch.hopf_points[0]

    plain, halved = hopf_of(1.0), hopf_of(sp.csr_array(2.0 * np.eye(2)))
    assert abs(plain.parameter - halved.parameter) < 1e-9
    assert abs(plain.frequency - 2.0 * halved.frequency) < 1e-8


def test_folds_in_two_parameters_and_the_cusp():
    problem = Problem(lambda x, p, q: p + q * x - x**3 / 3, params={"p": -1.0, "q": 1.0})
    branch = problem.continuation([-2.0], "p", (-1.0, 1.0))
    folds = problem.fold_curve(branch, "q", (-1.0, 1.5), step=-0.1)
    assert folds["q"][-1] == 1.5  # down to the cusp, and up again on its other side
    assert np.abs(folds["p"] ** 2 - 4.0 / 9.0 * folds["q"] ** 3).max() < 1e-9
    assert abs(folds.special_points[0].parameter) < 1e-10
    assert folds["p"][0] * folds["p"][-1] < 0.0
    with pytest.raises(InputError, match="the fold moves in 'p'; name a second"):
        problem.fold_curve(branch, "p")
    with pytest.raises(InputError, match=r"several parameters change along this branch \(q, p\)"):
        problem.fold_curve(folds, "p")


def test_ignition_and_extinction_merge_at_the_known_value():
    """Perturbed Gelfand problem in a slab: multiplicity is lost at epsilon = 0.2458."""

    def residual(u, lam=0.1, eps=0.1):
        h = 1.0 / (len(u) + 1)
        full = np.concatenate([[0.0], u, [0.0]])
        return (full[2:] - 2.0 * u + full[:-2]) / h**2 + lam * np.exp(u / (1.0 + eps * u))

    problem = Problem(residual)
    branch = problem.continuation(
        np.zeros(99), "lam", (0.05, 20.0), step=0.1, max_step=1.0, stop="fold"
    )
    folds = problem.fold_curve(branch, "eps", (0.05, 0.3), step=0.01, max_step=0.05, max_points=25)
    assert abs(folds.special_points[0].parameter - 0.2458) < 1e-4
    for i in (0, 10, 20):
        x, params = folds.at(i)
        J = problem.at(**params).jacobian(x).toarray()
        values = np.linalg.svd(J, compute_uv=False)
        assert values[-1] < 1e-8 * values[0]


@pytest.mark.parametrize("kind", ["newton", "fixed point"])
def test_homotopy_from_far_away(kind):
    problem = Problem(lambda x: np.arctan(x) + 0.1 * x - 1.0)
    result = problem.solve([30.0, -30.0], Homotopy(kind=kind))
    assert result.success
    assert np.ptp(result.x) < 1e-9
    assert any("t = 1" in stage for stage in result.stages)


def test_homotopy_round_folds():
    """The curve goes back in t twice; what damped Newton does from there ends in a minimum."""
    problem = Problem(lambda u: u**3 - 3.0 * u - 3.0)
    result = problem.solve([-2.0], Homotopy())
    assert abs(result.x[0] - 2.1038034027) < 1e-9


def test_robust_with_homotopies():
    result = Problem(lambda x: x**2 - 4.0).solve([1.0], Robust(max_iterations=20))
    assert abs(result.x[0] - 2.0) < 1e-9
    limits = (Positive(),)
    for stage in Robust(limits=limits).stages:
        inner = getattr(stage.solver, "finish", getattr(stage.solver, "solver", stage.solver))
        assert inner.limits == limits
    with pytest.raises(InputError, match="kind"):
        Homotopy(kind="magic")


@pytest.mark.parametrize("seed", [360, *slow(53)])
def test_the_last_stage_of_robust_solves_what_the_others_cannot(seed):
    residual, x0 = far_start(seed)
    stages = [s for s in Robust().stages if not isinstance(s.solver, Restarts)]
    alone = Problem(residual).solve(x0, Robust(stages=stages[:-1]), raise_on_failure=False)
    assert not alone.success
    result = Problem(residual).solve(x0, Robust(stages=stages))
    assert result.success
    assert "Homotopy" in result.stages[-1]
    assert np.abs(residual(result.x)).max() < 1e-8


def test_without_a_solution_robust_ends_in_a_bounded_time():
    result = Problem(lambda x: np.exp(x)).solve([0.0], raise_on_failure=False)
    assert not result.success
    assert result.stats.njev < 2000
    assert sum("Homotopy" in stage and "points" in stage for stage in result.stages) == 1


def test_limits_hold_on_the_curve_of_a_homotopy():
    """The curve leads to a root that a bound forbids."""
    problem = Problem(lambda u: u**3 - 3.0 * u - 1.5)
    free = problem.solve([1.2], Homotopy())
    assert free.x[0] > 1.9
    homotopy = Homotopy().with_settings(limits=(Bounds(lower=-1.0, upper=1.5),))
    held = problem.solve([1.2], homotopy, raise_on_failure=False)
    assert -1.0 <= held.x[0] <= 1.5
    assert "a limit forbids the next step" in held.stages[0]


def test_table_dict_and_plot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    branch = Problem(tilted_pitchfork).continuation(
        [-2.1], "mu", (-1.0, 1.0), stability=True, outputs={"x": lambda x: x[0]}
    )
    assert "fold at 0.666666666667" in str(branch)
    assert set(branch.to_dict()) == {"mu", "nit", "s", "tangent", "unstable", "x"}
    axes = branch.plot("x", color="k")
    styles = [line.get_linestyle() for line in axes.lines]
    assert styles.count("--") == 1  # the middle part is unstable
    assert sum(line.get_marker() == "o" for line in axes.lines) == 2
    Problem(tilted_pitchfork).sweep([-2.0], "mu", [-1.0, 0.0]).plot()
    plt.close("all")


def test_stability_changes_in_a_diagram_at_the_special_point():
    plt = pytest.importorskip("matplotlib.pyplot")
    pitchfork = Problem(lambda x, mu: mu * x - x**3)
    branch = pitchfork.at(mu=-1.0).continuation([0.0], "mu", (-1.0, 1.0), step=0.7, stability=True)
    stable, unstable = branch.plot().lines[:2]
    assert (stable.get_linestyle(), unstable.get_linestyle()) == ("-", "--")
    assert stable.get_xdata()[-1] == unstable.get_xdata()[0] == branch.branch_points[0].parameter
    assert abs(stable.get_xdata()[-1]) < 1e-8
    plt.close("all")


def test_a_diagram_of_an_array_output_has_a_line_for_each_component():
    plt = pytest.importorskip("matplotlib.pyplot")
    problem = Problem(lambda x, a: x**2 - a)
    branch = problem.sweep([1.0, 1.0], "a", [1.0, 4.0], outputs={"v": lambda x: [x[0], 2.0 * x[1]]})
    lines = branch.plot("v").lines
    assert [line.get_label() for line in lines] == ["v[0]", "v[1]"]
    assert [line.get_ydata().round(6).tolist() for line in lines] == [[1.0, 2.0], [2.0, 4.0]]
    plt.close("all")


def test_go_on_from_a_point():
    problem = Problem(tilted_pitchfork)
    branch = problem.continuation([-2.1], "mu", (-1.0, 1.0))
    x, params = branch.at(5)
    again = problem.at(**params).continuation(x, "mu", (-1.0, 1.0))
    assert again["mu"][0] == branch["mu"][5]
    with pytest.raises(InputError, match=f"no point 1000; the branch has {len(branch)}"):
        branch.at(1000)
    assert branch.stats.nit >= branch["nit"].sum()


def test_progress_bar_on_demand(capsys):
    pytest.importorskip("tqdm")
    Problem(s_curve).continuation([-2.1], "lam", (0.0, 1.0), progress=True)
    assert "continuation lam" in capsys.readouterr().err


def test_the_bar_of_a_curve_tells_the_time_that_is_left(capsys):
    pytest.importorskip("tqdm")
    problem = Problem(bratu)
    problem.continuation(np.zeros(19), "lam", (0.0, 2.0), step=0.2, max_step=0.2, progress=True)
    lines = [line for line in capsys.readouterr().err.split("\r") if "of about" in line]
    count = int(lines[-1].split(":")[1].split()[0])
    assert count > 5
    guesses = [int(line.split("of about ")[1].split()[0]) for line in lines]
    assert guesses[0] == 400
    assert all(abs(guess - count) <= 3 for guess in guesses[-1:])
    assert "<" in lines[-1]


@pytest.mark.parametrize(
    ("values", "bounds", "points"),
    [
        ([0.0], (0.0, 1.0), 400),
        ([0.0, 0.5, 0.7], (0.0, 0.9), 4),
        ([0.0, 0.5, 0.9, 0.8], (0.0, 1.0), 12),  # it turned
        ([0.0, 0.0, 0.0], (0.0, 1.0), 400),
        ([3.0, 2.0], (float("-inf"), 4.0), 400),
        ([0.0, 1e-9], (0.0, 1.0), 400),
    ],
)
def test_how_many_points_are_expected(values, bounds, points):
    assert expected(values, bounds, 400) == points


def test_blocks_of_different_units_do_not_disturb_each_other():
    """The same curve with one unknown in units of 1e-16: the same points, the same folds."""

    def residual(x, lam=0.0, unit=1.0):
        u, v = x[:1], x[1:] / unit
        return np.concatenate([u**3 - 3.0 * u + 3.0 - 6.0 * lam, (v - np.exp(0.1 * u)) * unit])

    branches = [
        Problem(residual, blocks={"u": [0], "v": [1]})
        .at(unit=unit)
        .continuation([-2.1, 0.8 * unit], "lam", (0.0, 1.0))
        for unit in (1.0, 1e16)
    ]
    for branch in branches:
        found = [fold.parameter for fold in branch.folds]
        assert np.allclose(found, [5 / 6, 1 / 6], atol=1e-9)
    assert abs(len(branches[0]) - len(branches[1])) <= 3


def test_an_exception_of_the_residual_leaves_the_checkpoint(tmp_path):
    calls, path = [], tmp_path / "run.npz"

    def residual(x, lam=0.0):
        calls.append(1)
        if len(calls) == 60:
            raise KeyError("a table ended")
        return s_curve(x, lam)

    problem = Problem(residual)
    with pytest.raises(KeyError):
        problem.continuation([-2.1], "lam", (0.0, 1.0), checkpoint=path)
    whole = problem.continuation([-2.1], "lam", (0.0, 1.0), checkpoint=path, resume=True)
    assert whole.success
    assert len(whole.folds) == 2


@pytest.mark.parametrize("method", [None, Arclength(max_step=0.001)])
def test_the_longest_step_limits_the_first_one_too(method):
    longest = {} if method else {"max_step": 0.001}
    branch = (
        Problem(lambda u, lam: u**2 + lam - 2.0)
        .at(lam=0.0)
        .continuation([1.4], "lam", (0.0, 1.0), steps=method, max_points=20, **longest)
    )
    assert branch["lam"][1] <= 0.001 * (1 + 1e-9)
    assert np.diff(branch["lam"]).max() <= 0.0015
    given = (
        Problem(lambda u, lam: u**2 + lam - 2.0)
        .at(lam=0.0)
        .continuation([1.4], "lam", (0.0, 1.0), step=0.5, max_step=0.01, max_points=20)
    )
    assert np.diff(given["lam"]).max() <= 0.015


@pytest.mark.parametrize(
    ("residual", "start", "bounds", "longest"),
    [
        (lambda u, lam: u**2 + lam - 2.0, [1.4], (0.0, 1.0), 1e-3),
        (lambda u, lam: u**2 + lam - 2.0, [1.4], (-1.0, 0.0), 1e-3),
        (
            lambda u, lam: np.stack([u[0] - 1e6 * lam, u[1] ** 3 + u[0]]),
            [0.0, 0.0],
            (0.0, 1.0),
            2e-3,
        ),
        (lambda u, lam: np.expm1(u) - lam, [0.0], (0.0, 1e-6), 1e-8),
        (lambda u, lam: u - np.sin(1e-3 * lam), [0.0], (0.0, 1e4), 5.0),
    ],
)
def test_no_step_changes_the_parameter_by_more_than_the_longest(residual, start, bounds, longest):
    """Whatever the sizes of unknowns and parameter, the first step included."""
    problem = Problem(residual).at(lam=0.0)
    branch = problem.continuation(start, "lam", bounds, max_step=longest, max_points=15)
    changes = np.abs(np.diff(branch["lam"]))
    assert changes.max() <= 1.5 * longest
    assert len(changes) >= 5


@pytest.mark.parametrize("step", [None, *slow(0.1, 0.5)])
def test_a_branch_from_zero_whose_tangent_tells_no_unit_of_x(step):
    """The pull-in of a plate over a gap, in meters and volts: x is even in V, x = 0 at V = 0.

    Closed form: the fold is at x = gap / 3.
    """
    stiffness, gap, capacity = 1.0, 2e-6, 8.854e-20  # N/m, m, F m

    def force(x, V):
        return stiffness * x - capacity * V**2 / (2.0 * (gap - x) ** 2)

    problem = Problem(force, params={"V": 0.0})
    options = {} if step is None else {"step": step}
    branch = problem.continuation([0.0], "V", (0.0, 100.0), max_points=20, **options)
    (fold,) = branch.special_points
    assert fold.kind == "fold"
    assert fold.parameter == pytest.approx(np.sqrt(8 * stiffness * gap**3 / 27 / capacity), 1e-9)
    assert fold.x == pytest.approx(gap / 3, rel=1e-6)


@pytest.mark.parametrize("meter", [1.0, 1e12, *slow(1e6)])
@pytest.mark.parametrize("kelvin", [1e-6, *slow(1.0, 1e6)])
def test_blocks_that_are_zero_at_the_start_get_their_sizes_from_the_first_step(meter, kelvin):
    """The same plate, which the current heats, in other units of length and temperature."""
    stiffness, gap, capacity = 1.0, 2e-6, 8.854e-20

    def equations(x, T, V):
        x, T = x / meter, T / kelvin
        return {"x": stiffness * x - capacity * V**2 / (2.0 * (gap - x) ** 2), "T": T - 0.01 * V**2}

    problem = Problem(equations, params={"V": 0.0}, blocks={"x": 1, "T": 1}, fields=True)
    branch = problem.continuation([0.0, 0.0], "V", (0.0, 100.0), stop="fold")
    (fold,) = branch.special_points
    assert fold.kind == "fold"
    assert fold.parameter == pytest.approx(np.sqrt(8 * stiffness * gap**3 / 27 / capacity), 1e-9)
    assert fold.x[0] == pytest.approx(meter * gap / 3, rel=1e-6)


def test_a_residual_that_turns_complex_along_a_homotopy_is_refused():
    """Newton's method steps across the place; the error is that of the curve."""

    def f(x):
        return x - 2.0 + (0.5j * x if 1.3 < ad.value(x)[0] < 1.7 else 0.0)

    with pytest.raises(DataTypeError):
        Problem(f).solve([1.0], Homotopy())
