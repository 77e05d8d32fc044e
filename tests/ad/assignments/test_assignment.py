"""Assignment to elements: NumPy's outcome for values and slopes, or a refusal in words."""

import numpy as np
import pytest

from sgsolve import Pattern, Problem, ad
from sgsolve.ad.drivers.function_calls import evaluate
from sgsolve.errors import DataTypeError, DerivativeError, ShapeError
from tests.ad.differences import numeric_jacobian
from tests.ad.kernels.compiled_help import needs_llvmlite

X = np.array([0.55, 0.6, 0.7, 0.8, 1.1, 1.3])


def check(f, x=X, evaluations=4):
    """Compare with NumPy's values and central differences, also when the code is a program."""
    h = 1e-6
    for k in range(evaluations):
        x = x + 0.001 * k
        want = f(x.copy())
        y = f(ad.seed(x))
        assert np.array_equal(y.value, want)
        steps = np.eye(len(x)) * h
        slopes = np.stack([(f(x + e) - f(x - e)).ravel() / (2 * h) for e in steps], axis=1)
        np.testing.assert_allclose(y.jacobian.toarray(), slopes, atol=1e-8)
        pattern = f(ad.seed_sparsity(x)).sparsity.toarray()
        assert np.all(pattern[slopes != 0.0])
    return y


def laplace(x):
    F = np.zeros_like(x)
    F[1:-1] = x[2:] - 2 * x[1:-1] + x[:-2]
    F[0] = x[0] - 1.0
    F[-1] = x[-1] ** 2
    return F


def overwritten(x):
    F = x**2 - 1.0
    F[0] = x[1] * 3.0
    F[2:4] = x[:2] * x[2:4]
    F[-2:] = [x[0], 2.5]
    return F


def in_a_loop(x):
    F = np.empty(len(x), like=x)
    for i in range(len(x)):
        F[i] = x[i] ** 2 - x[i - 1]
    return F


def augmented(x):
    F = np.zeros_like(x)
    flux = x[1:] ** 2 - x[:-1]
    F[:-1] += flux
    F[1:] -= flux
    F[0] *= x[5]
    F[[1, 3]] /= x[:2]
    F[::2] **= 2
    return F


def ghost_cells(x):
    u = np.zeros((4, 5), like=x)
    u[1:-1, 1:-1] = x.reshape(2, 3)
    u[0, :] = u[1, :]
    u[:, 0] = u[:, 1] * 2.0
    u[-1] = 7.0
    u[..., -1] = u[..., -2]
    return u


def rows_and_columns(x):
    u = x.reshape(2, 3)
    F = np.zeros_like(u)
    across, along = u[1:] * u[:-1], u[:, 1:] - u[:, :-1]
    F[:-1] += across
    F[1:] -= across
    F[:, :-1] += along
    F[:, 1:] -= along**2
    F[:, 0] *= 2.0
    return F.ravel()


def by_index_arrays(x):
    F = np.zeros(8, like=x)
    F[[1, 3, 3, 5]] = x[:4] * x[2:]
    F[np.array([True, False] * 4)] = x[:4]
    F[np.array([[0, 7], [2, 2]])] = x[:4].reshape(2, 2) ** 2
    return F


def by_masks_of_values(x):
    F = x * 2.0
    F[F > 1.45] = 0.5
    F[x < 0.65] = x[x < 0.65] ** 2
    F[F == 0.5] = x[0]
    return F


def shifted(x):
    F = x * 1.0
    F[:-1] = F[1:]
    F[1:] = F[:-1][::-1]
    F[:] = F * x
    F[...] = F + 1.0
    G = F * 1.0
    G.fill(x[0])
    F -= G
    return F


def through_a_view(x):
    F = x * x
    inner = F[1:-1]
    inner += x[2:]
    inner *= 2.0
    inner[0] = 5.0
    inner[1:] = x[:3]
    return np.concatenate([F, inner])


def through_a_view_of_a_view(x):
    F = x * x
    tail = F[1:][1:]
    tail -= x[:4]
    return np.concatenate([F, tail])


def views_that_follow(x):
    F = np.zeros_like(x)
    inner, tail = F[1:-1], F[1:]
    F[:] = x**2
    second = inner[1:]
    tail[0] *= x[5]
    F[2] = x[0]
    F += 1.0
    return np.concatenate([F, inner, tail, second])


