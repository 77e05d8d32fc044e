"""Sweeps, continuation and deflation at 1e150 to 1e300: an end in words, no warning of NumPy."""

import warnings

import numpy as np
import pytest

from sgsolve import PartialBranchWarning, Problem, SgsolveError, ad
from tests.selection import slow

FAMILIES = {
    "linear": (lambda x, p: x - p, lambda p: [p]),
    "square": (lambda x, p: x**2 - p, lambda p: [np.sqrt(p)]),
    "exponential": (lambda x, p: np.exp(x) - p, lambda p: [np.log(p)]),
    "pitchfork": (lambda x, p: p * x - x**3, lambda p: [0.0]),
    "product": (lambda x, p: ad.hstack([x[0] - p, x[1] * x[0] - p]), lambda p: [p, 1.0]),
}
families = pytest.mark.parametrize("name", FAMILIES)
huge = pytest.mark.parametrize("size", [1e300, *slow(1e150, 1e200)])


def ended(run, *arguments, **options):
    """Return what a run gives, or None for an error of the package; other warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", PartialBranchWarning)
        try:
            return run(*arguments, **options)
        except SgsolveError:
            return None


@families
@huge
def test_continuation(name, size):
    residual, solution = FAMILIES[name]
    problem, options = Problem(residual, params={"p": 1.0}), {"max_points": 25}
    for start, bounds in ((1.0, (1.0, size)), (size / 10.0, (size / 10.0, size))):
        x = np.array(solution(start))
        branch = ended(problem.at(p=start).continuation, x, "p", bounds, **options)
        if branch is not None:
            for state, p in zip(branch.states, branch["p"], strict=True):
                F, J = problem.at(p=float(p)).linearize(state)
                assert (np.abs(F) <= 1e-7 * (abs(J) @ np.abs(state) + abs(p))).all()


@families
@huge
def test_sweep_and_solutions(name, size):
    residual, solution = FAMILIES[name]
    problem = Problem(residual, params={"p": 1.0})
    x = np.array(solution(1.0))
    for values in ([1.0, size], [size, 1.1 * size]):
        start = np.array(solution(values[0]))
        branch = ended(problem.sweep, start, "p", values)
        assert branch is None or len(branch["p"]) <= 2
    assert ended(lambda: problem.sweep(np.full(len(x), size), "p", [1.0, 2.0])) is not False
    found = ended(lambda: problem.at(p=size).find_solutions(x, time_limit=5.0))
    assert found is None or all(np.isfinite(result.x).all() for result in found)


@pytest.mark.parametrize("factor", [1e-200, -1e-150])
def test_extreme_units_are_named_unless_the_branch_is_complete(factor):
    """Rounding decides how far the branch goes."""
    problem = Problem(lambda x, p: x - factor * p, params={"p": 0.5})
    said = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PartialBranchWarning)
            branch = problem.continuation([0.5 * factor], "p", (0.0, 1.0))
        said = "" if branch.success else branch.message
    except SgsolveError as error:
        said = str(error)
    assert not said or "typical sizes" in said
