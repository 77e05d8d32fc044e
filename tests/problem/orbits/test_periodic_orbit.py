"""Single periodic orbits: periods and multipliers of oscillators from the literature."""

import numpy as np
import pytest

from sgsolve import ConvergenceError, InputError, PeriodicOrbit, Problem
from sgsolve.bifurcation import Stability
from tests.periodic.oscillators import (
    VDP_LOG,
    VDP_PERIOD,
    circle,
    fitzhugh,
    one,
    tube,
    van_der_pol,
    vdp,
)
from tests.selection import slow


@pytest.fixture(scope="module")
def course():
    return van_der_pol().transient([2.0, 0.0], (0.0, 60.0), rtol=1e-6)


def test_van_der_pol(course):
    orbit = van_der_pol().periodic_orbit(course, tolerance=1e-9)
    assert orbit.period == pytest.approx(VDP_PERIOD, rel=1e-10)
    assert orbit.accuracy < 1e-8
    assert np.log(orbit.multipliers[1]) == pytest.approx(VDP_LOG, abs=1e-7)
    assert orbit.stable
    assert orbit.states[0].tolist() == orbit.states[-1].tolist()
    # the highest point of x is where y vanishes: 2.01989...
    assert orbit(orbit.fine_times(40))[:, 0].max() == pytest.approx(2.0198914, abs=1e-5)


@pytest.mark.parametrize(("degree", "order"), [(4, 8), *slow((3, 6))])
def test_the_period_converges_with_twice_the_degree(degree, order):
    """The mesh points superconverge: the period has twice the order of the polynomials."""
    problem = van_der_pol(1.0)
    run = problem.transient([2.0, 0.0], (0.0, 40.0), rtol=1e-6)
    exact = problem.periodic_orbit(run, degree=7, intervals=60).period
    errors = [
        abs(problem.periodic_orbit(run, degree=degree, intervals=N).period - exact)
        for N in (12, 24)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=1.2)


def test_a_relaxation_oscillation_on_a_mesh_that_follows_it():
    problem = van_der_pol(100.0)
    run = problem.transient([2.0, 0.0], (0.0, 400.0), rtol=1e-7)
    orbit = problem.periodic_orbit(run)
    assert orbit.period == pytest.approx(162.83707109, rel=1e-8)


def test_fitzhugh_nagumo():
    problem = Problem(fitzhugh, params={"I": 0.5}, storage=one)
    run = problem.transient([0.0, 0.0], (0.0, 400.0), rtol=1e-6)
    assert problem.periodic_orbit(run).period == pytest.approx(39.4744149802, rel=1e-9)


def test_multipliers_of_the_tube():
    problem = Problem(tube, params={"lam": -0.3}, storage=one)
    orbit = problem.periodic_orbit(circle(), period=3.0)
    assert orbit.period == pytest.approx(np.pi, rel=1e-12)
    pair = np.array([-0.18123001 + 0.59734146j, -0.18123001 - 0.59734146j])
    others = np.delete(orbit.multipliers, orbit.trivial)
    assert np.sort_complex(others) == pytest.approx(np.sort_complex(pair), abs=1e-8)


def landau(u, n, L, al=2.0, be=-1.5, r=1.0):
    """Complex Ginzburg-Landau on n cells: real and imaginary parts of -u_t."""
    h = L / n
    a, b = u[:n], u[n:]

    def spread(v):
        full = np.concatenate([v[:1], v, v[-1:]])
        return (full[2:] - 2.0 * v + full[:-2]) / h**2

    A, B, s = spread(a), spread(b), a**2 + b**2
    return np.concatenate(
        [-(A - al * B + r * a - s * (a - be * b)), -(B + al * A + r * b - s * (b + be * a))]
    )


