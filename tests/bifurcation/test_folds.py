"""Folds: located to rounding, by whatever linear solver, with one analysis each of the matrices."""

import functools

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.continuation import Arclength, SecantPredictor, TangentPredictor
from sgsolve.linear.methods.direct.pardiso import available
from sgsolve.linear.methods.direct.superlu import SuperLU
from tests.bifurcation.arch_by_hand import ArchByHand
from tests.continuation.gallery import (
    Arch,
    bratu,
    bratu_2d,
    h_equation,
    s_curve,
    swift_hohenberg,
    tilted_pitchfork,
)
from tests.selection import slow

BRATU = {
    19: 3.5092569575,
    49: 3.5130993909,
    99: 3.5136479040,
    199: 3.5137850164,
    399: 3.5138192935,
    999: 3.5138288910,
}
BRATU_2D = {31: 6.8066527292, 63: 6.8077574946, 127: 6.8080327528}


@functools.cache
def bratu_fold(n, **options):
    problem = Problem(bratu, **options)
    return problem.continuation(np.zeros(n), "lam", (0.05, 4.0), step=0.2, max_step=0.6)


@pytest.mark.parametrize("n", [19, 199, *slow(49, 99, 399, 999)])
def test_bratu(n):
    branch = bratu_fold(n)
    assert branch.success
    (fold,) = branch.special_points
    assert abs(fold.parameter - BRATU[n]) < 1e-10
    assert branch["lam"][-1] == 0.05
    assert branch.states[-1].max() > 5.0  # the upper branch
    assert branch.stats.n_analyze <= 2  # J for the first point, and the bordered matrix


def test_the_null_vector_belongs_to_the_jacobian():
    (fold,) = bratu_fold(49).special_points
    J = Problem(bratu).at(lam=fold.parameter).jacobian(fold.x)
    assert np.abs(J @ fold.vector).max() < 1e-9 * abs(J).max()
    assert np.abs(bratu(fold.x, fold.parameter)).max() < 1e-8


def test_the_continuum_is_approached_with_order_two():
    exact = 3.5138307191
    errors = [exact - BRATU[n] for n in (49, 99, 199)]
    found = [exact - bratu_fold(n).special_points[0].parameter for n in (49, 99, 199)]
    assert np.allclose(found, errors, atol=1e-9)
    assert np.allclose(np.log2(np.divide(found[:-1], found[1:])), 2.0, atol=0.01)


@pytest.mark.parametrize("backend", ["superlu", "pardiso", *slow("banded", "dense")])
def test_every_back_end_locates_the_fold(backend):
    if backend == "pardiso" and not available():
        pytest.skip("PARDISO is not installed")
    fold = bratu_fold(99, backend=backend).special_points[0]
    assert abs(fold.parameter - BRATU[99]) < 1e-10


class Counted(SuperLU):
    made = 0

    def __init__(self):
        super().__init__()
        type(self).made += 1


@pytest.mark.parametrize("backend", [lambda: Counted(), *slow(Counted, functools.partial(Counted))])
def test_a_back_end_by_factory_serves_the_bordered_matrix_too(backend):
    Counted.made = 0
    branch = bratu_fold(99, backend=backend)
    assert abs(branch.special_points[0].parameter - BRATU[99]) < 1e-9
    assert branch.stats.backend == "superlu"
    assert Counted.made >= 3  # one to see what it is, one for J, one for the matrix round it


@pytest.mark.parametrize(
    "n", [31, pytest.param(63, marks=pytest.mark.slow), pytest.param(127, marks=pytest.mark.slow)]
)
def test_bratu_in_two_dimensions(n):
    branch = Problem(bratu_2d(n)).continuation(
        np.zeros(n * n), "lam", (0.0, 7.0), step=0.5, max_step=1.0, stop="fold", keep_states="none"
    )
    assert abs(branch.special_points[0].parameter - BRATU_2D[n]) < 1e-9
    assert branch["lam"][-1] == branch.special_points[0].parameter
    assert branch.states.shape == (1, n * n)


@pytest.mark.slow
def test_the_number_of_points_does_not_depend_on_the_grid():
    counts = {len(bratu_fold(n)) for n in (49, 199, 999)}
    assert max(counts) - min(counts) <= 1


def test_s_curve_within_the_published_number_of_evaluations():
    branch = Problem(s_curve).continuation([-2.1038034], "lam", (0.0, 1.0), max_step=1.0)
    assert branch.success
    assert branch["lam"][-1] == 1.0
    assert abs(branch.x[0] - 2.1038034027) < 1e-9
    found = [(fold.parameter, fold.x[0]) for fold in branch.folds]
    assert np.allclose(found, [(5 / 6, -1.0), (1 / 6, 1.0)], atol=1e-10)
    assert branch.stats.nfev + branch.stats.njev <= 128
    assert np.abs(s_curve(branch.states[:, 0], branch["lam"])).max() < 1e-9


