"""Branches of periodic orbits: special points, switching, ends, and resumption."""

import numpy as np
import pytest

from sgsolve import (
    ApproximateSpecialPoint,
    Branch,
    InputError,
    PartialBranchWarning,
    Problem,
    Status,
)
from tests.periodic import shooting
from tests.periodic.oscillators import bent, circle, feedback, one, tube, two_cycles, van_der_pol
from tests.periodic.shooting import special_cycle
from tests.selection import slow


@pytest.fixture(scope="module")
def doubling():
    problem = Problem(feedback, params={"a": 1.3}, storage=one)
    steady = problem.continuation([0.0, 0.0, 0.0], "a", (0.3, 1.3), step=-0.05, stability=True)
    orbits = problem.orbit_continuation(steady, bounds=(0.5, 1.1), step=-0.01, max_step=0.05)
    return problem, steady, orbits


def test_a_branch_does_not_depend_on_the_unit_of_time():
    """Neither do its steps behind a change of the mesh: states and period keep their weights."""
    rows = []
    for unit in (1.0, 1.0 / 1024.0):
        problem = Problem(feedback, params={"a": 1.3}, storage=lambda x, k=unit: k * x)
        steady = problem.continuation([0.0, 0.0, 0.0], "a", (0.5, 1.3), step=-0.05, stability=True)
        rows.append(problem.orbit_continuation(steady, bounds=(0.8, 1.1))["a"])
    assert rows[0] == pytest.approx(rows[1], rel=1e-8)


def test_a_period_doubling(doubling):
    problem, _, orbits = doubling
    (point,) = orbits.special_points
    assert point.kind == "period doubling"
    assert point.parameter == pytest.approx(0.63030200616, abs=2e-11)
    orbit = orbits.orbit(point)
    again = problem.periodic_orbit(orbits, point)
    assert again.multipliers.real.min() == pytest.approx(-1.0, abs=1e-7)
    with pytest.raises(InputError, match=r"branch.orbit\(i\)"):
        problem.periodic_orbit(orbits)
    assert orbit.period == pytest.approx(6.36407133944, abs=2e-10)
    assert set(orbits["unstable"]) == {0, 1}
    assert orbits["accuracy"].max() < 1e-9


def test_the_third_multiplier_at_the_doubling(doubling):
    problem, _, orbits = doubling
    (point,) = orbits.special_points
    orbit = problem.at(a=point.parameter).periodic_orbit(orbits.orbit(point))
    found = np.sort(orbit.multipliers.real)
    assert found == pytest.approx([-1.0, -0.01811007, 1.0], abs=2e-8)


def test_the_doubled_orbit_and_its_doubling(doubling):
    problem, _, orbits = doubling
    twice = problem.orbit_continuation(
        orbits, bounds=(0.55, 1.1), max_step=0.02, stop="period doubling"
    )
    assert twice["period"][0] == pytest.approx(2.0 * 6.364, rel=1e-3)
    assert twice["unstable"][0] == 0
    # next of the cascade; the ratio of distances goes to Feigenbaum's 4.669
    assert twice.special_points[-1].parameter == pytest.approx(0.5796298, abs=1e-6)


@pytest.mark.slow
def test_both_doublings_by_shooting(doubling):
    problem, _, orbits = doubling
    twice = problem.orbit_continuation(
        orbits, bounds=(0.55, 1.1), max_step=0.02, stop="period doubling"
    )

    def flow(x, a):
        return [-f for f in feedback(x, a)]

    for branch in (orbits, twice):
        point = branch.special_points[-1]
        orbit = branch.orbit(point)
        T, a = special_cycle(
            flow, orbit.states[0], orbit.period, point.parameter, shooting.doubling
        )
        assert point.parameter == pytest.approx(a, abs=1e-8)
        assert orbit.period == pytest.approx(T, abs=1e-7)


