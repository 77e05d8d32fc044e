"""A declared null space: systems whose solutions are determined up to a constant, or a total."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import (
    ConvergenceError,
    InputError,
    ParameterError,
    PartialBranchWarning,
    Problem,
    ShapeError,
)
from sgsolve.continuation import Homotopy
from sgsolve.problem.diagnosis.diagnosis import singular_along
from sgsolve.solvers.state.workspace import Workspace
from sgsolve.transient import Bdf, RungeKutta

N = 30


def neumann(n):
    """Minus the second difference with natural boundary conditions: constants are free."""
    d = np.full(n, 2.0)
    d[[0, -1]] = 1.0
    return sp.csr_array(sp.diags_array([-np.ones(n - 1), d, -np.ones(n - 1)], offsets=[-1, 0, 1]))


A = neumann(N)
SOURCE = np.cos(np.pi * (np.arange(N) + 0.5) / N)
ONES = np.ones(N)


def fluxes(u, s):
    """Nonlinear fluxes between neighbors; the sources add up to zero."""
    drop = u[1:] - u[:-1]
    flux = drop + 0.1 * drop**3
    return np.concatenate([-flux[:1], flux[:-1] - flux[1:], flux[-1:]]) - s * SOURCE


def pinned(u, s):
    """The same with the level fixed by hand: the first equation says u[0] = 0."""
    F = fluxes(u, s)
    return np.concatenate([u[:1], F[1:]])


def test_solve_keeps_the_level_of_the_start():
    problem = Problem(fluxes, params={"s": 1.0}, null_space=ONES)
    reference = Problem(pinned, params={"s": 1.0}).solve(np.zeros(N)).x
    for level in (0.0, 5.0):
        result = problem.solve(np.full(N, level))
        assert abs(result.x.mean() - level) < 1e-12
        assert np.allclose(result.x - result.x[0], reference, atol=1e-10)
        assert not result.remark


def test_sweep_and_sensitivity():
    problem = Problem(fluxes, params={"s": 1.0}, null_space=ONES[:, None])
    values = [0.1, 1.0, 10.0, 100.0]
    branch = problem.sweep(np.zeros(N), "s", values)
    reference = Problem(pinned).sweep(np.zeros(N), "s", values)
    assert np.allclose(branch.states - branch.states[:, :1], reference.states, atol=1e-9)
    assert np.abs(branch.states.mean(axis=1)).max() < 1e-12
    x = branch.states[1]
    slope = problem.at(s=1.0).sensitivity(x, "s")
    h = 1e-5
    ends = [problem.at(s=1.0 + sign * h).solve(x).x for sign in (1.0, -1.0)]
    assert np.allclose(slope, (ends[0] - ends[1]) / (2 * h), atol=1e-7)
    assert abs(slope.mean()) < 1e-13


def test_a_null_space_that_is_none_any_more_is_named():
    """A film coefficient that is zero up to s = 0.5 determines the level beyond."""

    def cooled(u, s):
        return fluxes(u, 1.0) + np.where(s > 0.5, s - 0.5, 0.0) * (u - 1.0)

    problem = Problem(cooled, params={"s": 0.0}, null_space=ONES)
    with pytest.warns(PartialBranchWarning, match="declared null_space is none of the Jacobian"):
        branch = problem.sweep(np.zeros(N), "s", [0.0, 0.4, 1.0])
    assert branch["s"][-1] < 0.6
    assert "solve them without null_space=" in branch.message


@pytest.mark.parametrize("stores", [{}, {"storage": lambda u: u}], ids=["mass 1", "storage"])
def test_stability_of_a_sweep_that_finds_the_level_open(stores, tmp_path):
    """As with a declared null space, also after a checkpoint; du/dt = -fluxes decays."""

    def ask(values, **options):
        problem = Problem(
            lambda u, s: fluxes(u, s) if stores else -fluxes(u, s), **stores, **options
        )
        return problem.sweep(np.ones(N), "s", values, stability=True, **asked)

    asked = {}
    assert ask([0.1, 1.0], null_space=ONES).unstable.tolist() == [0, 0]
    assert ask([0.1, 1.0]).unstable.tolist() == [0, 0]
    asked = {"checkpoint": tmp_path / "sweep.npz", "max_points": 1}
    ask([0.1, 1.0])
    asked = {"checkpoint": tmp_path / "sweep.npz", "resume": True}
    assert ask([0.1, 1.0]).unstable.tolist() == [0, 0]


@pytest.mark.parametrize("declared", [True, False])
def test_a_hopf_point_that_a_sweep_meets_beside_an_open_level(declared):
    """r' = p r - r^3 beside the fluxes: the first Lyapunov coefficient is -2, the frequency 1."""

    def residual(y, p):
        u, a, b = y[:N], y[N], y[N + 1]
        r = a * a + b * b
        return np.concatenate([-fluxes(u, p) * (1.0 + a), [p * a - b - a * r, a + p * b - b * r]])

    V = np.append(ONES, [0.0, 0.0])
    problem = Problem(residual, null_space=V if declared else None)
    branch = problem.sweep(np.append(ONES, [0.0, 0.0]), "p", [-0.5, -0.1, 0.3], stability=True)
    assert branch.unstable.tolist() == [0, 0, 2]
    (point,) = branch.hopf_points
    assert abs(point.parameter) < 1e-9
    assert point.frequency == pytest.approx(1.0)
    assert point.coefficients["l1"] == pytest.approx(-2.0)
    assert point.nature == "supercritical"
    assert point.vector.shape == (N + 2,)