def test_all_multipliers_of_the_ginzburg_landau_equation():
    n, L, al, be, r = 8, 20.0, 2.0, -1.5, 1.0
    problem = Problem(lambda u: landau(u, n, L), storage=one)
    T = 2.0 * np.pi / (abs(be) * r)
    t = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    # u = exp(-i be t) with be < 0 turns anticlockwise
    guess = np.column_stack([np.cos(t)] * n + [np.sin(t)] * n)
    orbit = problem.periodic_orbit(guess, period=T, degree=6, intervals=24)
    assert orbit.period == pytest.approx(T, rel=1e-12)
    k = (2.0 - 2.0 * np.cos(np.arange(n) * np.pi / n)) / (L / n) ** 2
    b, c = k + r, k**2 * (1.0 + al**2) + 2.0 * k * r * (1.0 + al * be)
    root = np.sqrt((b**2 - c).astype(complex))
    exact = np.exp(T * np.concatenate([-b + root, -b - root]))
    exact = exact[np.argsort(-np.abs(exact))]
    assert orbit.multipliers[:3].real == pytest.approx(exact[:3].real, rel=1e-10)
    assert np.abs(orbit.multipliers) == pytest.approx(np.abs(exact), rel=1e-8)


def test_leading_multipliers_of_a_larger_system(monkeypatch):
    """By sparse solves round the orbit: the same as all of them, from dense matrices."""
    n, L = 30, 20.0
    problem = Problem(lambda u: landau(u, n, L), storage=one)
    t = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    guess = np.column_stack([np.cos(t)] * n + [np.sin(t)] * n)
    period = 2.0 * np.pi / 1.5
    every = problem.periodic_orbit(guess, period=period, intervals=16)
    monkeypatch.setattr("sgsolve.periodic.monodromy.DENSE", 10)
    leading = problem.periodic_orbit(guess, period=period, intervals=16)
    assert len(every.multipliers) == 2 * n
    assert len(leading.multipliers) >= 10
    count = len(leading.multipliers)
    assert np.abs(leading.multipliers) == pytest.approx(np.abs(every.multipliers[:count]), rel=1e-8)


def test_fast_modes_of_a_field_do_not_pass_for_leading_multipliers():
    """240 unknowns: Gauss points would hardly damp the modes of the finest grid."""
    n, L, al, be, r = 120, 20.0, 2.0, -1.5, 1.0
    problem = Problem(lambda u: landau(u, n, L), storage=one)
    t = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    guess = np.column_stack([np.cos(t)] * n + [np.sin(t)] * n)
    period = 2.0 * np.pi / abs(be)
    orbit = problem.periodic_orbit(guess, period=period, intervals=20)
    k = (2.0 - 2.0 * np.cos(np.arange(n) * np.pi / n)) / (L / n) ** 2
    b, c = k + r, k**2 * (1.0 + al**2) + 2.0 * k * r * (1.0 + al * be)
    root = np.sqrt((b**2 - c).astype(complex))
    exponents = np.concatenate([-b + root, -b - root])
    exact = np.sort(np.exp(period * exponents.real))[::-1][:10]
    assert orbit.ends
    assert np.abs(orbit.multipliers[:10]) == pytest.approx(exact, rel=1e-6)


