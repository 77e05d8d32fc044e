"""Matrices that sparse direct solvers meet, and some on which they fail."""

import numpy as np
import scipy.sparse as sp

from sgsolve.pattern import Pattern


def five_point(side: int, dtype: type = float, seed: int = 0) -> sp.csr_array:
    """A regular, nonsymmetric matrix on a square grid."""
    random = np.random.default_rng(seed)
    A = grid(side, -5.0)
    A.data = A.data * random.uniform(0.5, 2.0, A.nnz)
    if dtype is complex:
        A.data = A.data * np.exp(1j * random.uniform(-1.0, 1.0, A.nnz))
    return A


def grid(side: int, diagonal: float) -> sp.csr_array:
    """Ones for the four neighbors on a square grid, and a diagonal."""
    ones = np.ones(side - 1)
    T = sp.diags_array([ones, np.full(side, diagonal / 2), ones], offsets=[-1, 0, 1])
    A = sp.csr_array(sp.kron(T, sp.eye_array(side)) + sp.kron(sp.eye_array(side), T))
    A.sort_indices()
    return A


def weak_diagonal(side: int) -> sp.csr_array:
    """Condition about 2e3, yet PARDISO with matching answers with a residual of 6e30."""
    return grid(side, 2e-3)


def neumann(side: int) -> sp.csr_array:
    """A Laplacian without a boundary value: constants are its null vectors."""
    A = -grid(side, 0.0)
    return sp.csr_array(A - sp.diags_array(A @ np.ones(side * side)))


def equal_rows(n: int = 400, rows: tuple[int, int] = (17, 203)) -> sp.csr_array:
    """A random sparse matrix with two equal rows."""
    random = np.random.default_rng(0)
    A = sp.lil_array(sp.random_array((n, n), density=0.02, rng=random) + sp.eye_array(n))
    A[rows[0]] = A[rows[1]]
    return sp.csr_array(A)


def three_equations_in_two_unknowns(side: int = 20) -> sp.csr_array:
    """Structurally singular without an empty row or column: 5, 100, 300 contain 40, 200 only."""
    A = sp.lil_array(grid(side, 4.0))
    for row in (5, 100, 300):
        A[row] = 0
        A[row, 40], A[row, 200] = 1.0 + row, 2.0 + row**2
    A = sp.csr_array(A)
    A.eliminate_zeros()
    return A


def drift_diffusion(shape: tuple[int, ...], bias: float, blocks: bool = True) -> sp.csr_array:
    """Jacobian of a p-n junction in psi, n, p and raw units: entries from 1e-20 to 1e11.

    `shape` is (nodes,) or (nodes, nodes); `bias` in thermal voltages; `blocks` orders all psi,
    all n, all p, else node by node.
    """
    size = int(np.prod(shape))
    number = np.arange(size).reshape(shape)
    ends = [
        (np.delete(number, -1, axis).ravel(), np.delete(number, 0, axis).ravel())
        for axis in range(len(shape))
    ]
    a, b = (np.concatenate(side) for side in zip(*ends, strict=True))
    vt, ni, length, q_eps = 0.0259, 1e10, 1e-4 / shape[0], 1.6e-19 / 1e-12
    x = np.linspace(-1, 1, shape[0]).reshape([-1] + [1] * (len(shape) - 1)) * np.ones(shape)
    psi = vt * (16 * np.tanh(8 * x) + bias * (x + 1) / 2).ravel()
    n = ni * np.exp(np.clip(psi / vt - bias * (x.ravel() > 0), -20, 20))
    p = ni * np.exp(np.clip(-psi / vt + bias * (x.ravel() > 0), -20, 20))
    entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def flux(block: int, terms: list[tuple[int, np.ndarray, np.ndarray]]) -> None:
        for column, node, value in terms:
            entries.append((block * size + a, column * size + node, value))
            entries.append((block * size + b, column * size + node, -value))

    v = (psi[b] - psi[a]) / vt
    ones = np.ones(len(a))
    flux(0, [(0, a, -ones / length), (0, b, ones / length)])
    for block, c, w in ((1, n, v), (2, p, -v)):
        mu = 400.0 * vt / length
        slope = np.sign(block - 1.5) * -mu * (c[b] * d_bernoulli(w) + c[a] * d_bernoulli(-w)) / vt
        flux(block, [(block, a, -mu * bernoulli(-w)), (block, b, mu * bernoulli(w))])
        flux(block, [(0, a, -slope), (0, b, slope)])
    every = np.arange(size)
    entries.append((every, size + every, np.full(size, -q_eps * length)))
    entries.append((every, 2 * size + every, np.full(size, q_eps * length)))
    for block in (1, 2):
        recombination = 1e8 * length / (n + p + 2 * ni)
        entries.append((block * size + every, size + every, -recombination * p))
        entries.append((block * size + every, 2 * size + every, -recombination * n))
    contacts = np.concatenate([number[0].ravel(), number[-1].ravel()])
    rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
    values = np.where(np.isin(rows % size, contacts), np.where(rows == columns, 1.0, 0.0), values)
    A = sp.csr_array(sp.coo_array((values, (rows, columns)), shape=(3 * size, 3 * size)))
    for k in contacts:
        for block in (0, 1, 2):
            row = block * size + k
            part = slice(A.indptr[row], A.indptr[row + 1])
            A.data[part] = A.indices[part] == row
    if not blocks:
        order = np.arange(3 * size).reshape(3, size).T.ravel()
        A = sp.csr_array(A[order][:, order])
    A.sort_indices()
    return A


def bernoulli(x: np.ndarray) -> np.ndarray:
    """x/expm1(x)."""
    safe = np.where(np.abs(x) < 1e-8, 1.0, x)
    return np.where(np.abs(x) < 1e-8, 1 - x / 2, safe / np.expm1(safe))


def d_bernoulli(x: np.ndarray) -> np.ndarray:
    """Derivative of x/expm1(x)."""
    safe = np.where(np.abs(x) < 1e-4, 1.0, x)
    exact = (np.expm1(safe) - safe * np.exp(safe)) / np.expm1(safe) ** 2
    return np.where(np.abs(x) < 1e-4, -0.5 + x / 6, exact)


def decoupled(pairs, seed=0):
    """Extended Rosenbrock: first all 10 (y - x^2), then all 1 - x; unknowns x, y, x, y, ..."""
    i = np.arange(pairs)
    x = np.random.default_rng(seed).uniform(0.5, 1.5, pairs)
    values = np.concatenate([-20 * x, np.full(pairs, 10.0), np.full(pairs, -1.0)])
    rows, columns = np.r_[i, i, pairs + i], np.r_[2 * i, 2 * i + 1, 2 * i]
    return sp.csr_array(sp.coo_array((values, (rows, columns)), shape=(2 * pairs, 2 * pairs)))


def shuffled(A, seed=0):
    """Equations and unknowns in arbitrary orders that differ."""
    random, n = np.random.default_rng(seed), A.shape[0]
    A = sp.csr_array(sp.csr_array(A)[random.permutation(n)][:, random.permutation(n)])
    A.sort_indices()
    return A


def with_zero_diagonal(A):
    """The same matrix with every diagonal entry stored."""
    own = Pattern.of(A)
    whole = own.with_diagonal()
    data = np.zeros(whole.nnz, dtype=A.dtype)
    data[whole.positions(own)] = A.data
    return whole.matrix(data)
