"""Branch points found with a sparse factorization, and the branches that leave them."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import brentq

from sgsolve import Branch, ConvergenceError, InputError, Problem
from sgsolve.linear.methods.direct.pardiso import available
from tests.continuation.gallery import elastica, swift_hohenberg
from tests.selection import slow


def pitchfork(u, lam=-1.0):
    return lam * u - u**3


def transcritical(u, lam=-1.0):
    return lam * u - u**2


@pytest.mark.parametrize(("residual", "start"), [(pitchfork, 0.0), (transcritical, 0.0)])
def test_smallest_examples(residual, start):
    branch = Problem(residual).continuation([start], "lam", (-1.0, 1.0))
    (point,) = branch.special_points
    assert point.kind == "branch point"
    assert abs(point.parameter) < 1e-10
    assert abs(point.x[0]) < 1e-10


@pytest.mark.parametrize(
    ("x_unit", "p_unit"),
    [(1.0, 1.0), (1e-6, 1e9), (1e6, 1e-6)]
    + slow((1.0, 1e-6), (1.0, 1e9), (1e-6, 1.0), (1e-6, 1e-6), (1e6, 1.0), (1e6, 1e9)),
)
def test_units_do_not_make_a_pitchfork_a_fold(x_unit, p_unit):
    def arm(x, p):
        u = x / x_unit
        return u * (p / p_unit - u**2)

    start = Problem(arm, params={"p": 0.64 * p_unit})
    branch = start.continuation([0.8 * x_unit], "p", (-0.5 * p_unit, p_unit), step=-0.05 * p_unit)
    (point,) = branch.special_points
    assert point.kind == "branch point"
    assert abs(point.parameter) < 1e-10 * p_unit


@pytest.mark.parametrize("residual", [pitchfork, transcritical])
@pytest.mark.parametrize(
    ("x_unit", "p_unit"),
    [(1e-12, 1.0), (1e6, 1e6), *slow((1e-12, 1e6), (1e-6, 1.0), (1e-6, 1e6), (1e6, 1.0))],
)
def test_the_other_branch_of_a_state_of_zero_in_any_unit(residual, x_unit, p_unit):
    """A branch of zeros has no unit of x; the normal form tells it."""
    problem = Problem(lambda x, p: residual(x / x_unit, p / p_unit), params={"p": -p_unit})
    zeros = problem.continuation([0.0], "p", (-p_unit, p_unit))
    other = problem.switch_branch(zeros, 0)
    assert other.success
    assert len(other) < 60
    np.testing.assert_allclose(abs(other.states[-1, 0]), x_unit, rtol=1e-9)


def test_the_other_branch_where_one_unknown_is_larger_by_1e6():
    problem = Problem(
        lambda x, r: [x[0] * (r - 1.0) - 1e-6 * x[0] * x[1], 1e6 * x[0] ** 2 - x[1]],
        params={"r": 0.5},
    )
    other = problem.switch_branch(problem.continuation([0.0, 0.0], "r", (0.5, 2.0)), 0, (0.5, 1.01))
    assert other.success
    np.testing.assert_allclose(other.states[-1], [0.1, 1e4])


def test_transcritical_met_along_the_other_branch():
    branch = Problem(transcritical).continuation([-1.0], "lam", (-1.0, 1.0))
    (point,) = branch.special_points
    assert abs(point.parameter) < 1e-10
    assert np.allclose(branch.states[:, 0], branch["lam"], atol=1e-9)  # never jumped
    other = Problem(transcritical).switch_branch(branch, bounds=(-1.0, 1.0))
    assert np.abs(other.states).max() < 1e-12


@pytest.mark.parametrize("side", [0.1, -0.1])
def test_both_arms_of_a_pitchfork(side):
    problem = Problem(pitchfork)
    branch = problem.continuation([0.0], "lam", (-1.0, 1.0), stability=True)
    arm = problem.switch_branch(branch, 0, (-1.0, 1.0), step=side, stability=True)
    assert np.allclose(arm.states[:, 0] ** 2, arm["lam"], atol=1e-9)
    assert np.sign(arm.x[0]) == np.sign(arm.states[0, 0])
    assert (arm["unstable"] == 0).all()
    assert branch["unstable"].tolist() == (branch["lam"] > 0).astype(int).tolist()


def test_the_arms_leave_to_opposite_sides():
    problem = Problem(pitchfork)
    branch = problem.continuation([0.0], "lam", (-1.0, 1.0))
    ends = [problem.switch_branch(branch, 0, (-1, 1), step=s).x[0] for s in (0.1, -0.1)]
    assert np.allclose(sorted(ends), [-1.0, 1.0])


def test_elastica_buckles_at_multiples_of_pi():
    n = 99
    branch = Problem(elastica).continuation(np.zeros(n), "lam", (2.0, 13.0))
    points = branch.branch_points
    k = np.arange(1, 5)
    exact = 2 * (n + 1) * np.sin(k * np.pi / (2 * (n + 1)))  # of the difference equations
    assert np.allclose([p.parameter for p in points], exact, atol=1e-10, rtol=0)
    assert np.allclose(exact, k * np.pi, rtol=2e-3)
    x = np.arange(1, n + 1) / (n + 1)
    for mode, point in zip(k, points, strict=True):
        shape = np.sin(mode * np.pi * x)
        assert abs(abs(point.vector @ shape) / np.linalg.norm(shape) - 1.0) < 1e-8


def test_elastica_buckled_shape():
    """Amplitude of the first mode against the pendulum's elliptic integral."""
    from scipy.special import ellipk

    n = 199
    problem = Problem(elastica)
    branch = problem.continuation(np.zeros(n), "lam", (2.0, 4.0))
    arm = problem.switch_branch(branch, 0, (3.0, 4.0), step=0.1)
    assert arm["lam"][-1] == 4.0
    amplitude = np.abs(arm.x).max()
    # between zeros: half a period of the pendulum, lam = 2 K(sin(amplitude / 2))
    assert abs(2.0 * ellipk(np.sin(amplitude / 2) ** 2) - 4.0) < 1e-3