def test_a_fold_of_cycles_behind_a_change_of_coordinates():
    F = bent(two_cycles)
    problem = Problem(lambda z, lam: F(z, lam=lam), params={"lam": -0.1}, storage=one)
    steady = problem.continuation([0.0, 0.0], "lam", (-0.1, 0.3), stability=True)
    orbits = problem.orbit_continuation(steady, bounds=(-0.1, 0.3))
    (fold,) = orbits.folds
    assert fold.parameter == pytest.approx(0.25, abs=1e-11)
    assert orbits["period"] == pytest.approx(2.0 * np.pi, rel=1e-10)
    assert orbits.message.endswith("reached")
    assert set(orbits["unstable"]) == {0, 1}


def test_multipliers_of_both_cycles():
    F = bent(two_cycles)
    problem = Problem(lambda z, lam: F(z, lam=lam), params={"lam": 0.2}, storage=one)
    for sign, expected in ((-1.0, 0.211551073), (1.0, 58.3560451)):
        q = 0.5 * (1.0 + sign * np.sqrt(0.2))
        t = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
        x, y = np.sqrt(q) * np.cos(t), np.sqrt(q) * np.sin(t)
        guess = np.column_stack([x + 0.3 * y**2, y])
        orbit = problem.periodic_orbit(guess, period=6.3, tolerance=1e-10)
        other = np.delete(orbit.multipliers, orbit.trivial)[0]
        assert other == pytest.approx(np.exp(4.0 * np.pi * q * (2.0 * q - 1.0)), rel=1e-9)
        assert other == pytest.approx(expected, rel=1e-8)


def test_a_torus_bifurcation():
    problem = Problem(tube, params={"lam": -0.3}, storage=one)
    start = problem.periodic_orbit(circle(), period=3.0)
    orbits = problem.orbit_continuation(start, "lam", (-0.3, 0.3))
    (point,) = orbits.special_points
    assert point.kind == "torus"
    assert point.parameter == pytest.approx(0.0, abs=1e-11)
    # mu^2 + 2 = 0 at lam = 0: the multipliers are exp(i pi sqrt 2)
    angle = np.angle(np.exp(1j * np.pi * np.sqrt(2.0)))
    assert abs(point.coefficients["angle"]) == pytest.approx(abs(angle), abs=1e-9)
    assert orbits["unstable"][0] == 0
    assert orbits["unstable"][-1] == 2
    # the diagram has the marker of this kind, and the stability changes there, not between rows
    plt = pytest.importorskip("matplotlib.pyplot")
    stable, unstable, marked = orbits.plot("period").lines
    assert stable.get_xdata()[-1] == unstable.get_xdata()[0] == point.parameter
    assert marked.get_marker() == "v"
    plt.close("all")


def test_a_branch_point_of_cycles_and_the_branch_that_crosses():
    """A circle in the plane z = 0, from which z = +- sqrt(p) branch off at p = 0."""

    def residual(x, p):
        X, Y, z = x
        growth = 1.0 - X**2 - Y**2
        return [-(growth * X - 2.0 * Y), -(growth * Y + 2.0 * X), -z * (p - z**2)]

    problem = Problem(residual, params={"p": -0.5}, storage=one)
    start = problem.periodic_orbit(circle(), period=3.0, intervals=20)
    orbits = problem.orbit_continuation(start, "p", (-0.5, 0.5))
    (point,) = orbits.branch_points
    assert point.parameter == pytest.approx(0.0, abs=1e-9)
    other = problem.orbit_continuation(orbits, bounds=(-0.5, 0.5), special_point=point)
    p, z = float(other["p"][-1]), other.orbit(-1).states[:, 2]
    assert p == pytest.approx(0.5, abs=1e-12)
    assert np.abs(z) == pytest.approx(np.sqrt(0.5), abs=1e-9)
    assert other["unstable"][-1] == 0


def test_a_branch_ends_where_the_orbit_shrinks_to_a_steady_state():
    def residual(x, mu):
        growth = mu * (1.0 - mu) - x[0] ** 2 - x[1] ** 2
        return [x[1] - growth * x[0], -x[0] - growth * x[1]]

    problem = Problem(residual, params={"mu": -0.5}, storage=one)
    steady = problem.continuation([0.0, 0.0], "mu", (-0.5, 1.5), stability=True)
    assert len(steady.hopf_points) == 2
    orbits = problem.orbit_continuation(steady, bounds=(-0.5, 1.5))
    assert "the branch ends at a Hopf point" in orbits.message
    assert orbits["mu"][-1] == pytest.approx(1.0, abs=1e-4)
    assert orbits.status is Status.CONVERGED
    assert orbits["amplitude"].max() == pytest.approx(1.0, abs=0.02)