@pytest.mark.parametrize("predictor", [TangentPredictor(), SecantPredictor()])
def test_tilted_pitchfork(predictor):
    steps = Arclength(predictor=predictor)
    branch = Problem(tilted_pitchfork).continuation([-2.1], "mu", (-1.0, 1.0), steps=steps)
    found = [(fold.parameter, fold.x[0]) for fold in branch.special_points]
    assert np.allclose(found, [(2 / 3, -1.0), (-2 / 3, 1.0)], atol=1e-10)


def test_h_equation_round_its_fold():
    branch = Problem(h_equation(100)).continuation(
        np.ones(100), "c", (0.0, 1.1), max_step=0.3, until=lambda x: x[-1] > 8.0
    )
    (fold,) = branch.special_points
    assert abs(fold.parameter - 1.0) < 1e-10
    assert branch["c"][-1] < 0.9


def test_the_arch_is_the_arch_by_hand():
    arch, hand = Arch(), ArchByHand()
    u = np.random.default_rng(0).normal(size=arch.n)
    force, K = hand.assembled(u)
    residual = arch.residual(u, load=0.3)
    assert np.allclose(residual, force - 0.3 * hand.load, rtol=0, atol=1e-9 * np.abs(force).max())
    J = Problem(arch.residual).at(load=0.3).jacobian(u)
    assert np.abs(J - K).max() < 1e-10 * np.abs(K).max()


@pytest.mark.slow
def test_arch_snaps_through():
    """Both limit loads against a program of its own that prescribes how far the crown sinks."""
    arch = Arch()
    branch = Problem(arch.residual).continuation(
        np.zeros(arch.n), "load", (-0.5, 1.0), step=0.02, outputs={"top": lambda u: u[arch.top]}
    )
    assert branch.success
    folds = [fold.parameter for fold in branch.folds]
    assert np.allclose(folds, ArchByHand().folds(deepest=32.0), rtol=0, atol=1e-9)
    assert np.allclose(folds, [0.0899200341, -0.0330026972], rtol=0, atol=1e-9)
    assert branch["top"][-1] < -30.0  # inverted: the arch was 14 high


def test_snaking_branch_through_many_folds():
    """Localized states; the folds line up at the two edges of the snaking region."""
    n, length = 256, 30.0
    problem = Problem(swift_hohenberg(n, length, even=True))
    x = (np.arange(n) + 0.5) * length / n
    branch = problem.at(lam=-0.7).continuation(
        problem.at(lam=-0.7).solve(1.1 * np.cos(x) * np.exp(-(x**2) / 50.0)).x,
        "lam",
        (-2.0, 0.5),
        step=-0.01,
        max_step=0.05,
        max_points=120,
        detect="fold",
        keep_states="none",
        outputs={"norm": np.linalg.norm},
    )
    folds = np.array([fold.parameter for fold in branch.folds])
    assert len(folds) >= 6
    left, right = folds[folds < -0.67][1:4], folds[folds > -0.67][1:4]
    assert np.ptp(left) < 1e-3
    assert np.ptp(right) < 1e-3
    assert abs(left.mean() - -0.7127) < 1e-3
    assert abs(right.mean() - -0.6267) < 1e-3
    assert branch["norm"][-1] > branch["norm"][0] + 1.0
    assert branch.stats.n_analyze <= 3


def test_a_fold_curve_of_a_problem_with_blocks_by_shapes():
    """The system of a fold has one unknown more than the blocks."""

    def residual(u, v, p, q):
        return {"u": p + q * u - u**3, "v": v - u}

    blocks = {"u": (1,), "v": (1,)}
    problem = Problem(residual, params={"p": -1.0, "q": 1.0}, blocks=blocks, fields=True)
    branch = problem.continuation([-1.3, -1.3], "p", (-1.0, 1.0))
    curve = problem.fold_curve(branch, "q", (0.2, 2.0))
    # folds of p + q u - u^3: q = 3 u^2, p = 2 u^3
    assert np.abs(curve["p"]) == pytest.approx(2.0 * (curve["q"] / 3.0) ** 1.5, rel=1e-9)


def test_the_top_of_both_arms_of_a_pitchfork_is_no_fold():
    """The steady equation of Kuramoto and Sivashinsky: at nu = 1 one arm goes over to the other."""
    n = 64
    h = np.pi / (n + 1)

    def residual(u, nu):
        f = np.concatenate([[-u[1], -u[0], 0.0], u, [0.0, -u[-1], -u[-2]]])
        slope, second = (f[4:-2] - f[2:-4]) / (2.0 * h), (f[4:-2] - 2.0 * u + f[2:-4]) / h**2
        fourth = (f[5:-1] - 4.0 * f[4:-2] + 6.0 * u - 4.0 * f[2:-4] + f[1:-5]) / h**4
        return u * slope + second + nu * fourth

    problem = Problem(residual, params={"nu": 1.2})
    diagram = problem.bifurcation_diagram(np.zeros(n), "nu", (0.15, 1.2), depth=1)
    assert not diagram.special_points_of("fold")
    mode = 4.0 / h**2 * np.sin(0.5 * h) ** 2
    assert diagram.special_points[0].parameter == pytest.approx(1.0 / mode, abs=1e-9)
