"""Many structs of one class, of which compiled loops take several at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .lane_kinds import LANES
from .loop_struct import LoopStruct

ALIGNED = 8 * LANES  # bytes: vectors are read at addresses that are multiples of their length
OWN = "Doubles", "Choices"  # what each lane has for itself, beside the numbers


class LaneStructs:
    """The memory of so many structs, in groups of `LANES` of them.

    Parameters
    ----------
    like : LoopStruct
        Its constants and indices are those of all structs; its arrays are their first contents.
    count : int
    shared : mapping
        Arrays that another object of this class has made, by their names.

    Attributes
    ----------
    arrays : dict of str to ndarray, shape (groups, size, LANES)
    numbers : ndarray, shape (groups, number of changing numbers, LANES)
    addresses : ndarray of int, shape (groups,)
        Where the groups are.
    """

    def __init__(
        self, like: LoopStruct, count: int, shared: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        self.kind, self.like = type(like), like
        groups, changing = -(-count // LANES), len(like.changing)
        own = [name for name, annotation in like.fields.items() if annotation in OWN]
        self.arrays = {**{name: _lanes_of(getattr(like, name), groups) for name in own},
                       **(shared or {})}  # fmt: skip
        others = list(like.fields)[changing:]
        width = -(-(LANES * changing + len(others)) // LANES) * LANES
        memory = aligned((groups, width), np.int64)
        self.numbers = memory[:, : LANES * changing].view(np.float64)
        self.numbers = self.numbers.reshape(groups, changing, LANES)
        self.addresses = addresses_of(memory)
        for k, name in enumerate(others, LANES * changing):
            if name in self.arrays:
                memory[:, k] = addresses_of(self.arrays[name])
            else:
                memory[:, k] = like.memory[k - (LANES - 1) * changing]

    def take(self, name: str, which: NDArray[np.int64]) -> NDArray[Any]:
        """Return an array of some structs, shape (k, size)."""
        found: NDArray[Any] = self.arrays[name][which // LANES, :, which % LANES]
        return found

    def put(self, name: str, which: NDArray[np.int64], values: Any) -> None:
        """Write an array of some structs, shape (k, size)."""
        self.arrays[name][which // LANES, :, which % LANES] = values

    def of(self, name: str, j: int) -> NDArray[Any]:
        """Return a copy of an array of one struct."""
        found: NDArray[Any] = self.arrays[name][j // LANES, :, j % LANES].copy()
        return found

    def fill(self, name: str, values: Any) -> None:
        """Write an array of all structs."""
        self.arrays[name][...] = values[:, np.newaxis]

    def put_number(self, name: str, which: NDArray[np.int64], value: float) -> None:
        """Write a changing number of some structs."""
        place = self.like.changing.index(name)
        self.numbers[which // LANES, place, which % LANES] = value


def _lanes_of(values: NDArray[Any], groups: int) -> NDArray[Any]:
    array = aligned((groups, len(values), LANES), values.dtype)
    array[...] = values[:, np.newaxis]
    return array


def aligned(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return zeros at an address that suits vectors."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + ALIGNED, dtype=np.uint8)
    first = -raw.__array_interface__["data"][0] % ALIGNED
    found: NDArray[Any] = raw[first : first + size].view(dtype).reshape(shape)
    return found


def addresses_of(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return the address of each row of an array."""
    first, stride = rows.__array_interface__["data"][0], rows.strides[0]
    return np.int64(first) + np.int64(stride) * np.arange(len(rows))