def test_a_sweep_finds_the_open_level_itself(tmp_path):
    """Without a declaration it costs no more, and the level stays that of the first point."""
    values = [0.1, 1.0, 10.0, 100.0]
    declared = Problem(fluxes, null_space=ONES).sweep(np.ones(N), "s", values)
    problem, path = Problem(fluxes), tmp_path / "sweep.npz"
    first = problem.at(s=0.1).solve(np.ones(N))
    assert np.allclose(np.abs(first.null_space), N**-0.5, atol=1e-12)
    assert "null_space=result.null_space" in first.remark
    branch = problem.sweep(np.ones(N), "s", values, checkpoint=path, max_points=2)
    branch = problem.sweep(np.ones(N), "s", values, checkpoint=path, resume=True)
    assert "no equation determines the level" in branch.message
    assert branch.stats.nit <= declared.stats.nit + first.nit
    drops = np.diff(branch.states, axis=1)
    assert np.allclose(drops, np.diff(declared.states, axis=1), atol=1e-9)
    assert np.ptp(branch.states.mean(axis=1)) < 1e-12


@pytest.mark.parametrize("named", [True, False])
def test_levels_of_blocks_are_found_without_a_factorization(named):
    """Two potentials that float together: a shift of both, not of one, changes nothing."""

    def residual(u):
        a, b = u[:N], u[N:]
        return np.concatenate([fluxes(a, 1.0) + (a - b) ** 3, fluxes(b, 2.0) - (a - b) ** 3])

    blocks = {"a": slice(0, N), "b": slice(N, 2 * N)} if named else None
    start = np.repeat([3.5, 2.5], N)
    result = Problem(residual, blocks=blocks, backend="superlu").solve(start)
    assert np.allclose(np.abs(result.null_space), (2 * N) ** -0.5, atol=1e-12)
    assert abs(result.x.mean() - 3.0) < 1e-12
    assert result.stats.n_analyze == 1
    names = "'a', 'b'" if named else "'x'"
    assert f"{2 * N} unknowns in {names}." in result.remark


def test_an_open_level_is_found_at_the_first_singular_jacobian():
    """A sweep that starts at a solution needs no step at its first value."""
    problem = Problem(fluxes, backend="superlu")
    start = problem.at(s=0.1).solve(np.full(N, 2.0)).x
    assert abs(start.mean() - 2.0) < 1e-12
    branch = problem.sweep(start, "s", [0.1, 1.0, 10.0])
    declared = Problem(fluxes, backend="superlu", null_space=ONES).sweep(
        start, "s", [0.1, 1.0, 10.0]
    )
    assert np.allclose(branch.states, declared.states, atol=1e-9)
    assert branch.stats.n_analyze <= 4
    assert "no equation determines the level" in branch.message


def test_no_direction_is_open_where_the_jacobian_is_singular_at_the_solution_alone():
    result = Problem(lambda x: np.stack([x[0] ** 2, x[1] - 1.0])).solve([1.0, 0.0])
    assert result.success
    assert result.null_space is None