def by_rows(x):
    F = np.zeros((3, 2), like=x)
    for i, row in enumerate(F):
        row[:] = x[2 * i : 2 * i + 2] ** 2
    F[1] += 1.0
    return F


def two_names(x):
    F = x - 1.0
    G = F
    F[0] = x[1] ** 2
    copy = F.copy()
    F[0] = 0.0
    return np.concatenate([G, copy])


def assembled(x):
    F = np.zeros((3, 2), like=x)
    np.add.at(F, ([0, 1, 1, 2, 1], [0, 1, 1, 0, 1]), x[:5] ** 2)
    np.subtract.at(F, [0, 0], x[:2])
    return F


def elements(x):
    F = np.zeros_like(x)
    nodes = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    np.add.at(F, nodes, np.stack([x[:4], x[2:] * x[:4]], axis=1))
    F[5] = x[5]
    return F


def nothing(x):
    F = x * 2.0
    F[3:3] = x[:0]
    F[np.zeros(6, dtype=bool)] = x[:0]
    return F


PROGRAMS = [
    laplace, overwritten, rows_and_columns, in_a_loop, augmented, ghost_cells, by_index_arrays,
    by_masks_of_values,
    shifted, through_a_view, through_a_view_of_a_view, views_that_follow, by_rows,
    two_names, assembled, elements,
    nothing,
]  # fmt: skip


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_values_and_slopes_are_those_of_numpy(f):
    check(f)


@needs_llvmlite
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_compiled(f):
    compiled = ad.compiled(f, at_once=True)
    for k in range(4):
        x = X + 0.001 * k
        value, J = compiled.value_and_jacobian(x)
        plain, expected = ad.value_and_jacobian(f, x)
        np.testing.assert_array_equal(value, plain)
        np.testing.assert_array_equal(J.toarray(), expected.toarray())
    if f is not by_masks_of_values:  # another length at another x
        assert compiled.stats.compiled == 3, compiled.stats


def test_what_was_overwritten_leaves_no_entries():
    assert laplace(ad.seed_sparsity(X)).sparsity.nnz == 1 + 4 * 3 + 1
    y = overwritten(ad.seed(X)).jacobian
    assert y[[0]].indices.tolist() == [1]
    assert y[[5]].nnz == 0


def test_a_problem_with_a_residual_that_is_filled():
    def residual(u, f=1.0):
        F = np.zeros_like(u)
        F[0], F[-1] = u[0], u[-1]
        F[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2] + f / 49**2
        return F

    x = Problem(residual).solve(np.zeros(50)).x
    s = np.linspace(0.0, 1.0, 50)
    np.testing.assert_allclose(x, s * (1 - s) / 2, atol=1e-12)


def test_views_that_are_in_use_before_the_first_writing_are_refused():
    F = ad.seed(X) * 1.0
    tail = F[1:]
    with pytest.raises(DerivativeError, match="views"):
        F[0] = 1.0
    with pytest.raises(DerivativeError, match="views"):
        F += 1.0
    np.testing.assert_array_equal(F.value, X)
    tail[0] = 2.0
    assert F.value[1] == 2.0
    F[-1] = 3.0  # its views are known now
    np.testing.assert_array_equal(tail.value, [2.0, *X[2:-1], 3.0])


def test_parts_of_complex_numbers_follow():
    F = ad.seed(X) * (1.0 + 1.0j)
    F[0] = 1.0
    parts = F.real
    parts[0] = 2.0
    F[-1] = 3.0 + 4.0j
    np.testing.assert_array_equal(F.value.real, [2.0, *X[1:-1], 3.0])
    np.testing.assert_array_equal(parts.value, F.value.real)


def rows_of_transposed(v):
    F = np.zeros((2, 3), like=v)
    F[0] = v[:3]
    F.T[2] += v[1]
    F.T[1] *= v[4]
    return F.ravel()


def reshaped_first(v):
    F = v * 1.0
    F.reshape(2, 3)[1] *= v[:3]
    return F


def grid_of_vector(v):
    F = np.zeros(6)
    G = F.reshape(2, 3)
    G[0, 1:] = v[:2]
    F[3] = v[5]
    G[1, 1] = F[3] * 2.0
    return F + G.ravel()


