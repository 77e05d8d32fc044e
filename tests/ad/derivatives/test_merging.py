"""Chains of stages: the cost of a derivative stays that of its own pattern."""

import gc
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import ad
from sgsolve.ad.derivatives import merging
from sgsolve.ad.programs.recorded import Recorded
from sgsolve.ad.structures.root import Root
from tests.selection import slow


def laplacian(n):
    return sp.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(n, n), format="csr")


def by_matrix(x, stages):
    A = laplacian(len(x))
    for _ in range(stages):
        x = x + 0.05 * (A @ x) - 0.01 * x**3
    return x


def only_products(x, stages):
    A = laplacian(len(x))
    for _ in range(stages):
        x = 0.4 * (A @ np.sin(x))
    return x


def linear(x, stages):
    A = laplacian(len(x))
    for _ in range(stages):
        x = x + 0.05 * (A @ x)
    return x


def by_slices(x, stages):
    for _ in range(stages):
        d = x[1:] - x[:-1]
        f = d * np.exp(-x[1:] * x[:-1])
        x = x + 0.01 * np.concatenate([f[:1], f[1:] - f[:-1], -f[-1:]])
    return x


def by_roll(x, stages):
    for _ in range(stages):
        x = x + 0.1 * (np.roll(x, 1) - 2 * x + np.roll(x, -1)) * np.cos(x)
    return x


def by_index(x, stages):
    i = np.arange(len(x))
    left, right = np.maximum(i - 1, 0), np.minimum(i + 1, len(x) - 1)
    for _ in range(stages):
        x = x + 0.1 * np.tanh(x[left] - 2 * x + x[right])
    return x


def by_scatter(x, stages):
    i = np.arange(len(x) - 1)
    for _ in range(stages):
        f = np.tanh(x[i + 1] - x[i]) * x[i]
        n = len(x)
        x = x + 0.1 * ad.sparsesum([ad.sparsevec(n, i, f), ad.sparsevec(n, i + 1, -f)])
    return x


