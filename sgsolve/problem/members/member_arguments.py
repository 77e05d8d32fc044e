"""The arguments of a family: its starts, and the parameters of each member, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Vector
from ...errors import DataTypeError, InputError, NotFiniteError, ShapeError
from ..equations.definition import ProblemDefinition
from ..inputs.fields import pack
from ..inputs.starting_point import refuse_other_classes, starting_point


class MemberArguments(NamedTuple):
    """What `Problem.solve_many` was given, for k members.

    Attributes
    ----------
    starts : ndarray, shape (k, n)
    params : list of dict
        The parameters that were given, for each member.
    columns : dict of str to ndarray
        Those that differ between members, with k elements or rows.
    """

    starts: Vector
    params: list[dict[str, Any]]
    columns: dict[str, Any]


def member_arguments(
    definition: ProblemDefinition,
    x0s: ArrayLike | Mapping[str, Any],
    params: Mapping[str, Any] | None,
) -> MemberArguments:
    """Return the checked arguments of a family.

    Raises
    ------
    InputError
        If something is wrong; the message names the member.
    """
    if params is None:
        params = {}
    if not isinstance(params, Mapping):
        raise DataTypeError(f"params must map names to values, not {params!r}")
    columns = {name: _column(name, v) for name, v in params.items() if _has_members(v)}
    given = {name: v for name, v in params.items() if name not in columns}
    starts, k = _starts_of_members(_packed_members(definition, x0s), columns)
    for name, column in columns.items():
        if len(column) != k:
            raise ShapeError(
                f"params[{name!r}] has {len(column)} values for {k} members; give one number for "
                "all members, or one value for each"
            )
    known = definition.signature.at(given).known
    values = {name: _values(column, known.get(name)) for name, column in columns.items()}
    return MemberArguments(
        starts, [{**given, **{name: v[m] for name, v in values.items()}} for m in range(k)], columns
    )


def _has_members(value: Any) -> bool:
    """Whether a value is one for each member."""
    return isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _column(name: str, value: Any) -> Vector:
    if np.ma.is_masked(value):
        raise DataTypeError(f"params[{name!r}] is a masked array; fill its elements")
    try:
        column = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"params[{name!r}] is no regular array: {error}") from None
    if column.dtype.kind in "fc":
        bad = np.flatnonzero(~np.isfinite(column).all(axis=tuple(range(1, column.ndim))))
        if len(bad):
            raise NotFiniteError(
                f"params[{name!r}] is not finite for member {bad[0]}: {column[bad[0]]}"
            )
    return column


def _values(column: Vector, default: Any) -> Any:
    """Return the value of each member: a number of Python's, or an array of its own."""
    if column.dtype.kind in "iu" and isinstance(default, float):
        column = column.astype(float)  # whole numbers among real ones are real
    return column.tolist() if column.ndim == 1 else list(np.array(column))


def _packed_members(definition: ProblemDefinition, x0s: Any) -> Any:
    """Return blocks as one start, or as one in each row where blocks have one more axis."""
    refuse_other_classes(x0s, "x0s")
    if not isinstance(x0s, Mapping):
        return x0s
    shapes = definition.unknowns.shapes
    fields = {name: np.asarray(value) for name, value in x0s.items()}
    own = {
        name: len(value)
        for name, value in fields.items()
        if name in shapes and value.ndim == len(shapes[name]) + 1
    }
    if not own:
        return pack(definition.unknowns, x0s)
    if len(set(own.values())) > 1:
        raise ShapeError(f"x0s: the blocks have {own} members; give as many of each")
    members = range(next(iter(own.values())))
    rows = [
        pack(definition.unknowns, {n: v[k] if n in own else v for n, v in fields.items()})
        for k in members
    ]
    return np.array(rows)


def _starts_of_members(x0s: ArrayLike, columns: Mapping[str, Vector]) -> tuple[Vector, int]:
    """Return the start of every member, and how many there are."""
    try:
        ndim = np.ndim(x0s) if isinstance(x0s, np.ndarray | list | tuple) else 1
    except ValueError as error:
        raise ShapeError(f"x0s is no regular array: {error}") from None
    if ndim == 1:
        start = starting_point(x0s, "x0s")
        if not columns:
            raise ShapeError(
                f"x0s has shape {start.shape} and no parameter has a value for each member; give "
                "x0s of shape (k, n), or use Problem.solve for one member"
            )
        k = len(next(iter(columns.values())))
        if k == 0:
            raise InputError("there are no members: the parameters have no values")
        return np.tile(start, (k, 1)), k
    rows = np.asarray(x0s)
    if rows.ndim != 2:
        raise ShapeError(f"x0s must have the shape (k, n), or (n,), not {rows.shape}")
    if not rows.size:
        raise InputError(f"x0s has the shape {rows.shape}: there are no members, or no unknowns")
    if rows.dtype.kind in "fc":
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if len(bad):
            column = int(np.flatnonzero(~np.isfinite(rows[bad[0]]))[0])
            raise NotFiniteError(
                f"x0s is not finite in {len(bad)} of {len(rows)} members, first x0s[{bad[0]}, "
                f"{column}] = {rows[bad[0], column]}"
            )
    return starting_point(rows.ravel(), "x0s").reshape(rows.shape), len(rows)
