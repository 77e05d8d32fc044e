"""Whole diagrams: every branch once, from every branch point, and what becomes of a kill."""

import numpy as np
import pytest

from sgsolve import CheckpointError, InputError, PartialBranchWarning, Problem
from tests.families import lorenz_84
from tests.selection import slow


def pitchfork(x, p):
    return p * x - x**3


def test_a_pitchfork():
    problem = Problem(pitchfork, params={"p": -1.0})
    diagram = problem.bifurcation_diagram([0.0], "p", (-1.0, 1.0))
    ends = sorted(float(branch.x[0]) for branch in diagram)
    assert ends == pytest.approx([-1.0, 0.0, 1.0], abs=1e-12)
    (point,) = diagram.special_points
    assert point.kind == "branch point"
    assert abs(point.parameter) < 1e-10
    assert diagram.success


def square(w, p):
    """Two modes with the symmetry of a square: stripes, p = w^2, and squares, p = 3 w^2."""
    return [p * w[0] - w[0] ** 3 - 2.0 * w[0] * w[1] ** 2,
            p * w[1] - w[1] ** 3 - 2.0 * w[1] * w[0] ** 2]  # fmt: skip


def triangle(w, p):
    """Three branches cross the trivial one at 0; each is w = (-p, 0) to first order, turned."""
    size = w[0] ** 2 + w[1] ** 2
    return [p * w[0] + w[0] ** 2 - w[1] ** 2 - w[0] * size,
            p * w[1] - 2.0 * w[0] * w[1] - w[1] * size]  # fmt: skip


def cube(w, p):
    """Three modes with the symmetry of a cube."""
    size = w[0] ** 2 + w[1] ** 2 + w[2] ** 2
    return [p * v + v**3 - 2.0 * v * size for v in w]


@pytest.mark.parametrize(
    ("modes", "m", "count"), [(triangle, 2, 6), *slow((square, 2, 8), (cube, 3, 26))]
)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_all_branches_leave_a_point_with_several_null_vectors(modes, m, count, seed):
    """The modes are hidden by a rotation, and a further unknown follows them."""
    A = np.linalg.qr(np.random.default_rng(seed).standard_normal((m + 1, m + 1)))[0]

    def residual(z, p):
        w = [sum(A[i, j] * z[j] for j in range(m + 1)) for i in range(m + 1)]
        return [*modes(w[:m], p), 0.4 * w[0] ** 2 - w[m]]

    problem = Problem(residual, params={"p": -0.3})
    diagram = problem.bifurcation_diagram(np.zeros(m + 1), "p", (-0.3, 0.3), max_branches=60)
    assert diagram.success
    assert len(diagram) == 1 + count
    ends = np.array([branch.states[-1] for branch in diagram]) @ A.T
    p = np.array([branch["p"][-1] for branch in diagram])
    assert np.abs([modes(w[:m], q) for w, q in zip(ends, p, strict=True)]).max() < 1e-9
    gaps = np.linalg.norm(ends[:, None] - ends[None], axis=2) + np.abs(p[:, None] - p[None])
    assert (gaps + np.eye(len(gaps))).min() > 0.1  # no branch twice


