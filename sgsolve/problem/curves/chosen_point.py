"""The special point of a branch that the user chose, itself or by its number."""

from __future__ import annotations

import numbers
from typing import Any

from ...errors import DataTypeError, InputError, ShapeError
from ...results.branch import Branch
from ...results.special_points import ApproximateSpecialPoint, SpecialPoint

WORDS = {"hopf": "Hopf point"}
MISSING = {
    "hopf": "follow it with stability=True where a pair of eigenvalues crosses the imaginary axis",
    "fold": "follow it with detect='fold' past a fold",
    "branch point": "follow it with detect='branch point' past one",
}


def chosen_point(branch: Any, special: Any, kind: str) -> SpecialPoint:
    """Return a special point of a kind on a branch of steady states.

    Raises
    ------
    DataTypeError
        If the branch is no Branch, or the point neither a SpecialPoint nor a number.
    InputError
        If the branch has no such point, or the point is of another kind or approximate only.
    ShapeError
        If the point has another number of unknowns than the branch.
    """
    point = numbered_point(branch, special, kind)
    if point.kind != kind:
        raise InputError(f"{point} is no {WORDS.get(kind, kind)}")
    if isinstance(point, ApproximateSpecialPoint):
        raise InputError(
            f"{point} did not converge: take a special point that a continuation located exactly"
        )
    n = branch.states.shape[1]
    if point.x.shape != (n,):
        raise ShapeError(f"{point} has shape {point.x.shape}, but the branch has {n} unknowns")
    return point


def numbered_point(branch: Any, special: Any, kind: str) -> SpecialPoint:
    """Return a special point that was given itself, or the one of a kind with a number."""
    check_branch(branch)
    if isinstance(special, SpecialPoint):
        return special
    points, word = branch.special_points_of(kind), WORDS.get(kind, kind)
    number = point_number(special)
    if not points:
        raise InputError(f"the branch has no {word}; {MISSING[kind]}")
    if not -len(points) <= number < len(points):
        raise InputError(f"the branch has {len(points)} {word}s; there is no number {number}")
    found: SpecialPoint = points[number]
    return found


def point_number(special: Any) -> int:
    """Return the number of a special point."""
    if isinstance(special, bool) or not isinstance(special, numbers.Integral):
        raise DataTypeError(
            f"special_point must be a SpecialPoint or its number on the branch, not {special!r}"
        )
    return int(special)


def refuse_point_alone(start: Any, method: str) -> None:
    """Raise if a special point was given without its branch, which has the parameters."""
    if isinstance(start, SpecialPoint):
        raise DataTypeError(
            f"a SpecialPoint ({start}) has no names of parameters; pass its branch as well: "
            f"{method}(branch, special_point=point)"
        )


def check_branch(branch: Any) -> None:
    """Raise if something is no branch of steady states along one parameter."""
    refuse_point_alone(branch, "the method")
    if not isinstance(branch, Branch):
        raise DataTypeError(
            f"branch must be a Branch, such as continuation returns, not {type(branch).__name__}"
        )
    if branch.along:
        moved = ", ".join((branch.name, *branch.along))
        raise InputError(
            f"several parameters change along this branch ({moved}); continue from a special point "
            "of a branch of one"
        )
    if branch.kind == "orbits":
        raise InputError("this branch consists of orbits; take a branch of steady states")
