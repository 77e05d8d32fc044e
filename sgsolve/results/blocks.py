"""Blocks: names and shapes for groups of unknowns and of the equations with the same indices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import real_array
from ..errors import DataTypeError, InputError, ShapeError, SingularMatrixError

REST = "x"  # the name of the unknowns that no block claims


class Blocks:
    """A partition of the unknowns 0..n-1 into named parts.

    Parameters
    ----------
    n : int
        Number of unknowns.
    parts : mapping of str to tuple, slice or array_like of int, optional
        ``{"u": (20, 20), "p": 20, "c": ()}``: shapes, a tuple or a length each; the blocks follow
        one another in this order, each in C order, and together they have n unknowns. Or indices:
        ``{"psi": slice(0, 100), "n": slice(100, 200)}``; unknowns in no block form a block "x".

    Raises
    ------
    InputError
        If a block is empty, outside the vector, or overlaps another, or if some blocks have shapes
        and others indices.
    ShapeError
        If shapes have another number of unknowns than n.

    Examples
    --------
    >>> blocks = Blocks(5, {"u": slice(0, 3)})
    >>> blocks.label(1), blocks.label(4)
    ('u[1]', 'x[1]')
    >>> blocks.norms(np.array([1.0, -2.0, 0.0, 3.0, 4.0]))
    {'u': 2.0, 'x': 4.0}
    >>> fields = Blocks(7, {"u": (2, 3), "p": ()})
    >>> fields.label(5), fields.label(6)
    ('u[1, 2]', 'p')
    """

    def __init__(self, n: int, parts: Mapping[str, Any] | None = None) -> None:
        self.n = n
        named = isinstance(parts, Mapping) and all(isinstance(name, str) for name in parts)
        if not (parts is None or named):
            raise DataTypeError(f"blocks must map names to slices or integers, not {parts!r}")
        self.shapes = checked_shapes(parts or {})
        if self.shapes:
            parts = _block_slices(self.shapes, n)
        owner = np.full(n, -1)
        self.parts: dict[str, slice | NDArray[np.int64]] = {}
        for name, where in (parts or {}).items():
            index = _indices(name, where, n)
            taken = index[owner[index] >= 0]
            if not len(taken):
                owner[index] = len(self.parts)
            if len(taken) or np.count_nonzero(owner == len(self.parts)) < len(index):
                other = f"block {list(self.parts)[owner[taken[0]]]!r}" if len(taken) else "itself"
                raise InputError(
                    f"block {name!r} overlaps {other}; a block is a slice or the indices of its "
                    'unknowns, {"u": slice(0, 400), "v": slice(400, 800)}, or a shape, '
                    '{"u": 400, "v": (20, 20)}; beside slices one integer is one unknown'
                )
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
        places = list(self.parts.values())
        starts = [where.start if isinstance(where, slice) else -1 for where in places]
        # Where the blocks follow one another in order, so do the elements of all of them.
        follow = all(isinstance(where, slice) for where in places) and starts == sorted(starts)
        self._starts = np.array(starts) if follow else None
        for name, where in self.parts.items():
            self.shapes.setdefault(name, (len(np.arange(n)[where]),))

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[str]:
        return iter(self.parts)

    def __repr__(self) -> str:
        return (
            f"Blocks({', '.join(f'{name}: {_shape_size(s)}' for name, s in self.shapes.items())})"
        )

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
                    return name + self._place(name, i - where.start)
            else:
                place = np.flatnonzero(where == i)
                if len(place):
                    return f"{name}[{place[0]}]"
        return f"{REST}[{i}]"

    def _place(self, name: str, i: int) -> str:
        """Return the indices of element i of a block, in brackets; nothing for a single number."""
        place = np.unravel_index(i, self.shapes[name])
        return f"[{', '.join(str(k) for k in place)}]" if place else ""

    def unpack(self, x: Any) -> dict[str, Any]:
        """Return the blocks of a vector in their shapes, by name.

        Parameters
        ----------
        x : ndarray or AD array, shape (..., n)

        Returns
        -------
        dict
            Views of x where the unknowns of a block stand one behind the other.

        Raises
        ------
        ShapeError
            If the last axis does not have n elements.
        """
        if np.ndim(x) == 0 or np.shape(x)[-1] != self.n:
            raise ShapeError(
                f"the blocks have {self.n} unknowns, {describe(self.shapes)}; there are none in "
                f"an array of shape {np.shape(x)}"
            )
        return {name: self.field(x, name) for name in self.names}

    def field(self, x: Any, name: str) -> Any:
        """Return one block of a vector, or of each row of an array of shape (..., n)."""
        where = self[name]
        if np.ndim(x) == 1:
            return x[where].reshape(self.shapes[name])
        return x[..., where].reshape((*np.shape(x)[:-1], *self.shapes[name]))

    def norms(self, vector: NDArray[Any]) -> dict[str, float]:
        """Return the largest absolute value in each block."""
        size = np.abs(vector)
        if len(self.parts) == 1:
            return {self.names[0]: float(np.maximum.reduce(size))}
        if self._starts is not None:
            largest = np.maximum.reduceat(size, self._starts).tolist()
            return dict(zip(self.names, largest, strict=True))
        return {name: float(size[where].max()) for name, where in self.parts.items()}

    def spread(self, values: Any, default: float, what: str = "it") -> NDArray[np.float64]:
        """Expand a number, an array or a mapping by block to one value per unknown, shape (n,).

        `what` is the name of the argument, for the message if the values do not fit.
        """
        result = np.full(self.n, float(default))
        if isinstance(values, Mapping):
            for name, value in values.items():
                inside = result[self[name]].shape
                if np.shape(value) == self.shapes.get(name):
                    value = np.reshape(value, inside) if np.ndim(value) else value
                result[self[name]] = _fitting(value, inside, f"{what}[{name!r}]")
        elif values is not None:
            result[:] = _fitting(values, result.shape, what)
        return result


def suspects(blocks: Blocks, error: SingularMatrixError) -> str:
    """Return the names of equations and unknowns that make a matrix singular."""
    rows = ", ".join(blocks.label(i) for i in error.rows[:3])
    columns = ", ".join(blocks.label(j) for j in error.columns[:3])
    parts = [f"suspicious equations: {rows}" if rows else ""]
    parts.append(f"suspicious unknowns: {columns}" if columns else "")
    return "; ".join(part for part in parts if part) or str(error)


def checked_shapes(parts: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of blocks that are given by shapes; nothing if they have indices.

    Raises
    ------
    InputError
        If a shape is none, or if only some blocks have shapes.
    """
    shapes = {name: part for name, part in parts.items() if isinstance(part, tuple)}
    lengths = {name: (part,) for name, part in parts.items() if _is_whole(part)}
    if len(shapes) + len(lengths) == len(parts):  # beside indices a number is an index
        shapes = {name: lengths.get(name) or shapes[name] for name in parts}
    for name, shape in shapes.items():
        if not all(_is_whole(k) and k > 0 for k in shape):
            raise InputError(
                f"block {name!r} has the shape {parts[name]!r}; a shape is a length or a tuple of "
                "positive integers, () for a single unknown, and indices are a list or an array"
            )
    if shapes and len(shapes) < len(parts):
        other = next(name for name in parts if name not in shapes)
        raise InputError(
            f"block {next(iter(shapes))!r} has a shape (a tuple), and block {other!r} indices; "
            "give shapes for all blocks or indices for all"
        )
    return {name: tuple(int(k) for k in shape) for name, shape in shapes.items()}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def n_unknowns(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return how many unknowns blocks of these shapes have."""
    return sum(_shape_size(shape) for shape in shapes.values())


def describe(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Return names and shapes of blocks, for a message."""
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items())


def _shape_size(shape: tuple[int, ...]) -> int:
    return math.prod(shape)


def _block_slices(shapes: Mapping[str, tuple[int, ...]], n: int) -> dict[str, slice]:
    """Return the place of each block, one behind the other."""
    if n_unknowns(shapes) != n:
        raise ShapeError(
            f"the blocks {describe(shapes)} have {n_unknowns(shapes)} unknowns, but there are {n}"
        )
    places, start = {}, 0
    for name, shape in shapes.items():
        places[name] = slice(start, start + _shape_size(shape))
        start += _shape_size(shape)
    return places


def _fitting(value: Any, shape: tuple[int, ...], what: str) -> NDArray[np.float64]:
    """Return a number or one number per unknown; raise if it is neither."""
    numbers = real_array(value, f"{what} must be a number or numbers")
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