def test_long_periods_end_with_the_reason():
    """An oscillator in the double well x'' = x - x^3 + ...: its orbit ends in a homoclinic loop."""

    def residual(x, p):
        energy = 0.5 * x[1] ** 2 - 0.5 * x[0] ** 2 + 0.25 * x[0] ** 4
        return [-x[1], -(x[0] - x[0] ** 3 - 2.0 * (energy - p) * x[1])]

    # orbits on the levels of energy p within one well, from -1/4 to 0
    problem = Problem(residual, params={"p": -0.2}, storage=one)
    t = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    guess = np.column_stack([1.0 + 0.25 * np.cos(t), -0.33 * np.sin(t)])
    start = problem.periodic_orbit(guess, period=4.6)
    orbits = problem.orbit_continuation(start, "p", (-0.24, 0.1), max_period=16.0)
    assert "approaches a homoclinic orbit" in orbits.message
    assert 16.0 < orbits["period"][-1] < 32.0
    assert orbits["p"][-1] == pytest.approx(0.0, abs=1e-3)


def test_outputs_events_and_columns_get_orbits():
    problem = van_der_pol(0.5)
    run = problem.transient([2.0, 0.0], (0.0, 80.0), rtol=1e-5)
    start = problem.periodic_orbit(run, intervals=30)
    orbits = problem.orbit_continuation(
        start,
        "mu",
        (0.5, 1.5),
        outputs={"top": lambda orbit: orbit.states[:, 0].max()},
        events={"seven": lambda orbit, mu: orbit.period - 7.0 + 0.0 * mu},
        stop="seven",
    )
    assert orbits["period"][-1] == pytest.approx(7.0, abs=1e-9)
    assert orbits["top"] == pytest.approx(2.0, abs=0.02)
    assert orbits.orbit(-1).period == orbits["period"][-1]
    assert orbits.orbit(-1).params["mu"] == orbits["mu"][-1]


def test_an_interrupted_branch_goes_on_and_gives_the_same(tmp_path, doubling):
    problem, steady, whole = doubling
    options = {"bounds": (0.5, 1.1), "step": -0.01, "max_step": 0.05}
    options |= {"checkpoint": tmp_path / "orbits.npz", "resume": True}
    part = problem.orbit_continuation(steady, max_points=5, **options)
    assert len(part) == 5
    on = problem.orbit_continuation(steady, **options)
    for column in ("a", "period", "amplitude"):
        assert on[column] == pytest.approx(whole[column], rel=1e-12)
    assert str(on.special_points) == str(whole.special_points)


def test_a_branch_of_orbits_is_saved_and_loaded(tmp_path, doubling):
    _, _, orbits = doubling
    orbits.save(tmp_path / "branch.npz")
    again = Branch.load(tmp_path / "branch.npz")
    assert again.kind == "orbits"
    assert again.orbit(3).states.tolist() == orbits.orbit(3).states.tolist()
    assert again.orbit(again.special_points[0]).period == pytest.approx(6.36407133944)
    with pytest.raises(InputError, match="are orbits"):
        again.field("x")


def test_bad_input(doubling):
    problem, steady, orbits = doubling
    start = orbits.orbit(2)
    cases = [
        ({"start": start}, "say which parameter changes"),
        ({"start": start, "parameter": "b"}, "no parameter 'b'"),
        ({"start": [1.0], "parameter": "a"}, "start must be a PeriodicOrbit"),
        ({"start": steady, "parameter": "b"}, "start from the orbit"),
        ({"start": steady, "special_point": 7}, "there is no number 7"),
        ({"start": orbits, "special_point": 3}, "there is no number 3"),
        ({"start": start, "parameter": "a", "bounds": (2.0, 3.0)}, "outside the bounds"),
        ({"start": start, "parameter": "a", "max_period": 1.0}, "below the period at the start"),
        ({"start": start, "parameter": "a", "detect": "hopf"}, "detect names 'hopf'"),
        ({"start": start, "parameter": "a", "steps": 3}, "steps must be an Arclength"),
    ]
    for arguments, words in cases:
        with pytest.raises(InputError, match=words):
            problem.orbit_continuation(**arguments)
    with pytest.raises(InputError, match="steady states"):
        steady.orbit(0)
    with pytest.raises(InputError, match="consists of orbits; start from branch"):
        problem.periodic_orbit(orbits)
    point = orbits.special_points[0]
    approximate = ApproximateSpecialPoint(point.kind, point.parameter, point.x, point.vector)
    with pytest.raises(InputError, match="no other branch of orbits is known"):
        problem.orbit_continuation(orbits, special_point=approximate)
    hopf = steady.hopf_points[0]
    approximate = ApproximateSpecialPoint("hopf", hopf.parameter, hopf.x, hopf.vector)
    with pytest.raises(InputError, match="did not converge"):
        problem.periodic_orbit(steady, approximate)


