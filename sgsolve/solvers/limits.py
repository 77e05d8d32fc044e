"""Limits: what a step may not do, whatever Newton proposes.

One idea: a limit is handed a point and a step and returns a step. Those that shorten the whole
step keep its direction, so a line search still works; those that change components one by one
(`LogDamping`, `Bounds(how="clip")`) trade that for robustness. Any function ``(x, dx) -> dx``
is a limit too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, ShapeError
from ..results.blocks import Blocks
from .settings import fraction, not_negative, positive

Vector = NDArray[Any]


class Limit(Protocol):
    """What shortens or bends a step."""

    def apply(self, x: Vector, dx: Vector, blocks: Blocks) -> Vector:
        """Return the step allowed at x; dx itself (the same object) if it is allowed."""
        ...


@dataclass(frozen=True)
class MaxChange:
    """No unknown of a block changes by more than this in one step; the whole step is shortened.

    Parameters
    ----------
    change : float or mapping of block to float
        In the units of the unknowns. A number holds for all.
    """

    change: float | Mapping[str, float]

    def __post_init__(self) -> None:
        positive(self, "change")

    def apply(self, x: Vector, dx: Vector, blocks: Blocks) -> Vector:
        """Shorten the step."""
        if isinstance(self.change, Mapping):
            size = np.abs(dx)
            worst = max(float(size[blocks[b]].max()) / most for b, most in self.change.items())
        else:
            worst = float(np.abs(dx).max()) / self.change
        return dx if worst <= 1.0 else dx / worst


@dataclass(frozen=True)
class Bounds:
    """Lower <= x <= upper.

    Parameters
    ----------
    lower, upper : float, array_like of shape (n,) or mapping of block to float
        None: no bound.
    how : "shorten" or "clip"
        Shorten the whole step so that no unknown goes further than `fraction` of the way to its
        bound, or move each unknown that would leave onto its bound.
    fraction : float
        Below 1 keeps the iterates off the bound.
    """

    lower: Any = None
    upper: Any = None
    how: Literal["shorten", "clip"] = "shorten"
    fraction: float = 0.9

    def __post_init__(self) -> None:
        if self.how not in ("shorten", "clip"):
            raise InputError(f"how must be 'shorten' or 'clip', not {self.how!r}")
        fraction(self, "fraction")
        for name in ("lower", "upper"):
            _refuse_nan(name, getattr(self, name))

    def on(self, blocks: Blocks) -> tuple[Vector, Vector]:
        """Return the lower and the upper bound of every unknown."""
        lower = blocks.spread(self.lower, -np.inf, "lower")
        upper = blocks.spread(self.upper, np.inf, "upper")
        empty = np.flatnonzero(lower > upper)
        if len(empty):
            i = int(empty[0])
            raise InputError(
                f"Bounds leave no room for {blocks.label(i)}: {lower[i]:g} up to {upper[i]:g}"
            )
        return lower, upper

    def refuse(self, x: Vector, blocks: Blocks) -> None:
        """Raise `InputError` if the start lies outside."""
        lower, upper = self.on(blocks)
        outside = np.flatnonzero((x < lower) | (x > upper))
        if len(outside):
            i = int(outside[0])
            raise InputError(
                f"the start lies outside the Bounds: {blocks.label(i)} = {x[i]:g} is not between "
                f"{lower[i]:g} and {upper[i]:g}; start within"
            )

    def apply(self, x: Vector, dx: Vector, blocks: Blocks) -> Vector:
        """Keep x + dx within the bounds."""
        lower, upper = self.on(blocks)
        trial = x + dx
        outside = (trial < lower) | (trial > upper)
        if not outside.any():
            return dx
        if self.how == "clip":
            clipped: Vector = np.clip(trial, lower, upper) - x
            return clipped
        room = np.where(dx[outside] < 0.0, lower[outside] - x[outside], upper[outside] - x[outside])
        share = float((room / dx[outside]).min())
        return dx * (self.fraction * max(share, 0.0))


@dataclass(frozen=True)
class Positive:
    """Unknowns stay positive: each keeps at least a tenth of its value in one step.

    Parameters
    ----------
    blocks : tuple of str
        Names of the blocks; all unknowns by default.
    keep : float
        The fraction of its value that an unknown keeps at least.
    """

    blocks: tuple[str, ...] = ()
    keep: float = 0.1

    def __post_init__(self) -> None:
        fraction(self, "keep")
        if isinstance(self.blocks, str):
            object.__setattr__(self, "blocks", (self.blocks,))

    def refuse(self, x: Vector, blocks: Blocks) -> None:
        """Raise `InputError` if the start is negative; from zero an unknown may rise."""
        for where in self._places(blocks):
            below = np.flatnonzero(x[where] < 0.0)
            if len(below):
                i = int(np.arange(len(x))[where][below[0]])
                raise InputError(
                    f"the start is not Positive: {blocks.label(i)} = {x[i]:g}; start above zero"
                )

    def _places(self, blocks: Blocks) -> list[Any]:
        return [blocks[name] for name in self.blocks] or [slice(None)]

    def apply(self, x: Vector, dx: Vector, blocks: Blocks) -> Vector:
        """Raise the components that fall too far, one by one."""
        floor = np.full(len(x), -np.inf)
        for where in self._places(blocks):
            floor[where] = -(1.0 - self.keep) * np.abs(x[where])
        if (dx >= floor).all():
            return dx
        raised: Vector = np.maximum(dx, floor)
        return raised


@dataclass(frozen=True)
class LogDamping:
    """Large changes are replaced by their logarithm: ``dx -> s sign(dx) log(1 + |dx| / s)``.

    The classical damping of electrostatic potentials, s the thermal voltage: small steps pass
    unchanged (quadratic convergence stays), a step of 1000 s becomes one of 7 s.

    Parameters
    ----------
    scale : float or mapping of block to float
        s, in the units of the unknowns.
    threshold : float
        Steps below threshold * s are left alone.
    """

    scale: float | Mapping[str, float]
    threshold: float = 1.0

    def __post_init__(self) -> None:
        positive(self, "scale")
        not_negative(self, "threshold")

    def apply(self, x: Vector, dx: Vector, blocks: Blocks) -> Vector:
        """Compress the large components."""
        s = blocks.spread(self.scale, np.inf, "scale")
        large = np.abs(dx) > self.threshold * s
        if not large.any():
            return dx
        damped = dx.copy()
        part, scale, t = dx[large], s[large], self.threshold
        damped[large] = np.sign(part) * scale * (t + np.log1p(np.abs(part) / scale - t))
        return damped


@dataclass(frozen=True)
class UserLimit:
    """A user's function ``(x, dx) -> dx``; made of any callable in ``limits``."""

    function: Callable[[Vector, Vector], Vector]

    def apply(self, x: Vector, dx: Vector, blocks: Blocks) -> Vector:
        """Call the function on copies, and check what it returns."""
        limited = np.asarray(self.function(x.copy(), dx.copy()), dtype=float)
        if limited.shape != dx.shape:
            raise ShapeError(
                f"the limit {self.function!r} returned shape {limited.shape}, not {dx.shape}"
            )
        return dx if np.array_equal(limited, dx) else limited


def refuse_outside(solver: Any, x: Vector, blocks: Blocks) -> None:
    """Raise `InputError` if a start lies where the limits of a solver forbid steps to lead."""
    stages = getattr(solver, "stages", ())
    for stage in stages:
        refuse_outside(stage.solver, x, blocks)
    solver = getattr(solver, "finish", solver)  # a homotopy has the limits of what ends it
    for limit in () if stages else getattr(solver, "limits", ()):
        if hasattr(limit, "refuse"):
            limit.refuse(x, blocks)


def _refuse_nan(name: str, bound: Any) -> None:
    for value in bound.values() if isinstance(bound, Mapping) else (bound,):
        try:
            value = None if value is None else np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            raise InputError(f"Bounds: {name} must be numbers, not {value!r}") from None
        if value is not None and np.isnan(value).any():
            raise InputError(f"Bounds: {name} holds NaN; None is no bound")


def as_limit(limit: Any) -> Limit:
    """Return a limit as it is, or wrap a function."""
    if hasattr(limit, "apply"):
        made: Limit = limit
        return made
    if callable(limit):
        return UserLimit(limit)
    raise InputError(
        f"a limit is an object with apply() or a function (x, dx) -> dx, not {limit!r}"
    )
