"""Random matrices that are singular to working precision, and regular ones that nearly are.

Run ``python -m tests.linear.random_matrices 1500 superlu pardiso dense`` for 1500 of each kind by
these back ends, the default. It prints how many singular ones each accepts, and how many regular
ones it refuses; both must be 0.
"""

import sys

import numpy as np
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.errors import SingularMatrixError
from sgsolve.pattern import Pattern

BACKENDS = ("superlu", "pardiso", "dense")
SPREADS = (1.0, 1e8, 1e16)


def _crowded(random, n):
    """k equations contain only k - 1 unknowns."""
    A = _full_or_sparse(random, n)
    k = random.integers(1, max(n // 2, 1), endpoint=True)
    A[:k, k - 1 :] = 0.0
    return A, A != 0.0


def _crowded_with_stored_zeros(random, n):
    A, _ = _crowded(random, n)
    return A, np.ones_like(A, dtype=bool)


def _dependent_rows(random, n):
    A = _full_or_sparse(random, n)
    A[-1] = random.normal(size=n - 1) @ A[:-1]
    return A, A != 0.0


def _low_rank(random, n):
    r = max(1, n - random.integers(1, 3))
    A = random.normal(size=(n, r)) @ random.normal(size=(r, n))
    return A, np.ones_like(A, dtype=bool)


def _proportional_rows(random, n):
    A = _full_or_sparse(random, n)
    A[-1] = A[0] * random.normal()
    return A, A != 0.0


def _zero_row_sums(random, n):
    A = _full_or_sparse(random, n)
    A = A - np.diag(A.sum(axis=1))
    return A, np.ones_like(A, dtype=bool)


def _singular_block(random, n):
    """A block that is singular by itself; the other equations contain its unknowns."""
    A = _full_or_sparse(random, n)
    k = random.integers(1, max(n // 2, 1), endpoint=True)
    A[:k, k:] = 0.0
    A[:k, :k] = random.normal(size=(k, k - 1)) @ random.normal(size=(k - 1, k))
    return A, np.ones_like(A, dtype=bool)


def _zero_diagonal(random, n):
    A = random.normal(size=(n, n))
    np.fill_diagonal(A, 0.0)
    A[:, -1] = A[:, :-1] @ random.normal(size=n - 1)
    return A, A != 0.0


def _integers(random, n):
    A = random.integers(-3, 4, size=(n, n)).astype(float)
    A[-1] = A[:-1].sum(axis=0)
    return A, A != 0.0


SINGULAR = (
    _crowded,
    _crowded_with_stored_zeros,
    _dependent_rows,
    _low_rank,
    _proportional_rows,
    _zero_row_sums,
    _singular_block,
    _zero_diagonal,
    _integers,
)


def singular(seed):
    """Return a singular matrix and a right-hand side."""
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 61 if seed % 3 else 9))
    A, stored = SINGULAR[seed % len(SINGULAR)](random, n)
    rows, columns = random.permutation(n), random.permutation(n)
    A, stored = A[rows][:, columns], stored[rows][:, columns]
    A = _scaled(random, A)
    return sp.csr_array((A[stored], np.nonzero(stored)), shape=A.shape), _right(random, A)


def regular(seed):
    """Return a matrix of condition number up to 1e14 before scaling, and a right-hand side."""
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 61 if seed % 3 else 9))
    decades = random.choice([0, 8, 11, 13, 14])
    U, V = (np.linalg.qr(random.normal(size=(n, n)))[0] for _ in range(2))
    values = [
        10.0 ** np.linspace(0.0, -decades, n),
        np.append(np.ones(n - 1), 10.0**-decades),
        np.r_[1.0, 10.0 ** -random.uniform(0.0, decades, n - 2), 10.0**-decades],
    ][seed % 3]
    A = _scaled(random, (U * values) @ V)
    return sp.csr_array(A), _right(random, A)


def _full_or_sparse(random, n):
    A = random.normal(size=(n, n))
    if n > 6 and random.random() < 0.5:
        A *= random.random((n, n)) < max(0.15, 4.0 / n)
        A[np.arange(n), random.permutation(n)] += random.normal(size=n) + 0.1
    return A


def _scaled(random, A):
    decades = random.choice([0.0, 5.0, 30.0])
    rows, columns = 10.0 ** random.uniform(-decades, decades, (2, len(A)))
    return rows[:, None] * A * columns


def _right(random, A):
    b = random.normal(size=len(A))
    if random.random() < 0.25:
        return A @ b
    return b * np.where(random.random(len(A)) < 0.5, 1.0, random.choice(SPREADS))


def accepted(A, b, name):
    """Whether a back end gives an answer, rather than calling the matrix singular."""
    solver = linear.LinearSolver(Pattern.of(A), name)
    try:
        solver.factorize(A)
        x = solver.solve(b)
    except SingularMatrixError:
        return False
    return bool(np.isfinite(x).all())


def main(count, names):
    for name in names:
        false = [seed for seed in range(count) if accepted(*singular(seed), name)]
        refused = [seed for seed in range(count) if not accepted(*regular(seed), name)]
        print(f"{name}: {count} singular, accepted {false}; {count} regular, refused {refused}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:] or BACKENDS)