@pytest.mark.parametrize("declared", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_all_branches_leave_where_a_level_is_free(declared):
    """The modes of a square in three unknowns whose mean no equation determines."""
    Q = np.linalg.qr(np.column_stack([np.ones(3), [[1.0, 0.0], [0.3, 1.0], [0.0, 0.2]]]))[0]

    def residual(y, p):
        f = square([sum(Q[i, k] * y[i] for i in range(3)) for k in (1, 2)], p)
        return [Q[i, 1] * f[0] + Q[i, 2] * f[1] for i in range(3)]

    null_space = {"null_space": np.ones(3)} if declared else {}
    problem = Problem(residual, params={"p": -0.3}, **null_space)
    trivial = problem.continuation(np.zeros(3), "p", (-0.3, 0.3))
    arms = problem.branches_at(trivial)
    ends = np.array([arm.x for arm in arms]) @ Q
    assert np.abs(ends[:, 0]).max() < 1e-9
    found = {tuple(np.round(end, 6) + 0.0) for end in ends[:, 1:]}
    a, b = np.round(np.sqrt([0.3, 0.1]), 6)
    stripes, squares = {(a, 0.0), (-a, 0.0), (0.0, a), (0.0, -a)}, {(b, b), (-b, b)}
    assert found == stripes | squares | {(b, -b), (-b, -b)}
    assert len(problem.bifurcation_diagram(np.zeros(3), "p", (-0.3, 0.3))) == 9


@pytest.mark.parametrize("start", slow(1.0, 1.3, 1.77))
def test_two_modes_of_a_ring_become_unstable_together(start):
    """Three Brusselators in a ring: (B - 1.3) 2.5 = B; no simple normal form is named."""

    def ring(u, B):
        x, y = u[:3], u[3:]
        made, around = x**2 * y, [np.roll(v, 1) - 2.0 * v + np.roll(v, -1) for v in (x, y)]
        rates = 1.0 - (B + 1.0) * x + made + 0.1 * around[0], B * x - made + 0.5 * around[1]
        return np.concatenate(rates)

    problem = Problem(ring, params={"B": start})
    uniform = problem.continuation([1.0] * 3 + [start] * 3, "B", (start, 3.0))
    (point,) = uniform.branch_points
    assert point.parameter == pytest.approx(13.0 / 6.0, abs=1e-10)
    assert (point.nature, point.coefficients) == ("", {})
    assert len(problem.branches_at(uniform)) == 6


def test_branches_where_all_of_the_jacobian_vanishes():
    problem = Problem(square, params={"p": -0.3})
    trivial = problem.continuation([0.0, 0.0], "p", (-0.3, 0.3))
    assert len(problem.branches_at(trivial, 0, (-0.3, 0.3), stability=True)) == 8
    with pytest.raises(InputError, match="detect names 'torus'"):
        problem.branches_at(trivial, 0, detect="torus")


def test_branches_at_a_simple_crossing():
    """One side of a pitchfork leaves the bounds at once and has no branch."""
    problem = Problem(pitchfork, params={"p": -1.0})
    branch = problem.continuation([0.0], "p", (-1.0, 1.0))
    ends = sorted(float(arm.x[0]) for arm in problem.branches_at(branch))
    assert ends == pytest.approx([-1.0, 1.0], abs=1e-12)
    assert problem.branches_at(branch, 0, (-1.0, 0.0)) == []


def test_a_loop_between_two_branch_points_is_followed_once():
    """x = 0 and the circle x^2 = p (1 - p) cross at p = 0 and p = 1."""
    problem = Problem(lambda x, p: x * (x**2 - p * (1.0 - p)), params={"p": -0.5})
    diagram = problem.bifurcation_diagram([0.0], "p", (-0.5, 1.5))
    assert len(diagram) == 2
    loop = diagram[1]
    assert loop.states.max() == pytest.approx(0.5, abs=0.02)
    assert loop.states.min() == pytest.approx(-0.5, abs=0.02)
    points = [point.parameter for point in diagram.special_points_of("branch point")]
    assert sorted(points) == pytest.approx([0.0, 1.0], abs=1e-9)


def test_a_start_inside_the_range_is_followed_to_both_sides():
    problem = Problem(lambda x, p: p * x - x**2, params={"p": -0.5})
    diagram = problem.bifurcation_diagram([0.0], "p", (-1.0, 1.0))
    assert len(diagram) == 4  # both lines, each in two parts
    ends = sorted((float(branch["p"][-1]), float(branch.x[0])) for branch in diagram)
    expected = [(-1.0, -1.0), (-1.0, 0.0), (1.0, 0.0), (1.0, 1.0)]
    assert np.array(ends) == pytest.approx(np.array(expected), abs=1e-9)


def rod(u, load):
    full = np.concatenate([[0.0], u, [0.0]])
    return (full[2:] - 2.0 * u + full[:-2]) * 20**2 + load * np.sin(u)


def test_a_rod_with_three_buckled_shapes():
    problem = Problem(rod, params={"load": 5.0})
    diagram = problem.bifurcation_diagram(np.zeros(19), "load", (5.0, 100.0))
    assert len(diagram) == 7
    modes = np.arange(1, 4)
    exact = 4.0 * 20**2 * np.sin(modes * np.pi / 40.0) ** 2
    found = sorted(point.parameter for point in diagram.special_points)
    assert found == pytest.approx(exact, rel=1e-10)
    assert diagram[0]["unstable"][-1] == 3


def test_isolas_from_several_starts():
    """x = 0, and a circle around (1/2, 2) that meets nothing."""

    def residual(x, p):
        return x * ((x - 2.0) ** 2 + 4.0 * (p - 0.5) ** 2 - 0.25)

    problem = Problem(residual, params={"p": 0.5})
    starts = [result.x for result in problem.find_solutions([[0.3], [1.4], [2.6]])]
    diagram = problem.bifurcation_diagram(np.array(starts), "p", (0.0, 1.0))
    tops = sorted(float(branch.states.max()) for branch in diagram)
    assert len(diagram) == 3  # the line to both sides, the isola once
    assert tops == pytest.approx([0.0, 0.0, 2.5], abs=0.02)


@pytest.mark.slow
def test_isolas_from_solutions_at_several_values(tmp_path):
    """x = 0 and two ellipses at different p, which no guess at one value of p can reach."""

    def residual(x, p):
        left = (x - 2.0) ** 2 + 4.0 * (p - 0.2) ** 2 - 0.04
        right = (x - 3.0) ** 2 + 4.0 * (p - 0.8) ** 2 - 0.04
        return x * left * right

    problem = Problem(residual)
    sets = problem.deflated_continuation([[0.3], [1.8], [2.8]], "p", [0.2, 0.5, 0.8])
    assert sets.counts.tolist() == [3, 1, 3]
    diagram = problem.bifurcation_diagram(sets, "p", (0.0, 1.0), folder=tmp_path)
    assert sorted(point.parameter for point in diagram.special_points) == pytest.approx(
        [0.1, 0.3, 0.7, 0.9], abs=1e-9
    )
    assert len(diagram) == 4  # the line to both sides, each isola once
    again = problem.bifurcation_diagram(sets, "p", (0.0, 1.0), folder=tmp_path)
    assert again.origins == diagram.origins
    assert all(
        np.array_equal(one.states, other.states) for one, other in zip(diagram, again, strict=True)
    )
    with pytest.raises(InputError, match="along 'p', not 'q'"):
        problem.bifurcation_diagram(sets, "q", (0.0, 1.0))
    with pytest.raises(InputError, match="outside the bounds"):
        problem.bifurcation_diagram(sets, "p", (0.0, 0.6))


def test_orbits_from_hopf_points():
    def residual(x, mu):
        growth = mu * (1.0 - mu) - x[0] ** 2 - x[1] ** 2
        return [x[1] - growth * x[0], -x[0] - growth * x[1]]

    problem = Problem(residual, params={"mu": -0.5}, storage=lambda x: 1.0 * x)
    diagram = problem.bifurcation_diagram([0.0, 0.0], "mu", (-0.5, 1.5), orbits=True)
    assert len(diagram.special_points_of("hopf")) == 2
    (orbits,) = diagram.orbits  # from the first Hopf point to the second
    assert orbits["amplitude"].max() == pytest.approx(1.0, abs=0.05)
    plt = pytest.importorskip("matplotlib.pyplot", reason="pip install '.[plot]'")
    ax = diagram.plot(0)
    assert len(ax.lines) >= 3
    plt.close(ax.figure)


def test_depth_and_limits():
    problem = Problem(rod, params={"load": 5.0})
    flat = problem.bifurcation_diagram(np.zeros(19), "load", (5.0, 50.0), depth=0)
    assert len(flat) == 1
    with pytest.warns(PartialBranchWarning, match="the limit, were followed"):
        some = problem.bifurcation_diagram(np.zeros(19), "load", (5.0, 50.0), max_branches=2)
    assert len(some) == 2
    assert not some.success
    assert "not finished" in str(some)


def test_what_a_folder_has_is_not_computed_again(tmp_path):
    calls = []

    def counted(x, p):
        calls.append(1)
        return pitchfork(x, p)

    problem = Problem(counted, params={"p": -1.0})
    arguments = ([0.0], "p", (-1.0, 1.0))
    whole = problem.bifurcation_diagram(*arguments, folder=tmp_path / "all")
    first = len(calls)
    again = problem.bifurcation_diagram(*arguments, folder=tmp_path / "all")
    assert len(calls) - first < first / 4
    assert str(again) == str(whole)
    # killed within the second branch: its file is not there
    sorted((tmp_path / "all").glob("branch *.npz"))[1].unlink()
    assert str(problem.bifurcation_diagram(*arguments, folder=tmp_path / "all")) == str(whole)
    with pytest.raises(CheckpointError, match="another diagram"):
        problem.bifurcation_diagram([0.0], "p", (-1.0, 2.0), folder=tmp_path / "all")


def test_out_of_time_it_goes_on_later(tmp_path):
    problem = Problem(rod, params={"load": 5.0})
    arguments = (np.zeros(19), "load", (5.0, 50.0))
    with pytest.warns(PartialBranchWarning, match="time limit"):
        part = problem.bifurcation_diagram(*arguments, folder=tmp_path / "d", time_limit=1e-6)
    assert not part.success
    whole = problem.bifurcation_diagram(*arguments, folder=tmp_path / "d")
    assert len(whole) == 5


def test_bad_input():
    problem = Problem(pitchfork, params={"p": -1.0})
    cases = [
        (([0.0], "q", (-1.0, 1.0)), {}, "no parameter 'q'"),
        (([0.0], "p", (1.0, -1.0)), {}, "bounds must increase"),
        (([0.0], "p", (-np.inf, 1.0)), {}, "bounds must be finite"),
        (([0.0], "p", None), {}, "bounds must be"),
        (([0.0], "p", (0.0, np.inf)), {}, "must be finite"),
        (([0.0], "p", (0.0, 1.0)), {}, "outside the bounds"),
        (("zero", "p", (-1.0, 1.0)), {}, "x0 must be one start"),
        (([0.0], "p", (-1.0, 1.0)), {"depth": -1}, "depth must be"),
        (([0.0], "p", (-1.0, 1.0)), {"max_branches": 0}, "max_branches must be"),
    ]
    for arguments, options, words in cases:
        with pytest.raises(InputError, match=words):
            problem.bifurcation_diagram(*arguments, **options)


def test_the_extended_lorenz_84_model_in_three_lines():
    """Fold and Hopf points of both branches; values of the literature, to all their digits."""
    problem = Problem(lorenz_84, params={"F": 3.0, "T": 0.04}, storage=lambda x: 1.0 * x)
    starts = [[2.9787, -0.0387, 0.0582, -0.0211], [0.9929, 0.0018, 0.2518, 0.6665]]
    diagram = problem.bifurcation_diagram(starts, "F", (1.5, 3.5), max_step=0.05)
    hopf = sorted(point.parameter for point in diagram.special_points_of("hopf"))
    exact = [1.61965782094258, 2.46722212311276, 2.85987541274830, 2.96459009930115]
    assert hopf == pytest.approx(exact, abs=1e-11)
    (fold,) = diagram.special_points_of("fold")
    assert fold.parameter == pytest.approx(1.54664837259813, abs=1e-11)


def test_the_picture_of_a_diagram_has_no_gaps_and_no_corners():
    """The arms of the pitchfork begin at it, and lie on x^2 = p between their rows."""
    plt = pytest.importorskip("matplotlib.pyplot", reason="pip install '.[plot]'")
    problem = Problem(pitchfork, params={"p": -1.0})
    diagram = problem.bifurcation_diagram([0.0], "p", (-1.0, 1.0))
    ax = diagram.plot(0)
    arms = [line.get_xydata() for line in ax.lines if len(line.get_xdata()) > 1]
    arms = [line for line in arms if np.abs(line[:, 1]).max() > 0.1]
    assert len(arms) == 2
    for line, branch in zip(arms, diagram.branches[1:], strict=True):
        assert line[0] == pytest.approx([0.0, 0.0], abs=1e-9)
        assert len(line) > 10 * len(branch)
        assert np.abs(line[:, 1] ** 2 - line[:, 0]).max() < 0.02
        rows = [np.abs(line - row).sum(axis=1).min() for row in np.c_[branch["p"], branch.states]]
        assert max(rows) == 0.0
    plt.close(ax.figure)


def test_a_closed_branch_does_not_leave_by_the_pitchfork_at_which_it_begins():
    """Kuramoto-Sivashinsky, odd solutions: the first branch meets the second one, and returns.

    Of the trivial solution the points are 4 k^2.
    """
    n = 12
    k = np.arange(1, n + 1)
    x = np.linspace(0.0, np.pi, 2 * n + 1)[1:-1]
    modes, slopes = np.sin(np.outer(x, k)), np.cos(np.outer(x, k)) * k

    def residual(a, alpha):
        steep = alpha / n * (modes.T @ ((modes @ a) * (slopes @ a)))
        return 4.0 * k**4 * a - alpha * k**2 * a + steep

    problem = Problem(residual, params={"alpha": 1.0}, storage=lambda a: 1.0 * a)
    diagram = problem.bifurcation_diagram(np.zeros(n), "alpha", (1.0, 34.0))
    places = sorted(point.parameter for point in diagram.special_points_of("branch point"))
    assert len(places) == 4
    assert places[:2] == pytest.approx([4.0, 16.0], abs=1e-9)
    assert not diagram.special_points_of("fold")
    assert "closed" in diagram[1].message
    # no row of another branch is one of the trivial solution
    assert min(np.abs(branch.states).max(axis=1).min() for branch in diagram.branches[1:]) > 0.05
    assert len(diagram) == 6