def test_swift_hohenberg_branch_points():
    branch = Problem(swift_hohenberg()).continuation(
        np.zeros(200), "lam", (-0.1, 2.2), max_step=0.05, keep_states="none"
    )
    found = [point.parameter for point in branch.branch_points]
    exact = [0.00729053, 0.15162002, 0.48386311, 0.53083983, 0.8688901, 2.07683002]
    assert len(found) == len(exact)
    assert np.abs(np.array(found) - exact).max() < 1e-8
    # J, and J bordered twice: singular matrices on the way are no reason to analyze again
    assert branch.stats.n_analyze <= 3


def test_pattern_that_leaves_the_uniform_state():
    problem = Problem(swift_hohenberg())
    branch = problem.continuation(np.zeros(200), "lam", (-0.1, 0.3), max_step=0.05)
    arm = problem.switch_branch(branch, 1, (-2.0, 0.5), step=-0.02, max_step=0.1, max_points=80)
    assert arm.folds
    assert np.abs(arm.states).max() > 0.5
    assert branch.stats.n_analyze + arm.stats.n_analyze <= 4


@pytest.mark.parametrize("backend", ["banded", *slow("superlu", "pardiso", "dense")])
def test_branch_points_of_a_badly_conditioned_problem_with_few_analyses(backend):
    if backend == "pardiso" and not available():
        pytest.skip("no PARDISO")
    problem = Problem(swift_hohenberg(), backend=backend)
    branch = problem.continuation(np.zeros(200), "lam", (-0.1, 0.7), max_step=0.05)
    assert len(branch.branch_points) == 4
    arm = problem.switch_branch(branch, 1, (-2.0, 0.5), step=-0.02, max_step=0.03, max_points=60)
    assert arm.stats.n_factor > 100
    assert branch.stats.n_analyze + arm.stats.n_analyze <= 4