def test_no_direction_is_looked_for_where_some_are_declared():
    """Of two open levels one is declared: the remark says that the Jacobian is still singular."""

    def residual(u):
        return np.concatenate([fluxes(u[:N], 1.0), fluxes(u[N:], 2.0)])

    one_level = np.repeat([1.0, 0.0], N)
    result = Problem(residual, null_space=one_level).solve(np.zeros(2 * N))
    assert result.remark.startswith("the Jacobian is singular there")
    assert result.null_space is None
    assert Problem(residual).solve(np.zeros(2 * N)).null_space.shape == (2 * N, 2)


def test_a_function_and_two_levels():
    """Two regions without contact: each has a level of its own."""

    def residual(u, s):
        return np.concatenate([fluxes(u[:N], s), fluxes(u[N:], 2.0 * s)])

    def levels(u, s):
        return np.kron(np.eye(2), np.ones((N, 1)))

    branch = Problem(residual, null_space=levels).sweep(np.zeros(2 * N), "s", [1.0, 2.0])
    reference = Problem(pinned).sweep(np.zeros(N), "s", [1.0, 2.0, 4.0]).states
    for part, rows in ((slice(0, N), (0, 1)), (slice(N, 2 * N), (1, 2))):
        u = branch.states[:, part]
        assert np.allclose(u - u[:, :1], reference[list(rows)], atol=1e-9)


def bistable(u, lam):
    """Two equations that are one: y is free."""
    x, y = u[:1], u[1:]
    rate = lam + x - x**3 / 3.0 - 0.0 * y
    return np.concatenate([rate, -rate])


@pytest.mark.parametrize("backend", ["superlu", "dense"])
def test_continuation_folds_and_stability(backend):
    """x follows lam + x - x^3/3 = 0 while y is free: folds at -2/3 and 2/3, one zero eigenvalue."""
    problem = Problem(bistable, null_space=[0.0, 1.0], backend=backend)
    branch = problem.at(lam=-0.6).continuation([-2.0, 3.0], "lam", (-1.0, 1.0), stability=True)
    folds = branch.folds
    assert np.allclose([s.parameter for s in folds], [2.0 / 3.0, -2.0 / 3.0], atol=1e-10)
    assert all(s.x.shape == (2,) and s.vector.shape == (2,) for s in folds)
    assert branch.states.shape == (len(branch), 2)
    assert np.allclose(branch.states[:, 1], 3.0, atol=1e-12)
    x = branch.states[:, 0]
    assert np.abs(branch["lam"] + x - x**3 / 3.0).max() < 1e-9
    assert (branch["unstable"] == (np.abs(x) < 1.0)).all()


def test_continuation_finds_an_open_level_itself():
    def problem(V=None):
        return Problem(buckling, blocks={"u": slice(0, N)}, null_space=V).at(a=0.001)

    declared, found = (
        problem(V).continuation(np.zeros(N), "a", (0.001, 0.05)) for V in (ONES, None)
    )
    assert "no equation determines the level" in found.message
    assert "no equation determines the level" not in declared.message
    points, expected = ([s.parameter for s in b.special_points] for b in (found, declared))
    assert len(points) == 2
    np.testing.assert_allclose(points, expected, rtol=1e-9)
    other = problem().switch_branch(found, 0, (0.001, 0.05))
    assert np.ptp(other.states[-1]) > 0.01
    assert np.abs(other.states.mean(axis=1)).max() < 1e-12


def buckling(u, a):
    """Branch points at the eigenvalues of A, on solutions without a mean."""
    return A @ u - a * (u - u.mean()) + (u - u.mean()) ** 3 - ((u - u.mean()) ** 3).mean()


def test_branch_points_and_switch(tmp_path):
    problem = Problem(buckling, null_space=ONES)
    eigenvalues = np.sort(np.linalg.eigvalsh(A.toarray()))[1:3]
    path = tmp_path / "run.npz"
    branch = problem.at(a=0.001).continuation(np.zeros(N), "a", (0.001, 0.05), checkpoint=path)
    assert np.allclose([s.parameter for s in branch.special_points], eigenvalues, atol=1e-9)
    again = problem.at(a=0.001).continuation(
        np.zeros(N), "a", (0.001, 0.05), checkpoint=path, resume=True
    )
    assert np.array_equal(again["a"], branch["a"])
    arm = problem.switch_branch(branch, 0, (0.001, 0.05))
    assert arm.success
    assert np.abs(arm.x).max() > 0.1
    assert np.abs(problem.at(a=arm["a"][-1]).residual(arm.x)).max() < 1e-9
    assert np.abs(arm.states.mean(axis=1)).max() < 1e-10


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (np.ones(N + 1), ShapeError, r"null_space has shape \(31, 1\) for 30 unknowns"),
        (np.arange(N), InputError, "column 0 is no null vector of the Jacobian at the start"),
        (np.ones((N, 2)), InputError, "dependent"),
        (["a"] * N, InputError, "must hold real numbers"),
        (np.full(N, np.nan), InputError, "not finite"),
    ],
)
def test_what_is_no_null_space_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        Problem(fluxes, null_space=given).at(s=1.0).solve(np.zeros(N))


