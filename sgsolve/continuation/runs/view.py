"""View: the state and the parameters of the user's problem at a point of a run.

A run can have more unknowns than the problem, such as the multipliers of a null space or the
parameter of a fold. A view removes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...arrays import Vector
from ...results.blocks import Blocks
from ...results.special_points import SpecialPoint


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True, kw_only=True)
class View:
    """Functions from a point of a run to the state and the parameters of the problem.

    Parameters
    ----------
    names : tuple of str
        The parameters that change along the run; the first one is the name of the branch.
    params : mapping
        All parameters of the problem.
    moved : callable
        ``moved(x, p)`` -> the values of the parameters that change, by name.
    state : callable
        ``state(x)`` -> the state of the problem; x itself by default.
    special : callable
        ``special(special_point)`` -> the same point in the unknowns of the problem.
    place : callable
        ``place(p)`` -> text for messages, such as "lam = 2".
    blocks : Blocks, optional
        Names and shapes of blocks of the state.
    kind : str
        What the branch consists of; see `Branch`.
    """

    names: tuple[str, ...]
    params: Mapping[str, Any]
    moved: Callable[[Vector, float], dict[str, float]]
    state: Callable[[Vector], Vector] = _unchanged
    special: Callable[[SpecialPoint], SpecialPoint] = _unchanged
    place: Callable[[float], str]
    blocks: Blocks | None = None
    kind: str = "solutions"

    def seen(self, point: Any) -> tuple[Vector, dict[str, Any]]:
        """Return the state and all parameters at a point."""
        return self.state(point.x), {**self.params, **self.moved(point.x, point.p)}

    @property
    def fixed(self) -> dict[str, Any]:
        """The parameters that do not change along the run."""
        return {key: value for key, value in self.params.items() if key not in self.names}