def test_the_other_branch_keeps_the_bounds_of_the_known_one(tmp_path):
    problem = Problem(pitchfork)
    known = problem.continuation([0.0], "lam", (-1.0, 2.0))
    known.save(tmp_path / "known.npz")
    known = Branch.load(tmp_path / "known.npz")
    assert known.bounds == (-1.0, 2.0)
    other = problem.switch_branch(known, 0, step=0.1)
    assert other.success
    assert other.parameter[-1] == 2.0
    assert other.bounds == (-1.0, 2.0)
    further = problem.switch_branch(known, 0, (-1.0, 3.0), step=0.1)
    assert further.parameter[-1] == 3.0


def test_switch_explains_what_is_wrong():
    problem = Problem(pitchfork)
    branch = problem.continuation([0.0], "lam", (-1.0, 1.0))
    with pytest.raises(InputError, match="1 branch points; there is no number 3"):
        problem.switch_branch(branch, 3)
    sweep = problem.sweep([0.0], "lam", [-1.0, 1.0])
    with pytest.raises(InputError, match="the branch has no branch point; follow it"):
        problem.switch_branch(sweep)


def test_start_on_a_branch_point_is_explained():
    with pytest.raises(ConvergenceError, match="branch point"):
        Problem(pitchfork).at(lam=0.0).continuation([0.0], "lam", (-1.0, 1.0))


def test_two_branch_points_within_one_step():
    def residual(u, lam=-1.0):
        return np.stack([lam * u[0] - u[0] ** 3, (lam - 0.05) * u[1] - u[1] ** 3])

    branch = Problem(residual).continuation([0.0, 0.0], "lam", (-1.0, 1.0), max_step=0.5)
    found = [point.parameter for point in branch.branch_points]
    assert np.allclose(found, [0.0, 0.05], atol=1e-10)


@pytest.mark.parametrize("backend", ["superlu", *slow("dense", "pardiso")])
def test_double_branch_points_of_a_square(backend):
    """Modes (1, 2) and (2, 1) appear together; the parity of the determinant sees neither."""
    if backend == "pardiso" and not available():
        pytest.skip("no PARDISO")
    n = 12
    line = sp.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(n, n)) * (n + 1.0) ** 2
    laplacian = sp.csr_array(sp.kron(line, sp.eye_array(n)) + sp.kron(sp.eye_array(n), line))
    problem = Problem(lambda u, mu: laplacian @ u + mu * (u - u**3), backend=backend)
    branch = problem.at(mu=10.0).continuation(np.zeros(n * n), "mu", (10.0, 110.0), max_step=3.0)
    one = 4.0 * (n + 1) ** 2 * np.sin(np.arange(1, 4) * np.pi / (2 * (n + 1))) ** 2
    exact = np.array([2.0 * one[0], one[0] + one[1], 2.0 * one[1], one[0] + one[2]])
    found = np.array([point.parameter for point in branch.branch_points])
    assert len(found) == 4
    assert np.abs(found - exact).max() < 1e-8


def test_a_double_branch_point_on_a_curved_branch_is_not_taken_for_a_jump():
    """Bratu on a square with a square hole: two singular values vanish together, after the fold."""
    n = 17
    inside = np.pad(np.ones((n, n), bool), 1)
    inside[6:13, 6:13] = False
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(inside.sum())
    i, j = np.nonzero(inside)
    beside = np.stack([number[i + 1, j], number[i - 1, j], number[i, j + 1], number[i, j - 1]])

    def residual(u, lam=1.0):
        full = np.concatenate([u, [0.0]])
        return (full[beside].sum(axis=0) - 4.0 * u) * (n + 1.0) ** 2 + lam * np.exp(u)

    problem = Problem(residual)
    branch = problem.at(lam=20.0).continuation(np.zeros(inside.sum()), "lam", (20.0, 40.0))
    assert [special.kind for special in branch.special_points] == [
        "fold",
        "branch point",
        "branch point",
    ]
    for special, zeros in zip(branch.special_points, (1, 2, 1), strict=True):
        values = np.linalg.eigvalsh(problem.at(lam=special.parameter).jacobian(special.x).toarray())
        assert (np.abs(values) < 1e-6).sum() == zeros
    assert not any("orientation" in reason for _, reason in branch.rejected)
    assert branch.stats.njev < 1000


