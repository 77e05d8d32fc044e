"""Long loops over elements carry rows of derivatives: the same slopes as recorded operations."""

import gc
import weakref

import numpy as np
import pytest

from sgsolve import Problem, ad
from sgsolve.ad.derivatives.sparsity import all_branches_wanted
from sgsolve.ad.programs.element_loops import filled_rows, number_rows, row_tables

N = 40
PAIRS = [tuple(map(int, pair)) for pair in np.random.default_rng(5).integers(0, N, (120, 2))]
X = np.linspace(0.2, 0.9, N)


def stamps(x):
    F = np.zeros_like(x)
    for a, b in PAIRS:
        u = x[a] - x[b]
        current = u / 1e3 + np.sin(u) * x[a] * 1e-2 / (1.0 + x[b] ** 2)
        F[a] += current
        F[b] -= current
    F[0] = x[0] - 1.0
    F[-1] = x[-1] * 0.0 + 2.0
    return F


def equations(x):
    rows = [x[a] * x[b] - np.exp(-(x[a] ** 2)) for a, b in PAIRS[:N]]
    rows[3] = x[3] if x[4] > 0.3 else 2.0 * x[5]
    rows[4] = np.where(x[4] > 0.3, x[4] ** 3, np.maximum(x[5], x[6]))
    rows[5] = 2.0 ** x[7] / np.arctan2(x[8], 2.0) + abs(-x[9])
    return rows


def array_of_elements(x):
    return np.array([np.hypot(x[a], x[b]) - 1.0 / x[a] for a, b in PAIRS[:N]])


def padded(x):
    full = np.concatenate([[0.0], x, [1.0]])
    F = x * 1.0
    for i in range(N):
        F[i] = full[i] - 2.0 * full[i + 1] + full[i + 2] ** 3
    return F


def overwritten(x):
    F = x**2
    for a, b in PAIRS:
        F[a] = x[a] * x[b]
    G = F * x
    for a, b in PAIRS:
        F[b] = G[a] - F[a]
    return F + G


def grid(x):
    u = x.reshape(5, 8)
    F = np.zeros_like(u)
    for i in range(5):
        for j in range(8):
            F[i, j] = u[i, j] ** 2 - u[(i + 1) % 5, j] * u[i, j - 1]
            if i:
                F[i, j] += F[i - 1, j] * 0.5
    return F.ravel()


def names_and_views(x):
    F = np.zeros_like(x)
    for i in range(N):
        F[i] = x[i] ** 2
    same, copied, other = +F, F.copy(), F
    total = F[3:6].sum()
    for i in range(N):
        other[i] *= x[(i + 1) % N]
    return F + same + copied * total


def integers_of_numpy(x):
    F = np.zeros_like(x)
    for a, b in np.array(PAIRS):
        F[a] -= x[a] * x[b] ** 3
        F[b] = F[b] + np.tanh(x[a]) / x[b]
    return F


def recurrence(x):
    y = np.zeros_like(x)
    y[0] = x[0]
    for i in range(1, N):
        y[i] = 0.9 * y[i - 1] + x[i] ** 2
    return y * 2.0 - np.roll(y, 1)


def with_vectors(x):
    y = x * np.roll(x, 1)
    F = np.zeros_like(x)
    for a, b in PAIRS:
        F[a] += y[a] * x[b] + np.dot(x[:3], x[3:6])
    F[5:9] = x[5:9] ** 2
    for a, b in PAIRS[::-1]:
        F[a] += y[b]
    F *= 2.0
    for a, b in PAIRS[::3]:
        F[a] /= x[b]
    return F


def iterated(x):
    return [np.sqrt(v * v + 1.0) - v / x[0] for v in x]


def complex_between(x):
    F = np.zeros_like(x)
    for a, b in PAIRS[:15]:
        z = x[a] + 0.7j * (x[b] * x[a])
        F[a] += abs(z) + (z * np.exp(1j * x[b])).real
        F[b] -= np.angle(1.5 - z) * (x[a] + (1.0 + 2.0j) * x[b]).imag
    return F


def slices_of_what_was_filled(x):
    F, G = np.zeros_like(x), x * 1.0
    for i in range(N):
        F[i] = x[i] ** 2
        G[i] *= x[i - 1] + F[max(i - 3, 0) : i + 1].sum() * G[i : i + 3][::-1][0]
        if i == N // 2:
            copied = F.copy()
            F[3] = copied[2] * G[i - 4 : i : 2].sum()
            copied[5] += F[3]
    return F + G * copied


def reshaped(x):
    F = np.zeros_like(x).reshape(5, 8)
    u = x[::-1][3:][::2]
    for i, v in enumerate(u):
        F[i % 5, i % 8] += v * u[i - 1]
        F.flat[-1 - i] += F.flat[i] * v
    return F.flat[:] + F.ravel()


def parts(x):
    u = x.reshape(8, 5)
    F, G = np.zeros_like(u), x * 2.0
    for i in range(8):
        F[i, 1:3] = u[i, 1:3] ** 2 * u[i, 0]
        F[i, 3:] = u[i - 1, 3:]
        F[i, 0] = G[i] * F[i - 1, 2]
        G[2 * i : 2 * i + 2] = F[i, 3:] * F[i, 0]
        G[-3:] = 0.5 if i == 2 else np.array([1.0, 2.0, 3.0])
        F[i, ::2] = F[i, 4] if i == 3 else F[i, [0, 3, 1]]
        F[-1] += u[i]
    F[0:2, 1:3] = u[2:4, 2:4] * u[0, 0]
    return F.ravel() + G


LOOPS = [
    stamps, equations, array_of_elements, padded, overwritten, grid, names_and_views,
    integers_of_numpy, recurrence, with_vectors, iterated, complex_between,
    slices_of_what_was_filled, reshaped, parts,
]  # fmt: skip