class TestFormsOfTheEquations:
    def test_dx_dt_as_a_parameter(self, course):
        def implicit(x, mu, rate):
            F = vdp(x, mu)
            return [rate[0] + F[0], rate[1] + F[1]]

        params = {"mu": 2.0, "rate": np.zeros(2)}
        orbit = Problem(implicit, params=params, storage="rate").periodic_orbit(
            (course["t"], course.states), period=VDP_PERIOD
        )
        assert orbit.period == pytest.approx(VDP_PERIOD, rel=1e-9)
        assert np.log(orbit.multipliers[1]) == pytest.approx(VDP_LOG, abs=1e-5)

    def test_a_nonlinear_storage(self, course):
        """The same oscillator for Q = exp(y): the period is that of x."""

        def residual(y, mu):
            F = vdp(np.stack([np.log(y[0]), y[1]]), mu)
            return [F[0], F[1]]

        problem = Problem(
            residual, params={"mu": 2.0}, storage=lambda y: [np.log(y[0]), 1.0 * y[1]]
        )
        x = course.states
        orbit = problem.periodic_orbit(
            (course["t"], np.column_stack([np.exp(x[:, 0]), x[:, 1]])),
            period=VDP_PERIOD,
            intervals=60,
        )
        assert orbit.period == pytest.approx(VDP_PERIOD, rel=1e-8)

    def test_equations_without_storage_use_radau_points(self, course):
        def residual(x, mu):
            return [-x[1], x[0] - mu * (1.0 - x[2]) * x[1], x[2] - x[0] ** 2]

        problem = Problem(
            residual, params={"mu": 2.0}, storage=lambda x: [1.0 * x[0], 1.0 * x[1], 0.0]
        )
        x = course.states
        np.column_stack([x, x[:, 0] ** 2])
        orbit = problem.periodic_orbit(
            (course["t"], np.column_stack([x, x[:, 0] ** 2])), period=7.63
        )
        assert orbit.ends
        assert orbit.period == pytest.approx(VDP_PERIOD, rel=1e-8)
        assert len(orbit.multipliers) == 2
        assert np.abs(orbit.states[:, 2] - orbit.states[:, 0] ** 2).max() < 1e-10

    def test_code_for_one_state_only(self, course):
        """An if over one state: each state has its own call."""
        A = np.array([[0.0, 1.0], [-1.0, 0.0]])

        def residual(x, mu):
            if x[0] > 1e9:
                return [0.0 * x[0], 0.0 * x[1]]
            growth = mu * (1.0 - x[0] ** 2) * x[1]
            return -(A @ x) - np.stack([0.0 * growth, growth])

        problem = Problem(residual, params={"mu": 2.0}, storage=one)
        orbit = problem.periodic_orbit(course, intervals=30)
        assert orbit.period == pytest.approx(
            van_der_pol().periodic_orbit(course, intervals=30).period, rel=1e-11
        )

    def test_sums_over_all_unknowns_are_not_taken_for_elementwise_code(self, course):
        def residual(x, mu):
            r2 = np.sum(x**2)
            return [-x[1], x[0] - mu * (1.0 - (r2 - x[1] ** 2)) * x[1]]

        problem = Problem(residual, params={"mu": 2.0}, storage=one)
        orbit = problem.periodic_orbit(course, intervals=20)
        assert orbit.period == pytest.approx(VDP_PERIOD, rel=1e-6)

    def test_an_own_jacobian(self, course):
        def jacobian(x, mu):
            return np.array([[0.0, -1.0], [1.0 + 2.0 * mu * x[0] * x[1], -mu * (1.0 - x[0] ** 2)]])

        problem = Problem(vdp, params={"mu": 2.0}, jacobian=jacobian, storage=one)
        orbit = problem.periodic_orbit(course, intervals=40)
        assert orbit.period == pytest.approx(VDP_PERIOD, rel=1e-8)

    def test_fields(self, course):
        def residual(x, y, mu):
            F = vdp([x, y], mu)
            return {"x": F[0], "y": F[1]}

        problem = Problem(
            residual,
            params={"mu": 2.0},
            blocks={"x": (), "y": ()},
            fields=True,
            storage=lambda x, y: {"x": 1.0 * x, "y": 1.0 * y},
        )
        orbit = problem.periodic_orbit((course["t"], course.states), period=7.63, intervals=30)
        assert orbit.field("x").shape == (len(orbit.t),)
        assert orbit.period == pytest.approx(VDP_PERIOD, rel=1e-6)


def test_from_a_hopf_point_and_on_to_other_parameters():
    problem = Problem(fitzhugh, params={"I": 0.2}, storage=one)
    start = problem.solve([-1.0, -0.5])
    branch = problem.continuation(start.x, "I", (0.2, 1.6), stability=True)
    small = problem.periodic_orbit(branch)
    assert small.params["I"] == pytest.approx(0.331281337454746, abs=2e-3)
    assert small.period == pytest.approx(2.0 * np.pi / 0.275506805723561, rel=1e-2)
    assert not small.stable  # subcritical
    grown = problem.at(I=small.params["I"]).periodic_orbit(small, degree=6)
    assert grown.period == pytest.approx(small.period, rel=1e-9)
    assert grown.degree == 6


def test_the_storage_gives_the_signs_of_the_eigenvalues():
    """dx/dt = -F: where F has unstable eigenvalues, the equations in time are stable."""
    problem = Problem(lambda x, p: x * (x**2 - p), params={"p": -1.0}, storage=one)
    branch = problem.continuation([0.0], "p", (-1.0, 1.0), stability=True)
    p = branch["p"]
    assert branch["unstable"][p < 0.0].tolist() == [0] * int((p < 0.0).sum())
    assert set(branch["unstable"][p > 0.0]) == {1}
    same = problem.continuation([0.0], "p", (-1.0, 1.0), stability=Stability(mass=-1.0))
    assert same["unstable"].tolist() == branch["unstable"].tolist()