def test_many_branch_points_close_together_are_all_found():
    """The uniform state of two coupled species; where its modes set in is known in closed form."""
    n, length, Du, Dv, k = 150, 0.4, 2e-5, 5e-6, 0.05
    h = length / n

    def spread(u):
        full = np.concatenate([u[:1], u, u[-1:]])
        return (full[2:] - 2.0 * u + full[:-2]) / h**2

    def gray_scott(y, F=0.1):
        u, v = y[:n], y[n:]
        gain = u * v**2
        return np.concatenate(
            [Du * spread(u) - gain + F * (1.0 - u), Dv * spread(v) + gain - (F + k) * v]
        )

    def uniform(F):
        v = F / (2.0 * (F + k)) * (1.0 + np.sqrt(1.0 - 4.0 * (F + k) ** 2 / F))
        return (F + k) / v, v

    def determinant(F, q):
        v = uniform(F)[1]
        return (-(v**2) - F - Du * q) * (F + k - Dv * q) + 2.0 * (F + k) * v**2

    waves = 4.0 / h**2 * np.sin(np.arange(60) * np.pi / (2 * n)) ** 2
    grid = np.linspace(0.06, 0.1285, 2000)
    exact = [
        brentq(determinant, low, high, args=(q,), xtol=1e-14)
        for q in waves
        for low, high in pairwise(grid)
        if determinant(low, q) * determinant(high, q) < 0.0
    ]
    problem = Problem(gray_scott, blocks={"u": slice(0, n), "v": slice(n, 2 * n)})
    start = np.repeat(uniform(0.06), n)
    branch = problem.at(F=0.06).continuation(start, "F", (0.05, 0.1285), step=0.002)
    found = [point.parameter for point in branch.branch_points]
    assert len(exact) > 10
    assert len(found) == len(exact)
    assert np.abs(np.sort(found) - np.sort(exact)).max() < 1e-9


def modes(x, a, kind="pitchfork", shift=0.0):
    """Trivial branch with branch points at a = 4 j + shift."""
    rates = a - shift - 4.0 * np.arange(1, len(x) + 1)
    return rates * x - (x**3 if kind == "pitchfork" else x**2)


@pytest.mark.parametrize("kind", ["pitchfork", "transcritical"])
@pytest.mark.parametrize("n", [4, *slow(1, 60)])
@pytest.mark.parametrize("shift", [0.0, -1e-13, 1e-10, *slow(1e-15, -1e-7)])
def test_branch_points_on_which_a_step_lands(n, kind, shift):
    """Steps of 1 from 3 and from 0 lead to 4 exactly, and later ones to 8."""
    problem = Problem(lambda x, a: modes(x, a, kind, shift))
    for start in (3.0, 0.0):
        branch = problem.at(a=start).continuation(np.zeros(n), "a", (-1.0, 10.0), step=1.0)
        exact = shift + np.array([4.0, 8.0])[: min(n, 2)]
        assert np.allclose([p.parameter for p in branch.special_points], exact, atol=1e-9, rtol=0)
        assert branch["a"][-1] == 10.0


