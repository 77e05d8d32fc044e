"""What kernels leave to NumPy, or do not take at all: F and J keep the bits of the eager code."""

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.special

from sgsolve import ad
from tests.ad.kernels.compiled_help import assert_same_bits, needs_llvmlite

pytestmark = needs_llvmlite

A = np.random.default_rng(1).uniform(-1.0, 1.0, (6, 6))
CSR = sp.csr_array(np.where(np.abs(A) > 0.4, A, 0.0))
POINTS = [np.random.default_rng(k).uniform(-2.0, 2.0, 6) for k in range(2)]
PLACES = np.array([0, 2, 2, 5, 1, 0])


def on_positive(side):
    """Return a residual that computes a side of a branch."""
    return lambda x: ad.branch(x > 0.0, lambda i: side(x[i]), lambda i: 2.0 * x[i])


def written_at(x):
    F = np.exp(x)
    F[PLACES[:2]] = x[4:]
    F[4] += x[0] * x[1]
    F[1:3] *= x[3]
    return F


def added_at(x):
    F = np.zeros_like(x)
    np.add.at(F, PLACES, np.exp(x))
    return F + x


NODES = np.linspace(-1.5, 1.5, 7)
TABLES = {
    "a table": lambda x: np.interp(x, NODES, np.cos(NODES)) * x,
    "a table that goes on": lambda x: x - np.interp(x * x, NODES, NODES**3, left=0.0, right=5.0),
    "a table of one value": lambda x: x * np.interp(x, [0.0], [2.0]),
    "values of a table": lambda x: x * np.interp(POINTS[0], NODES[:6], x),
}
IN_A_BRANCH = {
    "a sum": lambda v: v * np.sum(v),
    "the other order": lambda v: v[::-1] * v,
    "how many": lambda v: v * np.count_nonzero(v > 1.0),
    "a copy": lambda v: np.exp(v.ravel()) + v.copy(),
    "a branch": lambda v: ad.branch(v > 1.0, lambda j: v[j] ** 3, lambda j: v[j] * v[j]),
    "a choice": lambda v: np.where(v > 1.0, np.sqrt(v), v**2),
    "truth values": lambda v: v * (v > 1.0).astype(float),
    "pieces": lambda v: np.concatenate([v[:1], v[1:]]),
    "a sparse vector": lambda v: v[np.arange(len(v))] + np.zeros_like(v),
    "numbers alone": lambda v: 1.5 + np.arange(float(len(v))),
}
REDUCED = {
    "along an axis": lambda x: np.tile(np.sum(x.reshape(2, 3), axis=0), 2) * x,
    "from a number": lambda x: x * np.sum(x, initial=2.0) + np.max(x, initial=1.5),
    "with its axes kept": lambda x: x * np.sum(x, keepdims=True),
    "of one element": lambda x: x * np.sum(x[:1]),
    "of truth values": lambda x: x * np.sum(x > 0.0),
    "the smallest": lambda x: x * np.min(x) - np.max(np.abs(x)),
    "whether along an axis": lambda x: x * np.tile(np.any(x.reshape(2, 3) > 0.0, axis=0), 2),
    "whether all": lambda x: x * np.all(x > -5.0) + np.any(x > 1.0),
    "over some": lambda x: x * np.sum(x, where=POINTS[0] > 0.0) + np.mean(x, where=x > -1.0),
    "the largest of some": lambda x: x * np.max(x, where=x < 1.0, initial=-3.0),
    "whether all of some": lambda x: x * np.all(x > 0.0, where=np.arange(6) < 2),
    "the smallest truth value": lambda x: x * np.min(x[:2] > 0.0) - np.max(x[1:2] > 0.0),
    "whether arrays are equal": lambda x: x + np.array_equal(x[:2], np.abs(x[:2])) * x,
    "a product of truth values": lambda x: np.where(np.dot(x[:2] > 0.0, x[:2] > -1.0), x, 2.0),
    "a norm": lambda x: x * np.linalg.norm(x),
    "every second": lambda x: x * np.sum(x[::2]),
    "products": lambda x: x * np.prod(x),
}
MULTIPLIED = {
    "by one row": lambda x: x * (np.ones((1, 6)) @ x),
    "by columns": lambda x: np.asfortranarray(A) @ x,
    "transposed": lambda x: A.T @ x,
    "from the left": lambda x: x @ A,
    "two matrices": lambda x: (A @ x.reshape(6, 1) @ np.ones((1, 2)))[:, 0] * x,
    "matrices of x": lambda x: (x.reshape(2, 3) @ A[:3, :3]).ravel(),
    "every second": lambda x: np.tile(A[:3, :3] @ x[::2], 2) + x,
    "sparse by columns": lambda x: CSR.tocsc() @ x + x,
    "sparse of integers": lambda x: sp.csr_array(np.arange(36).reshape(6, 6) % 5) @ x,
    "sparse of truth values": lambda x: CSR @ (x > 0.0) + x,
    "sparse transposed": lambda x: CSR.T @ np.exp(x) + x,
    "a vector by itself": lambda x: x * np.dot(x, x),
    "sparse by coordinates": lambda x: CSR.tocoo() @ x + x,
    "by a product of x": lambda x: np.outer(x, x) @ x,
    "by vectors": lambda x: np.vecdot(A, x),
}
ELEMENTS = {
    "powers of integers": lambda x: np.abs(x) ** np.arange(6),
    "powers of x": lambda x: np.abs(x) ** x + 2.0**x,
    "numbers to a power": lambda x: x * abs(x[0]) ** x[1] + x[2] ** 2,
    "powers of numbers": lambda x: np.abs(x) ** abs(x[0]),
    "complex numbers": lambda x: np.real(np.exp(1j * x)),
    "two results": lambda x: x * np.modf(x)[0],
    "truth values": lambda x: x * np.logical_xor(x > 0.0, x > 1.0) + (x > 0.5).astype(float),
    "integers": lambda x: x * np.arange(6) + np.rint(x),
    "single precision": lambda x: x + 1.0,
    "functions of SciPy": lambda x: scipy.special.erf(x) + scipy.special.expit(x),
    "polynomials of whole order": lambda x: (
        scipy.special.eval_legendre(3, x) + scipy.special.eval_chebyt(np.arange(6), x)
    ),
    "rare functions": lambda x: np.hypot(x, 1.0) + np.copysign(x, 0.5) + np.heaviside(x, 0.5) * x,
    "in two dimensions": lambda x: (x.reshape(6, 1) * x.reshape(1, 6))[2],
    "by rows": lambda x: (x.reshape(2, 3) * np.array([1.0, 2.0, 3.0])).ravel(),
    "every second": lambda x: np.repeat(np.exp(x[::2]), 2) + x,
    "columns first": lambda x: np.exp(x.reshape(2, 3).T.ravel()),
    "added at places": added_at,
    "joined": lambda x: np.stack([x[:3], x[3:]], axis=1).ravel() * np.append(x[1:], 1.0),
    "joined truth values": lambda x: x * np.concatenate([x[:3] > 0.0, x[3:] > 1.0]),
    "turned": lambda x: np.roll(x, 2) * np.flip(x) - np.diff(np.append(x, x[0])),
    "sorted": lambda x: x[np.argsort(-np.arange(6.0))] * x,
    "a mask": lambda x: np.where(x > 0.0, x > 1.0, x < -1.0) * x,
    "a part of an index": lambda x: x[PLACES][::-1] + x[[0, 1, 2, 3, 4, 5]],
    "written at places": written_at,
    "as many as there are": lambda x: x * len(x) + x.shape[0],
}


