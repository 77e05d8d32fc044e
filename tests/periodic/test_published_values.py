"""Values that AUTO-07p prints for its demonstrations, from three lines of user code each.

They are those of ``test/hyper.all`` in its repository, with six digits. Ours agree to the last one,
but for two that AUTO locates less exactly. The page `docs/theory/reproduced_values.md` has a table.
"""

import numpy as np
import pytest

from sgsolve import Problem
from tests.families import reactor_of_two_steps
from tests.periodic.oscillators import one
from tests.selection import slow


def points(branch, kinds=("fold", "branch point", "hopf", "period doubling", "torus")):
    """Return the special points of a diagram or branch as (kind, parameter), in order."""
    found = [(point.kind, float(point.parameter)) for point in branch.special_points]
    return sorted(pair for pair in found if pair[0] in kinds)


def check(found, printed, rel=1e-5):
    assert [kind for kind, _ in found] == [kind for kind, _ in sorted(printed)]
    values = [p for _, p in sorted(printed)]
    assert [p for _, p in found] == pytest.approx(values, rel=rel, abs=1e-8)


def reactor(x, D, heat):
    """`ab`, A -> B: A. Uppal, W. H. Ray, A. B. Poore, Chem. Eng. Sci. 29 (1974) 967."""
    u, v = x
    rate = D * (1.0 - u) * np.exp(v)
    return [u - rate, 4.0 * v - heat * rate]


AB = {
    8.0: [],
    14.0: [("hopf", 0.165042)],
    15.0: [("hopf", 0.146882)],
    16.0: [("hopf", 0.132538)],
    17.0: [("hopf", 0.120866), ("fold", 0.121901), ("fold", 0.117015), ("hopf", 0.217079)],
    18.0: [("hopf", 0.111153), ("fold", 0.111565), ("fold", 0.0995741), ("hopf", 0.183833)],
}


@pytest.mark.parametrize(
    "heat", [14.0, 18.0, *slow(*(heat for heat in AB if heat not in (14.0, 18.0)))]
)
def test_ab(heat):
    problem = Problem(reactor, params={"D": 0.0, "heat": heat}, storage=one)
    branch = problem.continuation([0.0, 0.0], "D", (0.0, 0.25), stability=True)
    check(points(branch), AB[heat])


@pytest.mark.slow
def test_ab_cycles():
    problem = Problem(reactor, params={"D": 0.0, "heat": 14.0}, storage=one)
    diagram = problem.bifurcation_diagram([0.0, 0.0], "D", (0.0, 0.25), orbits=True)
    (cycles,) = diagram.orbits
    orbit = cycles.orbit(-1)
    assert (cycles["D"][-1], orbit.period) == (0.25, pytest.approx(2.22034, rel=1e-5))
    with_folds = problem.at(heat=18.0).bifurcation_diagram(
        [0.0, 0.0], "D", (0.0, 0.25), orbits=True
    )
    ends = [cycles["D"][-1] for cycles in with_folds.orbits]
    assert ends == pytest.approx([0.110829, 0.110114], rel=2e-5)
    assert all("homoclinic" in cycles.message for cycles in with_folds.orbits)


@pytest.mark.slow
def test_abc():
    problem = Problem(reactor_of_two_steps, params={"D": 0.0}, storage=one)
    diagram = problem.bifurcation_diagram([0.0, 0.0, 0.0], "D", (0.0, 0.4), orbits=True)
    check(points(diagram), [("hopf", p) for p in (0.204185, 0.229839, 0.259958, 0.346208)])
    first, second, *_ = diagram.orbits
    check(points(first)[:2], [("fold", 0.211903), ("fold", 0.213697)])
    periods = [first.orbit(point).period for point in first.folds[:2]]
    assert periods == pytest.approx([7.61104, 8.28920], rel=1e-5)
    assert second.folds[0].parameter == pytest.approx(0.224962, rel=1e-5)
    assert second.orbit(second.folds[0]).period == pytest.approx(6.52551, rel=1e-4)


