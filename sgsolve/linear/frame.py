"""The pattern of a sparse matrix bordered by a few dense rows and columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Vector
from ..pattern import Pattern


class Frame:
    """The pattern of a matrix with k dense rows and columns, and where its parts go."""

    def __init__(self, inner: Pattern, k: int) -> None:
        n, self.k = inner.shape[0], k
        edge, all_ = np.arange(n, n + k), np.arange(n + k)
        rows: list[Any] = [inner.rows, np.repeat(np.arange(n), k), np.repeat(edge, n + k)]
        columns: list[Any] = [inner.indices, np.tile(edge, n), np.tile(all_, k)]
        self.pattern, place = Pattern.from_coordinates(
            np.concatenate(rows), np.concatenate(columns), (n + k, n + k)
        )
        place = place.astype(np.intp)  # NumPy writes through no other kind without converting it
        self.inner, rest = place[: inner.nnz], place[inner.nnz :]
        self.right, self.below = rest[: n * k], rest[n * k :]

    def matrix(self, J: Any, B: Vector, below: Vector) -> Any:
        """Return the whole matrix; `below` is [C D], shape (k, n + k)."""
        data = np.empty(self.pattern.nnz, np.result_type(J.data, B, below))
        data[self.inner] = J.data
        data[self.right] = B.ravel()
        data[self.below] = below.ravel()
        return self.pattern.matrix(data)