def test_a_run_that_reaches_its_limit_of_points_warns(doubling):
    problem, steady, _ = doubling
    with pytest.warns(PartialBranchWarning, match="time limit"):
        problem.orbit_continuation(steady, bounds=(0.5, 1.1), time_limit=1e-9)


@pytest.mark.slow
def test_intervals_are_taken_back_where_fewer_will_do():
    """FitzHugh-Nagumo: spikes between two Hopf points, and small waves beside both."""

    def neuron(x, I):
        v, w = x
        return [-(v - v**3 / 3.0 - w + I), -0.08 * (v + 0.7 - 0.8 * w)]

    problem = Problem(neuron, params={"I": 0.2}, storage=one)
    steady = problem.continuation([-1.1, -0.5], "I", (0.2, 1.6), stability=True)
    cycles = problem.orbit_continuation(steady, "I", (0.2, 1.6), intervals=8)
    counts = [len(cycles.orbit(i).mesh) - 1 for i in range(len(cycles))]
    assert counts[0] == 8
    assert max(counts) == 32
    assert counts[-1] <= 16
    assert [point.kind for point in cycles.special_points] == ["fold", "fold"]
    assert cycles["I"][-1] == pytest.approx(1.418718662545254, abs=1e-6)
    assert cycles["accuracy"].max() < 1e-3


@pytest.mark.parametrize("unit", slow(1e-15, 1e-6, 1e8, 1e16))
def test_the_unit_of_the_parameter_has_no_influence(unit):
    """A feedback loop: the Hopf point, the orbits, their doubling, and that of the doubled ones."""

    def residual(x, a):
        return [-x[1], -x[2], a / unit * x[2] + x[1] + x[0] - x[0] ** 2]

    problem, bounds = Problem(residual, params={"a": 1.3 * unit}, storage=one), (0.55, 1.1)
    bounds = tuple(unit * bound for bound in bounds)
    steady = problem.continuation(
        [0.0, 0.0, 0.0], "a", (0.5 * unit, 1.3 * unit), step=-0.05 * unit, stability=True
    )
    cycles = problem.orbit_continuation(steady, bounds=bounds, intervals=30)
    doubled = problem.orbit_continuation(cycles, bounds=bounds, stop="period doubling")
    places = [branch.special_points[-1].parameter / unit for branch in (cycles, doubled)]
    assert places == pytest.approx([0.63030200616, 0.5796298409], abs=1e-8)


def test_a_predator_and_its_prey():
    """K = 4: by shooting and by collocation of another degree."""

    def residual(x, K):
        eaten = x[0] * x[1] / (1.0 + x[0])
        return [-(x[0] * (1.0 - x[0] / K) - eaten), -(eaten - 0.5 * x[1])]

    problem = Problem(residual, params={"K": 2.0}, storage=one)
    steady = problem.continuation([1.0, 1.0], "K", (2.0, 4.0), stability=True)
    last = problem.orbit_continuation(steady).orbit(-1)
    assert last.params["K"] == 4.0
    orbit = problem.at(K=4.0).periodic_orbit(last, tolerance=1e-10)
    assert orbit.period == pytest.approx(18.43629396, abs=1e-8)
    assert np.log(np.abs(orbit.multipliers).min()) == pytest.approx(-2.442808244, abs=1e-8)