def second_derivative(n):
    """Return that at the inner Chebyshev points of [0, 1], of functions that vanish at the ends."""
    x = np.cos(np.pi * np.arange(n + 1) / n)
    c = np.append(2.0, np.append(np.ones(n - 1), 2.0)) * (-1.0) ** np.arange(n + 1)
    D = np.outer(c, 1.0 / c) / (x[:, None] - x + np.eye(n + 1))
    D -= np.diag(D.sum(axis=1))
    return 4.0 * (D @ D)[1:-1, 1:-1]


def test_exp():
    D2 = second_derivative(24)
    problem = Problem(lambda u, p: D2 @ u + p * np.exp(u), params={"p": 0.0})
    branch = problem.continuation(np.zeros(23), "p", (0.0, 4.0), max_points=20)
    assert branch.folds[0].parameter == pytest.approx(3.51383, rel=2e-6)


def test_bvp():
    """Each branch has two arms; those of odd numbers are transcritical and turn at a fold."""
    D2 = second_derivative(48)
    problem = Problem(lambda u, p: D2 @ u + (np.pi * p) ** 2 * u - u**2, params={"p": 0.5})
    branch = problem.continuation(np.zeros(47), "p", (0.5, 5.5), max_step=0.3)
    check(points(branch), [("branch point", float(k)) for k in range(1, 6)])
    for number, printed in ((2, 2.96314), (4, 4.97821)):
        arms = problem.branches_at(branch, number, (0.5, 5.5), stop="fold")
        (fold,) = [point for arm in arms for point in arm.folds]
        assert fold.parameter == pytest.approx(printed, rel=1e-5)


def enzymes(x, s0):
    """`enz`: one substrate in two cells."""
    used = [100.0 * s / (1.0 + s + s**2) for s in (x[0], x[1])]
    first, second = s0 - x[0] + x[1] - x[0], s0 - x[1] + x[0] - x[1]
    return [used[0] - first, used[1] - second]


def test_enz():
    problem = Problem(enzymes, params={"s0": 0.0})
    diagram = problem.bifurcation_diagram([0.0, 0.0], "s0", (0.0, 45.0))
    printed = [("fold", 34.3569), ("branch point", 34.2229), ("branch point", 22.1816)]
    printed += [("fold", 18.8871), *[("fold", 25.3727), ("fold", 26.6221)] * 2]  # two sides
    check(points(diagram), printed)


def substrates(x, rho):
    """`plp`: two substrates in one cell."""
    s, a = x
    rate = rho * s * a / (1.0 + s + 0.1 * s**2)
    return [rate - (110.0 - s), rate - 0.2 * (500.0 - a)]


@pytest.mark.slow
def test_plp():
    problem = Problem(substrates, params={"rho": 2.021628}, storage=one)
    diagram = problem.bifurcation_diagram([45.6, 177.8], "rho", (2.0, 6.0), orbits=True)
    check(points(diagram, ["hopf"]), [("hopf", 3.49995), ("hopf", 4.65046)])
    (cycles,) = diagram.orbits
    check(points(cycles), [("fold", 2.75969), ("fold", 5.00784)])
    periods = [cycles.orbit(point).period for point in cycles.folds]
    assert periods == pytest.approx([10.0064, 5.67658], rel=1e-5)


def lorenz(x, r):
    return [10.0 * (x[0] - x[1]), x[1] + x[0] * x[2] - r * x[0], 8.0 / 3.0 * x[2] - x[0] * x[1]]


@pytest.mark.slow
def test_lor():
    problem = Problem(lorenz, params={"r": 280.0}, storage=one)
    run = problem.transient([-3.0, 30.0, 290.0], (0.0, 12.0), rtol=1e-7)
    cycles = problem.orbit_continuation(problem.periodic_orbit(run), "r", (200.0, 281.0), step=-2.0)
    for printed, period in ((229.407, 0.480867), (218.210, 0.987949), (215.966, 1.98675)):
        (first, *_) = cycles.special_points_of("period doubling")
        assert first.parameter == pytest.approx(printed, rel=1e-5)
        assert cycles.orbit(first).period == pytest.approx(period, rel=1e-5)
        cycles = problem.orbit_continuation(
            cycles, bounds=(200.0, 281.0), stop="period doubling", special_point=first
        )