def view_of_views(v):
    F = v * 1.0
    G = F[::-1].reshape(3, 2)
    H = G.T
    H[0] *= v[:3]
    F[5] = v[0]
    G += v[1]
    return F + H.ravel() + G.sum(axis=1).repeat(2)


def of_functions(v):
    F = v * 1.0
    np.flip(F)[0] = v[1]
    np.squeeze(F[np.newaxis])[1] = v[0]
    F[:, np.newaxis][3] = v[3] ** 2
    np.moveaxis(F.reshape(2, 3), 0, 1)[0] += v[2:4]
    return F


def in_order_of_memory(v):
    F = np.zeros((2, 3), order="F", like=v)
    F.T[1] = v[:2]
    F.ravel(order="K")[0] = v[5]
    F.ravel()[2] = 7.0  # a copy
    return F.ravel()


def elements_of_a_grid(v):
    F = np.zeros(6, like=v)
    G = F.reshape(2, 3)
    for i in range(2):
        for j in range(3):
            G[i, j] = v[i] * v[j + 3]
            G[i, j] += F[0]
    return F


@pytest.mark.parametrize(
    "f",
    [rows_of_transposed, reshaped_first, grid_of_vector, view_of_views, of_functions,
     in_order_of_memory, elements_of_a_grid],
)  # fmt: skip
def test_views_of_all_kinds_write_into_their_array(f):
    F, J = ad.value_and_jacobian(f, X)
    np.testing.assert_array_equal(F, f(X.copy()))
    np.testing.assert_allclose(J.toarray(), numeric_jacobian(f, X), rtol=1e-6, atol=1e-8)
    pattern = ad.sparsity_pattern(evaluate(f, ad.seed_sparsity(X)))
    assert (pattern.positions(Pattern.of(J)) >= 0).all()


def test_earlier_results_do_not_change():
    x = ad.seed(X)
    F = x**2
    before = F * 3.0
    F[0] = 0.0
    np.testing.assert_array_equal(before.value, X**2 * 3.0)
    np.testing.assert_allclose(before.jacobian.diagonal(), 6 * X)


def test_what_does_not_fit():
    F = ad.seed(X) * 1.0
    with pytest.raises(ShapeError, match=r"shape \(2,\), and v has shape \(3,\)"):
        F[:2] = X[:3]
    with pytest.raises(DataTypeError, match="complex128"):
        F[0] = 1j
    with pytest.raises(IndexError, match="6"):
        F[6] = 1.0
    with pytest.raises(DerivativeError, match="index"):
        F[F] = 1.0
    with pytest.raises(DataTypeError, match="number"):
        F[0][()] = 1.0
    whole = ad.seed(np.arange(3))
    with pytest.raises(DataTypeError, match="int64"):
        whole[0] = 0.5
    wide = np.broadcast_to(F, (2, 6))
    with pytest.raises(DerivativeError, match=r"view|read-only"):
        wide[0, 0] = 1.0
    np.testing.assert_array_equal(F.value, X)


@pytest.mark.parametrize("make", [
    np.zeros_like, np.empty_like, lambda x: np.zeros(6, like=x), lambda x: np.empty(6, like=x),
    lambda x: np.zeros_like(x, shape=6), lambda x: np.zeros(shape=(6,), like=x),
])  # fmt: skip
def test_zeros_are_made_like_an_ad_array(make):
    blank = make(ad.seed(X))
    assert isinstance(blank, ad.ADArray)
    np.testing.assert_array_equal(blank.value, np.zeros(6))
    assert blank.jacobian.shape == (6, 6)
    assert blank.jacobian.nnz == 0
    assert make(X).shape == (6,)


def test_zeros_of_integers_and_truth_values_are_plain():
    x = ad.seed(X)
    assert np.zeros_like(x, dtype=int).dtype == np.int64
    assert type(np.zeros_like(x, dtype=bool)) is np.ndarray
    assert type(np.ones_like(x)) is np.ndarray


def test_an_ndarray_is_refused_and_the_way_out_is_named():
    F = np.zeros(6)

    def residual(x):
        F[1:] = x[1:]
        return F

    with pytest.raises(DerivativeError, match=r"np\.zeros\(n, like=x\)"):
        ad.jacobian(residual, X)
    with pytest.raises(DerivativeError, match=r"np\.zeros\(n, like=x\)"):
        ad.jacobian(lambda x: np.add.at(np.zeros(6), [0], x[:1]), X)
