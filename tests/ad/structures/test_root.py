"""What the cache of structures keeps, and that it keeps no more."""

import gc
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import ad
from sgsolve.ad.assembly.plan import Plans
from sgsolve.ad.programs import computation as evaluation
from sgsolve.ad.programs.derivative_graph import DerivativeGraph
from sgsolve.ad.structures.operands import Matrix
from sgsolve.ad.structures.root import Root

N = 50
X = np.linspace(0.1, 2.0, N)


@pytest.fixture(autouse=True)
def empty_cache():
    ad.clear_cache()


def root_of(y):
    return y._derivative.root.root


def count(root):
    """Number of structures, plans and operands that are kept for this number of unknowns."""
    total, pending, seen = 0, [root], {id(root)}
    while pending:
        node = pending.pop()
        total += 1
        for child in list(node.children.values()):
            made = child[0] if isinstance(child, tuple) else child
            if hasattr(made, "children") and id(made) not in seen:
                seen.add(id(made))
                pending.append(made)
    return total, len(root.memory(Plans).plans)


def test_equal_index_arrays_that_are_different_objects_make_nothing_new():
    def f(x):
        i, j = np.arange(N - 1), np.arange(1, N)
        flux = x[j] - x[i] ** 2
        return ad.sparsesum([ad.sparsevec(N, i, flux), ad.sparsevec(N, j.astype(np.int32), -flux)])

    for _ in range(3):
        y = f(ad.seed(X))
        J = y.jacobian
    known = count(root_of(y))
    for _ in range(5):
        again = f(ad.seed(X)).jacobian
        assert again.indices is J.indices
    assert count(root_of(y)) == known


def test_scalar_factor_that_changes_each_call_makes_no_new_plan():
    A = sp.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(N, N), format="csr")

    def f(x, dt):
        return (x - X) / dt - (A @ x) * dt + dt * np.exp(x) + 0.5 * dt * x[::-1]

    for dt in (1.0, 0.5, 0.25):
        y = f(ad.seed(X), dt)
        J = y.jacobian
    known = count(root_of(y))
    for dt in (0.1, 0.01, 1e-9, 0.0001, -3.0, 7):
        y = f(ad.seed(X), dt)
        assert y.jacobian.indices is J.indices
        expected = (
            np.eye(N) / dt - A.toarray() * dt + dt * np.diag(np.exp(X)) + 0.5 * dt * np.eye(N)[::-1]
        )
        np.testing.assert_allclose(y.jacobian.toarray(), expected, rtol=1e-14, atol=1e-13)
    assert count(root_of(y)) == known


def workload(x, mask=None):
    i, j = np.arange(N - 1), np.arange(1, N)
    flux = (x[j] - x[i]) * ad.bernoulli(x[i] - x[j])
    y = ad.sparsesum([ad.sparsevec(N, i, flux), ad.sparsevec(N, j, -flux)])
    if mask is not None:
        y = (
            y
            + ad.branch(mask, lambda k: np.log(x[k]), lambda k: x[k] * y[k])
            + np.where(mask, x, y)
        )
        y = y + ad.sparsesum([ad.sparsevec(N, np.flatnonzero(mask), x[mask])])
    return np.hstack([y[:5] ** 2, np.cumsum(y)[5:10], y[10:], np.sum(y)])


def test_second_evaluation_makes_no_new_structure():
    for _ in range(2):
        y = workload(ad.seed(X))
        J = y.jacobian
    known = count(root_of(y))
    for k in range(10):
        y = workload(ad.seed(X + 0.01 * k))
        assert y.jacobian.indices is J.indices
    assert count(root_of(y)) == known


def grown(evaluations, masked):
    """Return the number of structures, and bytes of operands, on the way through evaluations."""
    rng = np.random.default_rng(1)
    sizes = []
    for k in range(evaluations):
        y = workload(ad.seed(X), rng.random(N) < 0.5 if masked else None)
        if k % 50 == 0:
            y.jacobian
        if k % 500 == 499:
            sizes.append((sum(count(root_of(y))), root_of(y).operands.nbytes))
    return np.array(sizes).T


@pytest.mark.parametrize("evaluations", [1500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_the_cache_does_not_grow_over_many_evaluations(evaluations):
    structures, nbytes = grown(evaluations, masked=False)
    assert structures.max() == structures[0]
    assert nbytes.max() == nbytes[0]


@pytest.mark.parametrize("evaluations", [1500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_the_cache_does_not_grow_with_a_fresh_random_mask_each_time(evaluations):
    structures, nbytes = grown(evaluations, masked=True)
    assert structures.max() <= 5000
    assert nbytes.max() <= 1 << 27


def test_many_sizes_keep_few_roots():
    from sgsolve.ad.structures import root

    for n in range(1, 200):
        ad.seed(np.ones(n)) * 2.0
    assert len(root._roots) <= root.MOST_ROOTS


def test_a_matrix_that_is_another_one_each_time_is_not_kept(monkeypatch):
    def count():
        gc.collect()
        return sum(type(o) is Matrix for o in gc.get_objects())

    monkeypatch.setattr(Root, "PRUNE_BYTES", 1 << 16)
    A = sp.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(N, N), format="csr")
    before = count()  # of other tests
    for k in range(300):
        A.data[:] = np.cos(k + np.arange(len(A.data)))
        y = A @ np.exp(ad.seed(X))
        np.testing.assert_allclose(y.jacobian.toarray(), A.toarray() * np.exp(X), rtol=1e-14)
    assert count() - before < 60
    assert root_of(y).memory(DerivativeGraph).size < 120


def test_programs_outlive_the_pruning_of_other_things(monkeypatch):
    for _ in range(evaluation.COMPILE_AFTER + 2):
        y = workload(ad.seed(X))
        y.jacobian
    root = root_of(y)
    (program,) = [
        p for c in root.memory(DerivativeGraph).programs.values() for p in c.programs.values()
    ]
    root.prune()
    y = workload(ad.seed(X + 0.5))
    J = y.jacobian
    assert root_of(y) is root
    assert [
        p for c in root.memory(DerivativeGraph).programs.values() for p in c.programs.values()
    ] == [program]
    ad.clear_cache()
    np.testing.assert_allclose(J.toarray(), workload(ad.seed(X + 0.5)).jacobian.toarray())


@pytest.fixture
def fast_switching():
    """Threads take turns a thousand times as often as they do by default."""
    ordinary = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(ordinary)


@pytest.mark.usefixtures("fast_switching")
@pytest.mark.parametrize("rounds", [100, pytest.param(5000, marks=pytest.mark.slow)])
def test_threads_on_one_seed(rounds):
    def g(x, k):
        y = np.exp(x * (k + 1.5)) * x[::-1] + np.sin(x) * X
        if k % 2:  # exponentials that overflow for some of the threads
            y = y + 1.0 / (1.0 + np.exp(x * 150 * (k + 1)))
        return y

    with np.errstate(over="ignore"):
        expected = [g(ad.seed(X), k).jacobian.toarray() for k in range(8)]

    def jacobian(x, k):
        with np.errstate(over="ignore"):
            return g(x, k).jacobian.toarray()

    with ThreadPoolExecutor(8) as pool:
        for number in range(rounds):
            if number % 30 == 0:
                ad.clear_cache()  # programs are made again
            x = ad.seed(X)
            found = list(pool.map(lambda k, x=x: jacobian(x, k), range(8)))
            for J, exact in zip(found, expected, strict=True):
                np.testing.assert_allclose(J, exact, rtol=1e-12)