def test_an_orbit_is_called_at_any_time(course):
    orbit = van_der_pol().periodic_orbit(course, intervals=40)
    t = np.array([[0.1, 3.0], [7.0, 2.0 * orbit.period + 0.1]])
    x = orbit(t)
    assert x.shape == (2, 2, 2)
    assert x[0, 0] == pytest.approx(x[1, 1], abs=1e-12)
    slope = (orbit(3.0 + 1e-5) - orbit(3.0 - 1e-5)) / 2e-5
    assert slope == pytest.approx(-np.array(vdp(orbit(3.0), 2.0)), abs=1e-3)
    again = PeriodicOrbit.unpacked(orbit.packed(), orbit.params)
    assert again(t).tolist() == x.tolist()
    assert "stable" in repr(orbit)


class TestBadInput:
    def test_each_is_refused_in_words(self, course):
        problem = van_der_pol()
        cases = [
            ({"start": course.states[:5], "period": 7.0}, "at least 8 times"),
            ({"start": course.states}, "need period="),
            ({"start": "orbit"}, "start must be a Branch"),
            ({"start": course, "degree": 1}, "degree must be within 2 and 12"),
            ({"start": course, "degree": 4.0}, "degree must be an integer"),
            ({"start": course, "intervals": 2}, "intervals must be at least 4"),
            ({"start": course, "intervals": True}, "intervals must be an integer"),
            ({"start": course, "period": -1.0}, "period must be positive"),
            ({"start": course, "period": "T"}, "period must be a number"),
            ({"start": (["a"] * len(course), course.states)}, "times of a guess must be numbers"),
            ({"start": course, "period": 1e3}, "less than one period"),
            ({"start": course, "tolerance": 0.0}, "tolerance must be within"),
            ({"start": (course["t"][::-1], course.states)}, "finite and increase"),
            ({"start": (course["t"][:-1], course.states)}, "as many times"),
            ({"start": np.full((20, 2), np.nan), "period": 1.0}, "not finite"),
        ]
        for arguments, words in cases:
            with pytest.raises(InputError, match=words):
                problem.periodic_orbit(**arguments)

    def test_a_time_course_that_is_steady_or_does_not_return(self):
        problem = Problem(lambda x: [x[0] - x[1], x[1] + x[0]], storage=one)
        still = problem.transient([0.0, 0.0], (0.0, 9.0), max_step=0.2)
        with pytest.raises(InputError, match="steady state"):
            problem.periodic_orbit(still)
        short = van_der_pol().transient([2.0, 0.0], (0.0, 5.0), rtol=1e-6)
        with pytest.raises(InputError, match="does not come back"):
            van_der_pol().periodic_orbit(short)

    def test_equations_without_storage_or_with_the_time(self, course):
        with pytest.raises(InputError, match="storage=Q"):
            Problem(vdp, params={"mu": 2.0}).periodic_orbit(course)
        guess = course["t"], course.states
        forced = Problem(lambda x, t=0.0: [x[0] - np.sin(t), x[1]], storage=one)
        with pytest.raises(InputError, match="takes the time"):
            forced.periodic_orbit(guess)
        with pytest.raises(InputError, match="depends on no unknown"):
            van_der_pol(storage=lambda x: np.ones(2)).periodic_orbit(guess)
        implicit = Problem(
            lambda x, rate: x + rate,
            params={"rate": np.zeros(2)},
            jacobian=lambda x, rate: np.eye(2),
            storage="rate",
        )
        with pytest.raises(InputError, match="leave jacobian out"):
            implicit.periodic_orbit(guess)

    def test_a_branch_of_another_kind_and_a_short_time_course(self, course):
        problem = van_der_pol()
        short = problem.transient([2.0, 0.0], (0.0, 9.0), max_steps=500, keep_states=50)
        with pytest.raises(InputError, match="needs at least 20"):
            problem.periodic_orbit(short)
        with pytest.raises(InputError, match="start from an orbit"):
            problem.orbit_continuation(course, "mu")

    def test_a_special_point_without_its_branch(self):
        problem = van_der_pol(mu=-1.0)
        steady = problem.continuation([0.0, 0.0], "mu", (-1.0, 1.0), stability=True)
        (hopf,) = steady.hopf_points
        calls = (
            problem.periodic_orbit,
            problem.orbit_continuation,
            lambda point: problem.switch_branch(point, 0),
            lambda point: problem.hopf_curve(point, "mu"),
        )
        for call in calls:
            with pytest.raises(InputError, match="pass its branch as well"):
                call(hopf)
        assert problem.periodic_orbit(steady, hopf).period == pytest.approx(2.0 * np.pi, rel=1e-3)

    def test_a_branch_without_a_hopf_point(self):
        branch = van_der_pol().continuation([0.0, 0.0], "mu", (1.0, 2.0))
        with pytest.raises(InputError, match="no Hopf point"):
            van_der_pol().periodic_orbit(branch)

    def test_a_guess_that_leads_to_a_steady_state(self):
        problem = Problem(lambda x: [x[0] - x[1], x[1] + x[0]], storage=one)
        with pytest.raises(ConvergenceError, match=r"steady state|Newton"):
            problem.periodic_orbit(circle()[:, :2], period=6.0, intervals=20)