def runge_kutta(x, stages):
    A, h = laplacian(len(x)), 0.02
    for _ in range(stages // 4):
        k1 = A @ x - x**3
        k2 = A @ (x + h / 2 * k1) - (x + h / 2 * k1) ** 3
        k3 = A @ (x + h / 2 * k2) - (x + h / 2 * k2) ** 3
        k4 = A @ (x + h * k3) - (x + h * k3) ** 3
        x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x


def on_a_grid(x, stages):
    u = x.reshape(10, -1)
    for _ in range(stages // 2):
        p = np.pad(u, 1, mode="edge")
        around = p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2]
        u = u + 0.05 * (around - 4 * u) * u
    return u.ravel()


def two_fields(x, stages):
    m = len(x) // 2
    D = sp.csr_array(np.eye(m, k=1) - np.eye(m))
    u, v = x[:m], x[m:]
    for _ in range(stages):
        u, v = u + 0.1 * (D @ v) * u, v + 0.1 * (D.T @ u) - 0.1 * v**3
    return np.hstack([u, v])


def recursive_filter(x, stages):
    for _ in range(stages):
        x = np.concatenate([x[:1], 0.5 * x[1:] + 0.5 * np.sin(x[:-1])])
    return x


def one_boundary(x, stages):
    for _ in range(stages):
        x = np.concatenate([0.5 * x[:1] + 0.1 * x[1:2] ** 2, x[1:]])
    return x


def by_weights(x, stages):
    for k in range(stages):
        x = x + np.linspace(0.01, 0.02, len(x)) * (k + 1) * x
    return x


CHAINS = [
    by_matrix, only_products, linear, by_slices, by_roll, by_index, by_scatter, runge_kutta,
    on_a_grid, two_fields, recursive_filter, one_boundary, by_weights,
]  # fmt: skip
FEW = [by_slices, by_index, two_fields]
SEVERAL = [*FEW, linear, by_scatter, runge_kutta, recursive_filter]


@pytest.fixture(autouse=True)
def empty_cache():
    ad.clear_cache()


def point(n):
    return np.linspace(-0.9, 1.0, n) + 0.01 * np.cos(np.arange(n))


@pytest.mark.parametrize("chain", [*SEVERAL, *slow(*(c for c in CHAINS if c not in SEVERAL))])
def test_values_of_a_chain(chain):
    """All columns by complex steps: on the first evaluation, on a used cache, and compiled."""
    x, stages = point(40), 12
    steps = x + 1e-30j * np.eye(40)
    exact = np.stack([chain(z, stages).imag / 1e-30 for z in steps], axis=1)
    size = np.abs(exact).max()
    for _ in range(8):
        J = ad.jacobian(chain, x, stages)
        assert np.abs(J.toarray() - exact).max() <= 1e-13 * size
    v = np.cos(np.arange(40))
    assert np.abs(ad.jvp(chain, x, v, stages)[1] - exact @ v).max() <= 1e-12 * size
    s = chain(ad.seed_sparsity(x), stages)
    assert (s.sparsity.toarray() >= (J.toarray() != 0)).all()
    J_on_s = ad.sparsity_pattern(s).matrix(
        ad.jacobian_values(chain(ad.seed(x), stages), ad.sparsity_pattern(s))
    )
    assert np.abs(J_on_s.toarray() - exact).max() <= 1e-13 * size


@pytest.mark.parametrize("chain", [*FEW, *slow(*(c for c in CHAINS if c not in FEW))])
def test_memory_of_a_chain(chain):
    """No derivative on the way holds more coefficients than a few times its pattern."""
    n, stages = 200, 24
    tracemalloc.start()
    J = ad.jacobian(chain, point(n), stages)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # One stage costs up to 20 numbers for each entry of its own pattern, which grows to the last.
    assert peak < 160 * stages * max(J.nnz, 5 * n)


@pytest.mark.parametrize("chain", [by_matrix, by_slices, by_scatter, two_fields])
@pytest.mark.parametrize("recorded", [True, False])
def test_merged_structures_are_found_again(chain, recorded, monkeypatch):
    """No plan is made after the first evaluation, recorded or carried out on the way."""
    if not recorded:
        monkeypatch.setattr("sgsolve.ad.programs.tape.TAPE_BYTES", 0)
        monkeypatch.setattr("sgsolve.ad.programs.tape.TAPE_VECTORS", 0)
    x = point(50)
    J = ad.jacobian(chain, x, 12).toarray()
    with monkeypatch.context() as m:
        m.setattr(merging, "Plan", None)
        m.setattr(merging, "Layout", None)
        for _ in range(3):
            y = chain(ad.seed(x), 12)
            assert (type(y._derivative) is Recorded) == recorded
            assert np.array_equal(y.jacobian.toarray(), J)


def test_merged_structures_are_forgotten(monkeypatch):
    """What is merged anew on every evaluation does not pile up."""
    monkeypatch.setattr(Root, "PRUNE_BYTES", 1 << 20)
    n = 60
    sizes = []
    tracemalloc.start()
    for k in range(20):
        i = np.random.default_rng(k).permutation(n)
        ad.jacobian(lambda u, i=i: by_matrix(by_matrix(u, 6)[i], 6), point(n))
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert max(sizes[10:]) < 1.5 * max(sizes[:10])


def test_entries_that_cancel_stay():
    """The pattern of a merged derivative depends on the code, not on values."""

    def f(x):
        for _ in range(6):
            x = x[1:] - x[:-1]
            x = np.concatenate([x, x[:1]]) - np.concatenate([x, x[:1]]) + 0 * x[0]
        return x

    x = np.ones(30)
    J = ad.jacobian(f, x)
    assert J.nnz > 30
    assert not J.toarray().any()


def test_infinite_slopes_stay_in_their_rows():
    x = np.array([0.0, 1.0, 4.0, 9.0, 16.0, 25.0])

    def f(x):
        r = np.sqrt(x)
        for _ in range(8):
            r = r + np.roll(r, 1) ** 2
            r = np.where(np.arange(6) % 2 == 0, r, np.roll(r, 2))
        return r

    with np.errstate(all="ignore"):
        J = ad.jacobian(f, x).toarray()
        exact = np.stack([f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(6)[1:]], axis=1)
    assert np.abs(J[:, 1:] - exact).max() <= 1e-13 * np.abs(exact).max()


def test_stages_beyond_the_room_are_not_kept(monkeypatch):
    """Twice the stages, twice the result: and twice the memory, not four times."""
    monkeypatch.setattr(merging, "KEPT_BYTES", 1 << 16)
    x = point(80)
    kept, peaks, entries = [], [], []
    for stages in (5, 10, 20):
        ad.clear_cache()
        gc.collect()
        tracemalloc.start()
        J = ad.jacobian(by_slices, x, stages)
        kept.append(tracemalloc.get_traced_memory()[0])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        entries.append(J.nnz)
    for k in (1, 2):
        growth = entries[k] / entries[k - 1]
        assert kept[k] < 1.3 * growth * kept[k - 1]
        assert peaks[k] < 1.3 * growth * peaks[k - 1]


@pytest.mark.parametrize("chain", [*SEVERAL, *slow(*(c for c in CHAINS if c not in SEVERAL))])
def test_values_of_a_chain_without_room(chain, monkeypatch):
    """Nothing is kept, or only the first stages are: the values are those of an empty cache."""
    x, stages = point(40), 4
    exact = [ad.jacobian(chain, z, stages).toarray() for z in (x, 0.9 * x)]
    pattern = ad.sparsity_pattern(chain(ad.seed_sparsity(x), stages))
    for room in (0, 1 << 15):
        ad.clear_cache()
        monkeypatch.setattr(merging, "KEPT_BYTES", room)
        for k in range(8):
            J = ad.jacobian(chain, (x, 0.9 * x)[k % 2], stages).toarray()
            assert np.abs(J - exact[k % 2]).max() <= 1e-13 * np.abs(J).max()
        again = ad.sparsity_pattern(chain(ad.seed_sparsity(x), stages))
        assert again.equals(pattern)
        J = again.matrix(ad.jacobian_values(chain(ad.seed(x), stages), again)).toarray()
        assert np.abs(J - exact[0]).max() <= 1e-13 * np.abs(J).max()


def test_passing_stages_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(merging, "KEPT_BYTES", 0)
    sizes = []
    tracemalloc.start()
    for _ in range(10):
        ad.jacobian(by_slices, point(40), 4)
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert max(sizes[7:]) < 1.2 * max(sizes[3:7])


def test_a_mask_that_changes_without_room(monkeypatch):
    """Elements put back where they were taken from: the pattern holds for every mask."""
    monkeypatch.setattr(merging, "KEPT_BYTES", 0)
    x = point(40)

    def f(u):
        u = by_slices(u, 8)
        return ad.branch(u > 0, lambda i: u[i] * u[i], lambda i: np.sin(u[i]))

    pattern = ad.sparsity_pattern(f(ad.seed_sparsity(x)))
    v, h = np.cos(np.arange(40)), 1e-6
    for shift in (0.0, 0.3, -0.3):
        z = x + shift
        J = pattern.matrix(ad.jacobian_values(f(ad.seed(z)), pattern))
        difference = (f(z + h * v) - f(z - h * v)) / (2 * h)
        assert np.abs(J @ v - difference).max() < 1e-8


def test_a_sample_decides_as_all_rows_do(monkeypatch):
    """Whether terms are merged is decided from a sample of the rows."""
    x = point(3000)
    J = ad.jacobian(by_slices, x, 8)
    with monkeypatch.context() as m:
        m.setattr(merging, "SAMPLE", 100_000)
        ad.clear_cache()
        every = ad.jacobian(by_slices, x, 8)
    assert np.array_equal(J.indices, every.indices)
    assert np.allclose(J.data, every.data, rtol=1e-13, atol=0)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_many_terms_of_few_elements(n):
    x = np.linspace(0.5, 1.0, n)

    def f(u):
        for k in range(40):
            u = u + 0.01 * np.concatenate([u[k % max(n, 1) :], u[: k % max(n, 1)]]) * np.cos(u)
        return u[: n // 2]

    J = ad.jacobian(f, x).toarray()
    assert J.shape == (n // 2, n)
    exact = [f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(n)]
    assert np.allclose(J.T, np.reshape(exact, J.T.shape), rtol=1e-12)