def along(problem, points, **params):
    """Return the diagnosis at several points."""
    pairs = [problem._definition.system(x, {**params, "s": s}) for s, x in points]
    for system, x in pairs:
        system.prepare(x)
    return singular_along(pairs, Workspace())


def test_the_cause_is_named_where_nothing_is_declared():
    points = [(s, Problem(pinned).at(s=s).solve(np.zeros(N)).x) for s in (1.0, 2.0)]
    text = along(Problem(fluxes), points)
    assert "singular at the solutions found" in text
    assert "suspicious unknowns: x[" in text
    assert not along(Problem(pinned), points)
    fold = Problem(lambda x, s: x**2 - s)
    assert not along(fold, [(1.0, np.ones(1)), (0.0, np.zeros(1))])


@pytest.mark.parametrize("kind", ["newton", "fixed point"])
def test_homotopies_meet_a_null_space(kind):
    problem = Problem(fluxes, params={"s": 1.0}, null_space=ONES)
    result = problem.solve(np.full(N, 5.0), Homotopy(kind=kind))
    assert np.abs(problem.residual(result.x)).max() < 1e-10
    unbalanced = Problem(lambda u: fluxes(u, 1.0) + 0.01, null_space=ONES)
    with pytest.raises(ConvergenceError):
        unbalanced.solve(np.zeros(N), Homotopy(kind=kind, max_points=10))


def test_continuation_without_the_declaration_names_it():
    with pytest.raises(ConvergenceError, match=r"not determined .*declare Problem\(null_space="):
        Problem(graded, params={"s": 1.0}).continuation(np.zeros(N), "s", (0.5, 3.0))


def graded(u, s):
    """Unknowns with units of their own: the null vector is not constant."""
    return fluxes(u * np.linspace(1.0, 2.0, N), s)


class TestUnbalancedSources:
    """Equations whose total cannot be zero have no solution; one evaluation shows it."""

    @staticmethod
    def unbalanced(u, s):
        return fluxes(u, s) - 0.01

    def test_solve_names_the_cause_at_once(self):
        problem = Problem(self.unbalanced, params={"s": 1.0}, null_space=ONES)
        with pytest.raises(ConvergenceError, match="contradict each other") as caught:
            problem.solve(np.zeros(N))
        assert f"{-0.01 * N:.2e}" in str(caught.value)
        assert caught.value.result.nit == 0
        assert caught.value.result.stats.nfev + caught.value.result.stats.njev < 6

    @pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
    def test_a_rounding_error_of_the_total_is_no_contradiction(self, scale):
        residual = lambda u: scale * (fluxes(u, 1.0) + 1e-15)  # noqa: E731
        assert Problem(residual, null_space=ONES).solve(np.full(N, 3.0)).success

    def test_sweep_names_the_cause(self):
        def residual(u, s, total=0.0):
            return fluxes(u, s) - total

        problem = Problem(residual, params={"s": 1.0, "total": 0.0}, null_space=ONES)
        with pytest.warns(PartialBranchWarning, match="contradict each other"):
            branch = problem.sweep(np.zeros(N), "total", [0.0, 0.01])
        assert len(branch["total"]) == 1

    def test_a_start_with_a_total_that_the_solution_changes_is_solved(self):
        # the null vector is constant, the left one is not: u^T F changes with u
        def residual(u):
            weights = 1.0 + 0.1 * np.arange(N)
            return weights * fluxes(u, 1.0) * (1.0 + 0.1 * (u - u.mean()) ** 2)

        assert Problem(residual, null_space=ONES).solve(SOURCE).success


def charged(x, amount, t):
    """Ions that diffuse in a closed rod, and the potential of their charge: its level is open."""
    c, phi = x[:N], x[N:]
    charge = c - c.mean() + amount * np.sin(3.0 * t) * SOURCE
    return np.concatenate([0.02 * fluxes(c, 0.0), fluxes(phi, 0.0) - charge])


