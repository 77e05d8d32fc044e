"""Deflation: the numbers of solutions that are published, every one distinct and converged."""

import numpy as np
import pytest

from sgsolve import InputError, PartialBranchWarning, Problem, solvers
from sgsolve.continuation.deflation import DeflatedDirection, Deflation
from tests.continuation.gallery import allen_cahn, bratu, elastica, golubitsky_quartic, winged_cusp
from tests.selection import slow


def distinct(results):
    x = np.array([result.x for result in results])
    gaps = [np.abs(a - b).max() for i, a in enumerate(x) for b in x[:i]]
    return min(gaps, default=1.0) > 1e-3


@pytest.mark.parametrize(
    ("lam", "count"), [(-2.0, 1), (2.0, 3), *slow((5.0, 1), (1.0, 3), (3.0, 3))]
)
def test_winged_cusp(lam, count):
    results = Problem(winged_cusp).at(lam=lam).find_solutions([1.5])
    assert len(results) == count
    assert distinct(results)
    assert all(np.abs(winged_cusp(r.x, lam)).max() < 1e-8 for r in results)


@pytest.mark.parametrize(("lam", "count"), [(1.0, 2), (-1.0, 4), *slow((-2.0, 2), (0.0, 4))])
def test_golubitsky_quartic(lam, count):
    results = Problem(golubitsky_quartic).at(lam=lam).find_solutions([0.5])
    assert len(results) == count
    assert distinct(results)


def test_elastica_with_a_transverse_force():
    results = Problem(elastica).at(lam=1.1 * np.pi, mu=0.5).find_solutions(0.1 * np.ones(99))
    assert len(results) == 3
    problem = Problem(elastica)
    unstable = [
        (np.linalg.eigvalsh(problem.at(lam=1.1 * np.pi, mu=0.5).jacobian(r.x).toarray()) > 0).sum()
        for r in results
    ]
    assert unstable.count(0) == 2


@pytest.mark.slow
def test_solutions_that_are_zero_to_rounding_are_one():
    """The buckled ones of 3.25, continued to 3.5, fall onto zero: to 1e-23 and to 1e-292."""
    values = np.linspace(1.0, 12.0, 45)[8:11]
    sets = Problem(elastica).deflated_continuation(0.1 * np.ones(49), "lam", values)
    assert sets.counts.tolist() == [1, 3, 3]


def test_an_interrupted_search_hands_back_what_it_found(capsys):
    pytest.importorskip("tqdm")

    def residual(x, lam):
        if np.max(lam) > 2.5:
            raise KeyboardInterrupt
        return winged_cusp(x, lam)

    with pytest.warns(PartialBranchWarning, match="interrupted after 2 of 3 values of 'lam'"):
        sets = Problem(residual).deflated_continuation([0.5], "lam", [1.0, 2.0, 3.0], progress=True)
    assert sets.parameter.tolist() == [1.0, 2.0]
    assert sets.counts.tolist() == [3, 3]  # all that there are
    assert "2/3" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("count", [9, 16, 23, 31])
def test_elastica_along_the_load_whatever_the_steps(count):
    values = np.linspace(1.0, 12.0, count)
    sets = Problem(elastica).deflated_continuation(0.1 * np.ones(49), "lam", values)
    assert sets.counts.tolist() == (2 * np.floor(sets.parameter / np.pi) + 1).astype(int).tolist()
    for lam, block in sets:
        assert all(np.abs(elastica(x, lam)).max() < 1e-6 for x in block)


def test_both_solutions_of_bratu_and_none_beyond_the_fold():
    results = Problem(bratu).at(lam=2.0).find_solutions(np.zeros(49))
    assert len(results) == 2
    assert distinct(results)
    assert Problem(bratu).at(lam=4.0).find_solutions(np.zeros(49)) == []


@pytest.mark.slow
def test_allen_cahn_on_a_square():
    n = 24
    results = Problem(allen_cahn(n)).find_solutions(np.zeros(n * n))
    assert len(results) == 3
    assert distinct(results)
    assert np.allclose(sorted(r.x.mean() for r in results), [-0.728, 0.0, 0.728], atol=1e-3)