def three_species(x, p):
    """`pp3`: a food chain, of which the last species has a branch of its own."""
    u, v, w = x
    return [
        4.0 * u * v - u * (1.0 - u),
        0.25 * v - 4.0 * u * v + 3.0 * v * w + p * (1.0 - np.exp(-5.0 * v)),
        0.5 * w - 3.0 * v * w,
    ]


def test_pp3():
    problem = Problem(three_species, params={"p": 0.0}, storage=one)
    diagram = problem.bifurcation_diagram([1.0, 0.0, 0.0], "p", (0.0, 1.0))
    crossings, hopf = [0.75, 0.319340], [0.459600, 0.106415, 0.503835, 0.229357]
    printed = [("branch point", p) for p in crossings] + [("hopf", p) for p in hopf]
    check(points(diagram, ("branch point", "hopf")), printed)


@pytest.mark.slow
def test_pp3_cycles_cross():
    problem = Problem(three_species, params={"p": 0.0}, storage=one)
    diagram = problem.bifurcation_diagram([1.0, 0.0, 0.0], "p", (0.0, 1.0), orbits=True)
    assert len(diagram.orbits) == 2  # each ends at another Hopf point
    for cycles in diagram.orbits:
        (point,) = cycles.branch_points
        assert point.parameter == pytest.approx(0.301234, abs=2e-6)
        assert cycles.orbit(point).period == pytest.approx(8.27624, abs=2e-5)


def brusselator(intervals=6):
    """`brf`: with fourth-order differences, on a domain of length L."""
    n, A, B = intervals - 1, 2.0, 5.45
    ones = np.ones(n - 1)
    mean = np.linalg.inv((10.0 * np.eye(n) + np.diag(ones, 1) + np.diag(ones, -1)) / 12.0)
    second = intervals**2 * (np.diag(ones, 1) + np.diag(ones, -1) - 2.0 * np.eye(n))
    inner, edge = mean @ second, intervals**2 * mean[:, [0, -1]].sum(axis=1)

    def residual(X, Y, L):
        made = X**2 * Y
        return {
            "X": -(0.008 / L**2 * (inner @ X + edge * A) + made - (B + 1.0) * X + A),
            "Y": -(0.004 / L**2 * (inner @ Y + edge * B / A) + B * X - made),
        }

    blocks = {"X": (n,), "Y": (n,)}
    storage = {"storage": lambda X, Y: {"X": 1.0 * X, "Y": 1.0 * Y}}
    return Problem(residual, params={"L": 0.4}, blocks=blocks, fields=True, **storage)


@pytest.mark.slow
def test_brf():
    """Torus bifurcations on the first branch of orbits, and on that which leaves it."""
    problem = brusselator()
    steady = problem.continuation(problem.pack(X=2.0, Y=2.725), "L", (0.4, 2.05), stability=True)
    k = np.pi * np.arange(1, 5) / 6.0  # exact, and printed with three to six digits
    exact = np.sqrt(0.012 * 864.0 * (1.0 - np.cos(k)) / (10.0 + 2.0 * np.cos(k)) / 0.45)
    assert [p for _, p in points(steady)] == pytest.approx(exact, abs=1e-9)
    assert exact == pytest.approx([0.512990, 1.02338, 1.51789, 1.95959], rel=2e-4)
    cycles = problem.orbit_continuation(steady, "L", (0.4, 2.05))
    printed = [("branch point", 1.23526), ("torus", 1.89686), ("torus", 1.94124)]
    check(points(cycles), printed, rel=2e-5)
    periods = [cycles.orbit(point).period for point in cycles.special_points]
    assert periods == pytest.approx([3.48116, 3.40535, 3.39550], rel=1e-5)
    other = problem.orbit_continuation(
        cycles, "L", (0.4, 2.05), special_point=cycles.branch_points[0]
    )
    check(points(other), [("torus", 1.40184), ("torus", 1.80834)])
    periods = [other.orbit(point).period for point in other.special_points]
    assert periods == pytest.approx([3.41871, 3.44551], rel=1e-5)