def test_only_slices_of_unknowns_have_rows_of_one_slope():
    x = ad.seed(X)
    for y in (x, x + 0.0):
        assert list(number_rows.read_unknowns(y._derivative)) == list(range(N))
        assert number_rows.read_unknowns(y._derivative.carried_out()) == list(range(N))
    assert number_rows.read_unknowns(x[::-2][1:]._derivative) == list(range(N - 3, -1, -2))
    for y in (2.0 * x, x + 0.0 * np.sin(x), x + x[::-1], np.cumsum(x), x * X, x[[0, 1, 1]]):
        assert number_rows.read_unknowns(y._derivative) is None
    assert number_rows.read_unknowns((x + 0.0 * np.sin(x))._derivative.carried_out()) is None


def evaluated(f, few, monkeypatch):
    monkeypatch.setattr(row_tables, "FEW_READS", few)
    ad.clear_cache()
    first = ad.value_and_jacobian(f, X)
    F, J = ad.value_and_jacobian(f, X)  # numbers are rows from the first one on
    np.testing.assert_allclose(J.toarray(), first[1].toarray(), rtol=1e-13, atol=1e-15)
    return F, J


@pytest.mark.parametrize("f", LOOPS)
def test_slopes_are_those_of_recorded_operations(f, monkeypatch):
    values, default = np.hstack(f(X)), row_tables.FEW_READS
    expected = evaluated(f, 10**9, monkeypatch)[1]
    for few in (0, default):
        F, J = evaluated(f, few, monkeypatch)
        np.testing.assert_array_equal(F, values)
        np.testing.assert_allclose(J.toarray(), expected.toarray(), rtol=1e-13, atol=1e-15)
        assert J.nnz == expected.nnz, few


# The drivers alone join an array of objects.
@pytest.mark.parametrize("f", [f for f in LOOPS if f is not array_of_elements])
def test_the_sparsity_pattern_holds_all_entries(f, monkeypatch):
    def joined(x):
        return np.hstack([np.ravel(part) for part in f(x)]) if isinstance(f(x), list) else f(x)

    monkeypatch.setattr(row_tables, "FEW_READS", 10)
    for _ in range(2):
        pattern = ad.sparsity_pattern(joined(ad.seed_sparsity(X)))
        data = ad.jacobian_values(joined(ad.seed(X)), pattern)
        np.testing.assert_allclose(
            pattern.matrix(data).toarray(), ad.jacobian(f, X).toarray(), rtol=1e-13, atol=1e-15
        )


@pytest.mark.parametrize("compiled", [False, True])
def test_a_network_written_as_a_loop_is_solved_and_swept(compiled):
    if compiled:
        pytest.importorskip("llvmlite")

    def residual(v, source):
        F = np.zeros_like(v)
        for a in range(N - 1):
            current = 1e-3 * (v[a] - v[a + 1]) + 1e-9 * (np.exp(v[a] - v[a + 1]) - 1.0)
            F[a] += current
            F[a + 1] -= current
        F[0] = v[0] - source
        F[N - 1] = v[N - 1]
        return F

    problem = Problem(residual, params={"source": 1.0}, compiled=compiled)
    branch = problem.sweep(np.zeros(N), "source", [1.0, 2.0, 3.0])
    np.testing.assert_allclose(branch.states[-1], np.linspace(3.0, 0.0, N), atol=1e-10)


def test_the_work_of_a_loop_grows_with_its_length(monkeypatch):
    """Each assignment makes one row: no operation is on all rows that were made before."""
    made = []
    monkeypatch.setattr(number_rows.NumberRow, "_make", lambda row: made.append(row))
    ad.jacobian(stamps, X)
    assert len(ad.jacobian(stamps, X).data) > N
    assert not made


def test_a_short_slice_of_what_a_loop_fills_costs_its_length(monkeypatch):
    joined = filled_rows.joined_rows
    sizes = []

    def counted(root, numbers, size, is_sparsity):
        sizes.append(len(numbers))
        return joined(root, numbers, size, is_sparsity)

    def sums(x):
        F = np.zeros_like(x)
        for i in range(len(x)):
            F[i] = x[i] ** 2
            F[i] += F[max(i - 3, 0) : i + 1].sum()
        return F

    monkeypatch.setattr(filled_rows, "joined_rows", counted)
    x = np.linspace(0.2, 0.9, 100)
    ad.jacobian(sums, x)  # numbers are rows from the next one on
    sizes.clear()
    ad.jacobian(sums, x)
    assert max(sizes[:-1]) <= 15
    assert sizes[-1] == 100


def test_quotients_of_tiny_numbers_have_finite_slopes(monkeypatch):
    def ratios(x):
        return [(x[i] * 1e-310) / (x[i - 1] * 1e-310) for i in range(N)]

    J = evaluated(ratios, 0, monkeypatch)[1].toarray()
    i = np.arange(N)
    np.testing.assert_allclose(J[i, i], 1.0 / X[i - 1], rtol=1e-10)
    np.testing.assert_allclose(J[i, i - 1], -X / X[i - 1] ** 2, rtol=1e-10)


@pytest.mark.parametrize("f", [padded, with_vectors])
@pytest.mark.parametrize("seed", [ad.seed, ad.seed_sparsity])
def test_an_evaluation_ends_with_its_arrays(f, seed):
    """Without the garbage collector: an evaluation of the pattern would open all branches later."""
    gc.disable()
    try:
        for _ in range(2):
            x = seed(X)
            evaluation = weakref.ref(x._derivative.root)
            y = f(x)
            assert evaluation() is not None
            del x, y
            assert evaluation() is None
        assert not all_branches_wanted()
    finally:
        gc.enable()