def test_the_limit_on_solutions_holds():
    assert len(Problem(winged_cusp).at(lam=2.0).find_solutions([1.5], max_solutions=2)) == 2
    with pytest.raises(InputError, match="max_solutions"):
        Problem(winged_cusp).at(lam=2.0).find_solutions([1.5], max_solutions=0)


def test_several_starts():
    results = Problem(winged_cusp).at(lam=2.0).find_solutions([[1.5], [-3.0]])
    assert len(results) == 3


def test_slope_is_the_derivative_of_the_logarithm():
    random = np.random.default_rng(0)
    known = tuple(random.standard_normal((2, 5)))
    direction = DeflatedDirection(known=known, power=3.0, size=0.7)
    x, dx = random.standard_normal((2, 5))

    def log_m(t):
        total = 0.0
        for r in known:
            square = np.mean(((x + t * dx - r) / 0.7) ** 2)
            total += np.log(square**-1.5 + 1.0)
        return total

    h = 1e-5
    assert abs(direction.slope(x, dx) - (log_m(h) - log_m(-h)) / (2 * h)) < 1e-8


def test_slope_with_sizes_and_errors_of_each_unknown():
    random = np.random.default_rng(1)
    known = tuple(random.standard_normal((2, 5)))
    size = np.array([1.0, 1e16, 1e-12, 3.0, 0.2])
    errors = tuple(size * random.uniform(0.0, 0.9, (2, 5)))
    direction = DeflatedDirection(
        known=tuple(r * size for r in known), errors=errors, power=3.0, size=size
    )
    x, dx = random.standard_normal((2, 5)) * size

    def log_m(t):
        total = 0.0
        for r, error in zip(known, errors, strict=True):
            gap = np.abs((x + t * dx) / size - r)
            square = np.mean(np.where(gap > error / size, gap - error / size, 0.0) ** 2)
            total += np.log(square**-1.5 + 1.0)
        return total

    h = 1e-5
    slope = direction.slope(x, dx)
    assert slope == pytest.approx((log_m(h) - log_m(-h)) / (2 * h), rel=1e-7)


def test_an_error_is_no_distance():
    """The large unknown differs by its rounding error: the distance is that of the small one."""
    known = (np.array([2.0, 1e16]),)
    beside = DeflatedDirection(known=known, errors=(np.array([0.0, 4.0]),), size=1e16)
    alone = DeflatedDirection(known=(np.array([2.0]),), size=1e16)
    slope = beside.slope(np.array([-1.0, 1e16 + 4.0]), np.array([0.5, -4.0]))
    assert slope == pytest.approx(alone.slope(np.array([-1.0]), np.array([0.5])), rel=1e-12)
    assert beside.slope(np.array([2.0, 1e16 - 4.0]), np.array([1.0, 1.0])) == 0.0


def test_settings_are_checked():
    with pytest.raises(InputError):
        Deflation(power=0.0)


def test_the_solver_of_first_solutions_is_used():
    problem = Problem(lambda x, p: x**3 - p * x, params={"p": 1.0})
    seen = []

    class Counted(solvers.NewtonMethod):
        def run(self, *arguments):
            seen.append(1)
            return super().run(*arguments)

    sets = problem.deflated_continuation([0.3], "p", [1.0, 4.0], solver=Counted(), max_solutions=1)
    assert sets.counts.tolist() == [1, 1]
    assert len(seen) == 1  # the solution at the second value is continued from the first
    outside = solvers.Newton(limits=(solvers.Positive(),))
    with pytest.raises(InputError, match="the start is not Positive"):
        problem.deflated_continuation([-0.3], "p", [1.0, 4.0], solver=outside)
    with pytest.raises(InputError, match="max_solutions"):
        problem.deflated_continuation([0.3], "p", [1.0], max_solutions=0)