@pytest.mark.parametrize("name", IN_A_BRANCH)
def test_what_has_another_meaning_on_a_side_of_a_branch(name):
    assert_same_bits(on_positive(IN_A_BRANCH[name]), POINTS, evaluations=2, kernels=False)


def test_numbers_of_a_side_are_named_as_what_is_not_compiled():
    side = IN_A_BRANCH["numbers alone"]
    stats = assert_same_bits(on_positive(side), POINTS, evaluations=2, kernels=False)
    assert any("numbers without derivatives as a side of ad.branch" in r for r in stats.reasons)


@pytest.mark.parametrize("name", REDUCED)
def test_reductions(name):
    assert_same_bits(REDUCED[name], POINTS, evaluations=2, kernels=False)


@pytest.mark.parametrize("name", TABLES)
def test_tables(name):
    assert_same_bits(TABLES[name], POINTS, evaluations=2)


@pytest.mark.parametrize("name", MULTIPLIED)
def test_products_with_matrices(name):
    assert_same_bits(MULTIPLIED[name], POINTS, evaluations=2, kernels=False, rounding=1e-14)


@pytest.mark.parametrize("name", ELEMENTS)
def test_operations_on_elements(name):
    assert_same_bits(ELEMENTS[name], POINTS, evaluations=2, kernels=False)