@pytest.mark.parametrize("kind", ["pitchfork", "transcritical"])
@pytest.mark.parametrize("bounds", [(-1.0, 4.0), (4.0, 7.0)])
def test_a_branch_point_on_the_bound_ends_the_branch(kind, bounds):
    start = sum(bounds) / 2.0
    for n in (1, 5):
        branch = (
            Problem(modes)
            .at(a=start, kind=kind)
            .continuation(np.zeros(n), "a", bounds, step=4.0 - start)
        )
        assert branch.success
        assert branch["a"][-1] == 4.0
        assert "the bound 4 of the parameter is reached" in branch.message
        (point,) = branch.special_points
        assert point.kind == "branch point"
        assert abs(point.parameter - 4.0) < 1e-9


def test_a_branch_that_is_switched_to_stays_within_the_bounds():
    fork = Problem(lambda x, p: p * x - x**3, params={"p": -1.0})
    straight = fork.continuation([0.0], "p", (-1.0, 1.0))
    for high in (0.01, 1e-4, 1e-6):
        arm = fork.switch_branch(straight, 0, (-1.0, high))
        assert (arm["p"] <= high).all()
        assert arm["p"][-1] == high
    with pytest.raises(InputError, match="leaves the bounds -1 to 0 at once"):
        fork.switch_branch(straight, 0, (-1.0, 0.0))
    crossing = Problem(lambda x, p: p * x - x**2, params={"p": -1.0})
    straight = crossing.continuation([0.0], "p", (-1.0, 1.0))
    ends = [crossing.switch_branch(straight, 0, (-1.0, 0.05), step=s)["p"] for s in (0.1, -0.1)]
    assert sorted(float(end[-1]) for end in ends) == [-1.0, 0.05]
    assert max(end.max() for end in ends) == 0.05


def test_a_diagram_without_branches_beyond_its_bounds():
    fork = Problem(lambda x, p: p * x - x**3, params={"p": -1.0})
    diagram = fork.bifurcation_diagram([0.0], "p", (-1.0, 0.0))
    assert all((branch["p"] <= 0.0).all() for branch in diagram.branches)
    assert not diagram.unfinished


@pytest.mark.parametrize("shift", [0.0, 1e-12, 3.0])
def test_a_branch_without_bounds_has_steps_of_the_size_of_the_known_one(shift):
    """Where the branch point is, at 0 or beside it by rounding, does not matter."""
    fork = Problem(lambda x, p: (p - shift) * x - x**3, params={"p": shift - 1.0})
    straight = fork.continuation([0.0], "p", (shift - 1.0, shift + 1.0))
    arm = fork.switch_branch(straight, 0, (-np.inf, np.inf), max_points=40)
    assert arm["p"][-1] > shift + 2.0
    assert arm.states[:, 0] ** 2 == pytest.approx(arm["p"] - shift, rel=1e-8)
    assert "40 points, the limit, were computed. What to try: raise" in arm.message


def test_a_branch_point_takes_few_evaluations():
    """Swift-Hohenberg with 60 unknowns: r are eigenvalues of the operator along the zero state."""
    n, h = 60, 8.0 * np.pi / 59
    D = np.diag(np.full(n, -2.0)) + np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
    D[0, 1] = D[-1, -2] = 2.0
    A = np.linalg.matrix_power(np.eye(n) + D / h**2, 2)
    operator = sp.csr_array(A)
    problem = Problem(lambda u, r: operator @ u - r * u - 2.0 * u**2 + u**3, params={"r": -0.1})
    branch = problem.continuation(np.zeros(n), "r", (-0.1, 0.4), stability=True)
    values = np.sort(np.linalg.eigvals(A).real)
    expected = values[values < 0.4]
    assert [point.parameter for point in branch.branch_points] == pytest.approx(expected, abs=1e-9)
    assert branch["unstable"][-1] == n - len(expected)
    assert branch.stats.njev < 45 * len(expected)
    rolls = problem.switch_branch(branch, 0, (-0.6, 0.4), step=0.01)
    assert len(rolls.branch_points) == 6
    assert rolls.stats.njev < 450  # where no pole of a test function is taken for a zero
