"""Points of codimension 2 do not depend on the units of unknowns, equations and parameters."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem
from sgsolve.bifurcation.spectra.balance import Balance
from sgsolve.bifurcation.spectra.spectrum import all_eigenvalues, eigenvalues
from tests.periodic.oscillators import bent
from tests.problem.two_parameters.test_codimension_two import (
    basis,
    double_hopf,
    fold_and_hopf,
    mixed,
    oxidation,
    zero_hopf,
)
from tests.selection import slow

DECADES = 6.0


def double_zero(x, p, q):
    """x' = y, y' = p + q y + x^2 + x y as a residual."""
    return [-x[1], -(p + q * x[1] + x[0] ** 2 + x[0] * x[1])]


@bent
def soft_to_hard(x, y, p, q):
    growth = p + q * (x**2 + y**2) + (x**2 + y**2) ** 2
    return growth * x - y, growth * y + x


# residual, start, values of p and q, bounds of p, step, then bounds of q and steps of both curves
DOUBLE_ZERO = (double_zero, [-(0.5**0.5), 0.0], (-0.5, 0.5), (-0.5, 0.1), None)
CATALYST = (oxidation, [0.15, 0.12, 0.52], (0.9, 0.4), (0.5, 2.0), None)
ARCH = (lambda x, p, q: [q * np.sin(x[0]) - x[0] + p], [-2.0], (-1.0, 1.5), (-1.0, 1.0), None)
SOFT = (lambda x, p, q: soft_to_hard(x, p=p, q=q), [0.0, 0.0], (-1.0, -1.0), (-1.0, 1.0), None)
ZERO_HOPF = (mixed(zero_hopf, 3), np.ones(3), (-0.5, -0.7), (-0.5, 0.5), None)
DOUBLE_HOPF = (mixed(double_hopf, 4), np.ones(4), (-0.5, -0.7), (-0.5, 0.5), None)
FOLD = basis(3) @ [0.0, 0.0, 0.5**0.5] + 1.0
FOLD_HOPF = (mixed(fold_and_hopf, 3), FOLD, (0.5, -0.7), (-0.5, 1.0), -0.05)
CASES = {
    "fold curve to a double zero": (DOUBLE_ZERO, "fold", (-0.5, 1.0), -0.02),
    "hopf curve to a double zero": (DOUBLE_ZERO, "hopf", (-0.5, 1.0), -0.02),
    "cusp": (ARCH, "fold", (0.5, 3.0), -0.05),
    "generalized hopf": (SOFT, "hopf", (-1.0, 1.0), None),
    "zero hopf of a hopf curve": (ZERO_HOPF, "hopf", (-0.7, 0.6), None),
    "zero hopf of a fold curve": (FOLD_HOPF, "fold", (-0.7, 0.6), None),
    "double hopf": (DOUBLE_HOPF, "hopf", (-0.7, 0.6), None),
    "folds of the catalyst": (CATALYST, "fold", (0.3, 2.0), -0.01),
    "hopf points of the catalyst": (CATALYST, "hopf", (0.05, 2.0), 0.01),
}
QUICK = ("fold curve to a double zero", "cusp")


def found(case, units=None, declared="scale"):
    """The special points of the branch and of the curve, in the units of the example."""
    (f, start, values, bounds, step), kind, across, along = case
    n = len(start)
    rows, columns, P, Q = (np.ones(n), np.ones(n), 1.0, 1.0) if units is None else units

    def residual(x, p, q):
        return rows * np.stack(f(x / columns, p / P, q / Q))

    sizes = (
        {"scale": columns}
        if declared == "scale"
        else {"blocks": {f"u{k}": slice(k, k + 1) for k in range(n)}}
    )
    params = {"p": values[0] * P, "q": values[1] * Q}
    problem = Problem(residual, params=params, storage=lambda x: rows * (x / columns), **sizes)
    start = problem.solve(np.array(start) * columns).x
    steps = {} if step is None else {"step": step * P}
    ends = bounds[0] * P, bounds[1] * P
    branch = problem.continuation(start, "p", ends, stability=True, **steps)
    follow = problem.fold_curve if kind == "fold" else problem.hopf_curve
    steps = {} if along is None else {"step": along * Q, "max_step": 5.0 * abs(along) * Q}
    curve = follow(branch, "q", (across[0] * Q, across[1] * Q), **steps)
    first = [(one.kind, one.nature, one.parameter / P, 0.0) for one in branch.special_points]
    second = [(one.kind, "", one.parameter / Q, one.along["p"] / P) for one in curve.special_points]
    return sorted(first), sorted(second)


@pytest.mark.parametrize("declared", ["blocks", *slow("scale")])
@pytest.mark.parametrize("name", [*QUICK, *slow(*(one for one in CASES if one not in QUICK))])
def test_special_points_in_random_units(name, declared):
    case, rng = CASES[name], np.random.default_rng(len(name))
    n = len(case[0][1])
    units = (*10.0 ** rng.uniform(-DECADES, DECADES, (2, n)), *10.0 ** rng.uniform(-4.0, 4.0, 2))
    for expected, here in zip(found(case), found(case, units, declared), strict=True):
        assert [one[:2] for one in here] == [one[:2] for one in expected]
        places, others = (np.array([one[2:] for one in points]) for points in (here, expected))
        assert places == pytest.approx(others, abs=1e-6)


def test_eigenvalues_of_a_constrained_system_in_random_units():
    """Two rates and one constraint: the QZ algorithm sees numbers 24 decades apart."""
    rng = np.random.default_rng(5)
    J = np.array([[-1.0, 0.3, 0.2], [0.5, -2.0, 1.0], [1.0, 1.0, -1.0]])
    M = np.diag([1.0, 1.0, 0.0])
    exact = np.sort(np.linalg.eigvals(J[:2, :2] + np.outer(J[:2, 2], J[2, :2])).real)
    for _ in range(20):
        rows, columns = 10.0 ** rng.uniform(-DECADES, DECADES, (2, 3))
        A, B = (sp.csr_array(rows[:, None] * one * columns) for one in (J, M))
        assert np.sort(all_eigenvalues(A, B).real) == pytest.approx(exact, rel=1e-12)
        values, vectors = eigenvalues(A, B, (0.0,), 2)
        assert np.sort(values.real) == pytest.approx(exact, rel=1e-12)
        left = A @ vectors - (B @ vectors) * values
        terms = abs(A) @ np.abs(vectors) + (abs(B) @ np.abs(vectors)) * np.abs(values)
        assert (np.abs(left) <= 1e-12 * terms).all()


def test_factors_take_the_units_out():
    """What is balanced is the same up to powers of 2, whatever the units are."""
    rng = np.random.default_rng(7)
    J, M = rng.uniform(0.5, 1.0, (2, 4, 4))
    rows, columns = 10.0 ** rng.uniform(-DECADES, DECADES, (2, 4))
    units = sp.csr_array(rows[:, None] * J * columns), sp.csr_array(rows[:, None] * M * columns)
    balance = Balance.of(*units)
    for one in units:
        scaled = balance.scaled(one).toarray()
        assert np.abs(scaled).max() / np.abs(scaled).min() < 32.0
        assert np.array_equal(balance.unscaled(balance.scaled(one)).toarray(), one.toarray())