def listed(u, mu):
    return [-u[1], u[0] - mu * (1 - u[0] ** 2) * u[1]]


def as_array(u, mu):
    return np.array(listed(u, mu))


def as_objects(u, mu):
    F = np.empty(2, dtype=object)
    F[0], F[1] = listed(u, mu)
    return F


@pytest.mark.parametrize("residual", [as_array, as_objects])
def test_equations_in_an_array_of_objects_are_those_in_a_list(residual):
    """The period of the van der Pol oscillator at mu = 1 is 6.66328685932313 in the literature."""
    problem = Problem(residual, params={"mu": 1.0}, storage=lambda u: np.array([u[0], u[1]]))
    start = Problem(listed, params={"mu": 1.0}, storage=lambda u: u)
    run = start.transient([2.0, 0.0], (0.0, 30.0), rtol=1e-6)
    assert problem.periodic_orbit(run).period == pytest.approx(6.6632868593, abs=1e-8)


def with_functions(u, mu):
    """The same by functions of NumPy: of numbers, of vectors, and of numbers with arrays."""
    x, y = u
    rate = np.where(y > 100.0, 0.0, mu) * (1.0 - np.exp(2.0 * np.log(np.sqrt(x**2))))
    still = np.sin(u - u).sum() + np.maximum(x, y) - np.fmax(y, x)
    return np.array([0.0, 1.0]) * (u[0] - rate * y) - np.array([1.0, 0.0]) * (y + still)


def by_a_matrix(u, mu):
    return np.array([[0.0, -1.0], [1.0, -mu]]) @ u + np.array([0.0, mu * u[0] ** 2 * u[1]])


@pytest.mark.parametrize("residual", [as_array, as_objects, with_functions, by_a_matrix])
def test_vectors_of_numbers_are_evaluated_at_all_states_at_once(residual):
    """As many calls as with a list of equations, and the same orbit."""
    calls, t = [], np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    guess = np.column_stack([2.0 * np.cos(t), -2.0 * np.sin(t)])

    def counted(u, mu):
        calls.append(1)
        return residual(u, mu)

    found = []
    for function in (listed, counted):
        problem = Problem(function, params={"mu": 1.0}, storage=one)
        found.append(problem.periodic_orbit(guess, period=6.6, intervals=20))
    assert len(calls) < 200
    assert found[1].period == pytest.approx(found[0].period, rel=1e-12)
    assert found[1].states == pytest.approx(found[0].states, abs=1e-10)


def test_a_branch_in_the_code_is_no_elementwise_function():
    """At some states y is above 1/2, at others it is not."""

    def residual(u, mu):
        x, y = u
        push = mu * (1.0 - x**2) * y if y > 0.5 else -mu * y * (x**2 - 1.0)
        return np.array([-y, x - push])

    t = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    guess = np.column_stack([2.0 * np.cos(t), -2.0 * np.sin(t)])
    problem = Problem(residual, params={"mu": 1.0}, storage=one)
    orbit = problem.periodic_orbit(guess, period=6.6, intervals=20, degree=6)
    assert orbit.period == pytest.approx(6.6632868593, abs=1e-8)
