"""Eigenvalues and Hopf points against closed forms."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import ConvergenceError, Problem
from sgsolve.bifurcation import Stability
from sgsolve.bifurcation.spectra.hidden_pairs import EigenvalueCount, is_pair_hidden
from sgsolve.bifurcation.spectra.spectrum import eigenvalues
from sgsolve.errors import LinearSolveError
from tests.selection import slow


def spiral(u, p):
    """Eigenvalues p +- 2 i at the origin."""
    x, y = u
    r = x**2 + y**2
    return np.stack([p * x - 2.0 * y - x * r, 2.0 * x + p * y - y * r])


def test_a_mass_matrix_scales_the_frequency():
    for mass, frequency in ((1.0, 2.0), (4.0, 0.5), (4.0 * np.eye(2), 0.5), (-1.0, 2.0)):
        branch = Problem(spiral, params={"p": -1.0}).continuation(
            [0.0, 0.0], "p", (-1.0, 1.0), stability=Stability(mass=mass)
        )
        (hopf,) = branch.hopf_points
        assert hopf.parameter == pytest.approx(0.0, abs=1e-9)
        assert abs(hopf.frequency) == pytest.approx(frequency)
        counts = branch["unstable"].tolist()
        assert counts == sorted(counts, reverse=np.ndim(mass) == 0 and mass < 0.0)


def test_a_pair_that_becomes_real_to_the_right_of_the_axis_is_no_hopf_point():
    """mu^2 - 2 p mu + q = 0 with q = 0.05 - p: real from p = 0.17913 on; Hopf point at p = 0."""

    def residual(u, p):
        x, y = u
        return np.stack([y, 2.0 * p * y - (0.05 - p) * x])

    branch = Problem(residual, params={"p": -0.5}).continuation(
        [0.0, 0.0], "p", (-0.5, 0.04), stability=True, step=0.3, max_step=1.0
    )
    assert [h.parameter for h in branch.hopf_points] == pytest.approx([0.0], abs=1e-9)


def hidden(u, p):
    """mu^2 - 2 p mu + q = 0 with q = 0.01 - 3 p^2: real, and of one sign, beyond |p| = 0.05."""
    x, y = u
    return np.stack([y, 2.0 * p * y - (0.01 - 3.0 * p**2) * x])


@pytest.mark.parametrize("step", [0.055, *slow(0.03, 0.1)])
def test_a_pair_that_is_complex_near_the_axis_only_is_found(step):
    """Both ends of a step may have real eigenvalues: two stable ones and two unstable ones."""
    branch = Problem(hidden, params={"p": -0.055}).continuation(
        [0.0, 0.0], "p", (-0.055, 0.055), stability=True, step=step, max_step=step
    )
    assert [h.parameter for h in branch.hopf_points] == pytest.approx([0.0], abs=1e-9)
    assert branch.hopf_points[0].frequency == pytest.approx(0.1, rel=1e-9)


def test_a_hopf_point_in_one_step_with_a_fold_is_found():
    """At the fold y = 0 one of two real eigenvalues vanishes; before it they were a pair.

    In the unfolding x' = y, y' = b1 + b2 y + x^2 + x y the Hopf point is at b1 = -b2^2.
    """

    def takens(u, b1):
        x, y = u
        return np.stack([y, b1 + 0.1 * y + x**2 + x * y])

    for length in (0.02, 0.3, 1.0):
        branch = Problem(takens, params={"b1": -1.0}).continuation(
            [-1.0, 0.0], "b1", (-1.0, 0.5), stability=True, step=length, max_step=length
        )
        assert [fold.parameter for fold in branch.folds] == pytest.approx([0.0], abs=1e-10)
        assert [h.parameter for h in branch.hopf_points] == pytest.approx([-0.01], abs=1e-9)


@pytest.mark.parametrize(
    ("counts", "crossings", "expected"),
    [
        ([(0, 1), (2, 0)], [], True),  # a pair became two positive eigenvalues
        ([(0, 1), (2, 0)], [0.5], False),
        ([(0, 1), (2, 1)], [], False),  # two real ones
        ([(0, 1), (1, 0, 1), (1, 0)], [], True),  # ... and one of them passed zero at a fold
        ([(0, 1), (0, 1, 1), (1, 1)], [], False),  # a fold alone
        ([(0, 1), (0, 0, 2), (0, 1)], [], False),  # two zeros: nothing is certain
        ([(2, 0), (1, 0, 1), (1, 0)], [], False),  # one of two positive eigenvalues passes zero
        ([(2, 0), (1, 0, 1), (0, 0, 1), (0, 0)], [], False),
        ([(0, 1), (1, 0)], [], False),  # a real one, without a special point that is known
    ],
)
def test_what_a_number_of_unstable_eigenvalues_shows(counts, crossings, expected):
    places = [EigenvalueCount(s, *one) for s, one in enumerate(counts)]
    assert is_pair_hidden(places, crossings) is expected


def test_eigenvalues_are_those_of_numpy_for_every_kind_of_mass():
    rng = np.random.default_rng(0)
    J = sp.csr_array(rng.standard_normal((6, 6)))
    for M in (sp.eye_array(6), sp.diags_array(np.arange(1.0, 7.0)), sp.csr_array(np.eye(6) + 0.1)):
        found = eigenvalues(J, sp.csr_array(M), (0.0,), 4)[0]
        expected = np.linalg.eigvals(np.linalg.solve(M.toarray(), J.toarray()))
        np.testing.assert_allclose(_in_order(found), _in_order(expected), rtol=1e-9)


def _in_order(eigenvalues):
    """Sort by the real part, pairs by the imaginary part, whatever rounding makes of their real."""
    return eigenvalues[np.lexsort((eigenvalues.imag, eigenvalues.real.round(9)))]


def test_a_pencil_that_is_singular_everywhere_is_an_error():
    """J and M have a null vector in common: J - sigma M is singular for every sigma."""
    n = 300
    diagonal = np.ones(n)
    diagonal[7] = 0.0
    J = sp.csr_array(sp.diags_array(diagonal))
    M = sp.csr_array(sp.diags_array(diagonal))
    with pytest.raises(LinearSolveError, match="singular at and near sigma"):
        eigenvalues(J, M, (0.0,), 4)


def test_an_eigenvalue_that_left_its_disc_is_found_again():
    """The unstable pair 0.1 +- 3 i moves to 0.1 +- 5 i, outside the disc of eigenvalues near 0."""
    n = 400
    rates = -0.01 * np.arange(1, n - 1)

    def pencil(omega):
        spiral = np.array([[0.1, -omega], [omega, 0.1]])
        return sp.csr_array(sp.block_diag([sp.diags_array(rates), spiral]))

    M = sp.csr_array(sp.block_diag([sp.eye_array(n - 2), np.array([[1.0, 1e-9], [0.0, 1.0]])]))
    before = np.array([0.1 + 3.0j, 0.1 - 3.0j])
    found = eigenvalues(pencil(5.0), M, (0.0,), 6, before)[0]
    unstable = found[found.real > 0.05]
    np.testing.assert_allclose(np.sort_complex(unstable), [0.1 - 5.0j, 0.1 + 5.0j], rtol=1e-6)
    assert not (eigenvalues(pencil(5.0), M, (0.0,), 6)[0].real > 0.05).any()


def test_a_branch_that_cannot_be_entered_is_an_error():
    """The tangents of a branch point at which only one branch passes lead nowhere."""
    problem = Problem(lambda x, p: p * x - x**3, params={"p": -1.0})
    branch = problem.continuation([0.0], "p", (-1.0, 1.0))
    (point,) = branch.branch_points
    isolated = Problem(lambda x, p: x * (1.0 + 0.0 * p), params={"p": -1.0})
    with pytest.raises(ConvergenceError, match=r"entered with steps down to .*find_solutions"):
        isolated.switch_branch(branch, point)
