"""Views: what the user sees of the points of a run.

The unknowns of a run may be more than those of the problem: multipliers of a null space, or the
parameter of a fold. A view takes a point back to the state and the parameters that the user knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ..results.blocks import Blocks
from ..results.special_points import SpecialPoint

Vector = NDArray[Any]


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, kw_only=True)
class View:
    """What the user sees of a point.

    Parameters
    ----------
    names : tuple of str
        The parameters that move along the run; the first one names the branch.
    params : mapping
        All parameters of the problem, those that do not move among them.
    moved : callable
        ``moved(x, p)`` -> the values of those that move, by name.
    state : callable
        ``state(x)`` -> the state of the problem; x itself by default.
    special : callable
        The same for a special point.
    place : callable
        ``place(p)`` -> where p is, in words.
    blocks : Blocks, optional
        The names and shapes of parts of the state.
    """

    names: tuple[str, ...]
    params: Mapping[str, Any]
    moved: Callable[[Vector, float], dict[str, float]]
    state: Callable[[Vector], Vector] = _same
    special: Callable[[SpecialPoint], SpecialPoint] = _same
    place: Callable[[float], str]
    blocks: Blocks | None = None

    def seen(self, point: Any) -> tuple[Vector, dict[str, Any]]:
        """Return the state and all parameters at a point."""
        return self.state(point.x), {**self.params, **self.moved(point.x, point.p)}

    @property
    def fixed(self) -> dict[str, Any]:
        """The parameters that do not move."""
        return {key: value for key, value in self.params.items() if key not in self.names}
