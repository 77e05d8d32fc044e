"""The tables of a kernel: addresses, integers and numbers that its text refers to by place.

The text depends on the operations only, and on whether matrices are large. One compiled function
therefore serves many meshes.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..lowering.repeated_rows import RepeatedRow
from ..lowering.values import Memory, Positions


class Tables:
    """What the tables of a kernel hold.

    Attributes
    ----------
    addresses : dict
        From the key of a memory, or a `UfuncLoop`, to its place.
    integers : list of int
    numbers : dict of float to int
    indices : dict
        From the key of an index table to the positions that are its columns.
    matrices, repeated : dict
        Sparse matrices, and the rows that most of their rows repeat.
    """

    def __init__(self) -> None:
        self.addresses: dict[Hashable, int] = {}
        self.integers: list[int] = []
        self.numbers: dict[str, int] = {}
        self.indices: dict[Hashable, list[Positions]] = {}
        self.matrices: dict[tuple[Any, ...], Any] = {}
        self.repeated: dict[tuple[Any, ...], RepeatedRow] = {}
        self.scratch = 0

    def address(self, key: Hashable) -> int:
        """Return the place of an address."""
        return self.addresses.setdefault(key, len(self.addresses))

    def integer(self, number: int) -> int:
        """Return the place of a new integer."""
        self.integers.append(number)
        return len(self.integers) - 1

    def number(self, number: float) -> int:
        """Return the place of a number."""
        return self.numbers.setdefault(repr(number), len(self.numbers))

    def constants(self, memories: list[Memory]) -> dict[Hashable, NDArray[Any]]:
        """Return the arrays that loops read, by key; those of `memories` among them."""
        constants: dict[Hashable, NDArray[Any]] = {
            m.key: np.ascontiguousarray(m.constant) for m in memories if m.constant is not None
        }
        for key, columns in self.indices.items():
            if columns:
                table = np.stack([p.values for p in columns], axis=1)
                constants[key] = np.ascontiguousarray(table, dtype=np.int32)
        for key, matrix in self.matrices.items():
            constants[*key, "p"] = matrix.indptr.astype(np.int64)
            constants[*key, "j"] = matrix.indices.astype(np.int32)
            constants[*key, "x"] = np.ascontiguousarray(matrix.data, dtype=float)
        for key, row in self.repeated.items():
            constants[key] = row.rows
        return constants
