"""Blocks: names for groups of unknowns and of the equations with the same indices.

One idea: a message that says ``n[17]`` is worth more than one that says ``unknown 1017``. A block
names a part of the vector of unknowns; the equations with the same indices carry the same name.
Norms, tolerances, scales and limits may all be given per block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataTypeError, InputError, ShapeError

REST = "x"  # the name of the unknowns that no block claims


class Blocks:
    """A partition of the unknowns 0..n-1 into named parts.

    Parameters
    ----------
    n : int
        Number of unknowns.
    parts : mapping of str to slice or array_like of int, optional
        ``{"psi": slice(0, 100), "n": slice(100, 200)}``. Unknowns in no block form a block "x".

    Raises
    ------
    InputError
        If a block is empty, outside the vector, or overlaps another.

    Examples
    --------
    >>> blocks = Blocks(5, {"u": slice(0, 3)})
    >>> blocks.label(1), blocks.label(4)
    ('u[1]', 'x[1]')
    >>> blocks.norms(np.array([1.0, -2.0, 0.0, 3.0, 4.0]))
    {'u': 2.0, 'x': 4.0}
    """

    def __init__(self, n: int, parts: Mapping[str, Any] | None = None) -> None:
        self.n = n
        named = isinstance(parts, Mapping) and all(isinstance(name, str) for name in parts)
        if not (parts is None or named):
            raise DataTypeError(f"blocks must map names to slices or integers, not {parts!r}")
        owner = np.full(n, -1)
        self.parts: dict[str, slice | NDArray[np.int64]] = {}
        for name, where in (parts or {}).items():
            index = _indices(name, where, n)
            taken = index[owner[index] >= 0]
            if len(taken) or len(np.unique(index)) < len(index):
                other = f"block {list(self.parts)[owner[taken[0]]]!r}" if len(taken) else "itself"
                raise InputError(
                    f"block {name!r} overlaps {other}; a block is a slice or the indices of its "
                    'unknowns, {"u": slice(0, 400), "v": slice(400, 800)}, and one integer is one '
                    "unknown, not a length"
                )
            owner[index] = len(self.parts)
            self.parts[name] = _compact(index)
        rest = np.flatnonzero(owner < 0)
        if len(rest):
            if REST in self.parts:
                raise InputError(
                    f"blocks leave {len(rest)} unknowns without a name, and the name {REST!r} "
                    "for them is taken; name every unknown"
                )
            self.parts[REST] = _compact(rest)
        self.names = tuple(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[str]:
        return iter(self.parts)

    def __repr__(self) -> str:
        sizes = (f"{name}: {len(np.arange(self.n)[where])}" for name, where in self.parts.items())
        return f"Blocks({', '.join(sizes)})"

    def __contains__(self, name: object) -> bool:
        return name in self.parts

    def __getitem__(self, name: str) -> slice | NDArray[np.int64]:
        try:
            return self.parts[name]
        except KeyError:
            raise InputError(
                f"there is no block {name!r}; the blocks are {', '.join(self.names)}"
            ) from None

    def label(self, i: int) -> str:
        """Return the name of unknown or equation i, such as ``psi[12]``."""
        for name, where in self.parts.items():
            if isinstance(where, slice):
                if where.start <= i < where.stop:
                    return f"{name}[{i - where.start}]"
            else:
                place = np.flatnonzero(where == i)
                if len(place):
                    return f"{name}[{place[0]}]"
        return f"{REST}[{i}]"

    def norms(self, vector: NDArray[Any]) -> dict[str, float]:
        """Return the largest absolute value in each block."""
        size = np.abs(vector)
        if len(self.parts) == 1:
            return {self.names[0]: float(size.max())}
        return {name: float(size[where].max()) for name, where in self.parts.items()}

    def spread(self, values: Any, default: float, what: str = "it") -> NDArray[np.float64]:
        """Expand a number, an array or a mapping by block to one value per unknown, shape (n,).

        `what` is the name of the argument, for the message if the values do not fit.
        """
        result = np.full(self.n, float(default))
        if isinstance(values, Mapping):
            for name, value in values.items():
                result[self[name]] = _fitting(value, result[self[name]].shape, f"{what}[{name!r}]")
        elif values is not None:
            result[:] = _fitting(values, result.shape, what)
        return result


def _fitting(value: Any, shape: tuple[int, ...], what: str) -> NDArray[np.float64]:
    """Return a number or one number per unknown, or say that it is neither."""
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataTypeError(f"{what} must be a number or numbers, not {value!r}") from None
    if numbers.shape not in ((), shape):
        raise ShapeError(
            f"{what} has shape {numbers.shape}; give one number, or one for each of {shape[0]} "
            "unknowns"
        )
    return numbers


def _indices(name: str, where: Any, n: int) -> NDArray[np.int64]:
    """Return the indices that a slice, an integer or an array of integers means."""
    if isinstance(where, slice):
        index = np.arange(n)[where]
    else:
        index = np.atleast_1d(np.asarray(where))
        if index.dtype == bool:
            if index.shape != (n,):
                raise InputError(f"block {name!r}: a mask must have shape ({n},)")
            index = np.flatnonzero(index)
        if not np.issubdtype(index.dtype, np.integer):
            raise InputError(f"block {name!r} must be a slice or integers, not {where!r}")
    if index.size == 0:
        raise InputError(f"block {name!r} is empty: {where!r} of {n} unknowns")
    beyond = isinstance(where, slice) and where.stop is not None and where.stop > n
    if beyond or index.ndim != 1 or index.min() < 0 or index.max() >= n:
        raise InputError(f"block {name!r} reaches outside the unknowns 0..{n - 1}")
    return index.astype(np.int64)


def _compact(index: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    """Return a slice if the indices are consecutive: views are cheaper than copies."""
    if index[-1] - index[0] == len(index) - 1 and np.all(np.diff(index) == 1):
        return slice(int(index[0]), int(index[-1]) + 1)
    return index