def charged_pinned(x, amount, t):
    F = charged(x, amount, t)
    return np.concatenate([F[:N], x[N : N + 1], F[N + 1 :]])


def stored(x):
    return np.concatenate([x[:N], 0.0 * x[N:]])


IONS_AND_LEVEL = np.zeros((2 * N, 2))
IONS_AND_LEVEL[:N, 0] = 1.0  # what the storage determines
IONS_AND_LEVEL[N:, 1] = 1.0
PARAMS = {"amount": 1.0, "t": 0.0}


@pytest.mark.parametrize("steps", [Bdf(), RungeKutta()])
def test_a_level_that_no_charge_determines_stays_in_time(steps):
    x0 = np.concatenate([1.0 + SOURCE, np.full(N, 5.0)])
    problem = Problem(charged, params=PARAMS, storage=stored, null_space=IONS_AND_LEVEL)
    options = {"steps": steps, "rtol": 1e-6, "atol": 1e-9}
    branch = problem.transient(x0, (0.0, 1.0), **options)
    pinned = Problem(charged_pinned, params=PARAMS, storage=stored)
    reference = pinned.transient(x0, (0.0, 1.0), **options)
    c, phi = branch.x[:N], branch.x[N:]
    assert np.allclose(c, reference.x[:N], atol=1e-7)
    assert np.allclose(phi - phi[0], reference.x[N:], atol=1e-6)
    assert np.allclose(branch.states[:, :N].sum(axis=1), N, rtol=1e-12)
    assert np.allclose(branch.states[:, N:].mean(axis=1), 5.0, rtol=1e-12)
    assert branch.stats.n_analyze == 1
    solved = problem.at(t=0.0).solve(x0)
    again = problem.transient(x0, (0.0, 1.0), **options)
    assert solved.success
    assert again.stats.n_analyze == 0


def test_a_wrong_null_space_is_refused_in_time():
    problem = Problem(charged, params=PARAMS, storage=stored, null_space=np.arange(2.0 * N))
    with pytest.raises(InputError, match="column 0 is no null vector of the Jacobian"):
        problem.transient(np.ones(2 * N), (0.0, 1.0))


def test_small_signals_keep_the_level():
    problem = Problem(charged, params=PARAMS, storage=stored, null_space=IONS_AND_LEVEL[:, 1])
    pinned = Problem(charged_pinned, params=PARAMS, storage=stored)
    x = np.concatenate([np.ones(N), np.zeros(N)])
    found = problem.at(t=0.5).small_signal(x, "amount", [0.01, 1.0]).states
    reference = pinned.at(t=0.5).small_signal(x, "amount", [0.01, 1.0]).states
    assert np.abs(reference).max() > 0.1
    assert np.allclose(found[:, :N], reference[:, :N], atol=1e-12)
    assert np.allclose(found[:, N:] - found[:, N : N + 1], reference[:, N:], atol=1e-12)


def test_periodic_orbits_refuse_a_null_space():
    problem = Problem(charged, params=PARAMS, storage=stored, null_space=IONS_AND_LEVEL)
    with pytest.raises(InputError, match="periodic_orbit takes no problem with null_space="):
        problem.periodic_orbit(np.ones((5, 2 * N)), period=1.0)


@pytest.mark.parametrize(
    "level",
    [lambda x: np.ones(N), lambda x, t: np.full(N, 1.0 + t), lambda x, **every: np.ones(N)],
    ids=["of x", "of one parameter", "of all"],
)
def test_a_null_space_function_takes_the_parameters_that_it_names(level):
    def insulated(u, amount, t, width=1.0):
        flux = np.concatenate([[0.0], u[1:] - u[:-1], [0.0]]) / width
        return flux[1:] - flux[:-1] + amount * np.linspace(-1.0, 1.0, N)

    settings = {"params": {"amount": 1.0, "t": 0.0}, "null_space": level}
    x = Problem(insulated, **settings).solve(np.full(N, 3.0)).x
    assert x.mean() == pytest.approx(3.0, rel=1e-12)
    steady = Problem(insulated, storage=lambda u: 0.0 * u, **settings)
    assert steady.transient(x, (0.0, 1.0)).x.mean() == pytest.approx(3.0, rel=1e-9)


def test_a_null_space_function_of_an_unknown_parameter_is_refused():
    problem = Problem(lambda u: u - u.mean(), null_space=lambda u, width: np.ones(3))
    with pytest.raises(ParameterError, match="'width', which is no parameter"):
        problem.solve(np.ones(3))
