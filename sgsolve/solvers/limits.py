"""Step limiters: what a step must not do, whatever the direction proposes.

A limiter takes a point and a step, and returns a step. `MaxChange` and `Bounds` shorten the whole
step and keep its direction, so that a line search still works. `LogDamping`, `Positive` and
``Bounds(how="clip")`` change single components, which is more robust but changes the direction.
Any function ``(x, dx) -> dx`` is a limiter too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from ..arrays import Vector
from ..errors import InputError, ShapeError
from ..results.blocks import Blocks
from .settings import fraction, not_negative, positive

ROUNDING = 4.0 * np.finfo(float).eps  # of x + dx at a bound


@runtime_checkable
class Limit(Protocol):
    """Interface of the step limiters: shorten or change a step.

    Subclasses inherit a `check_start` that accepts every start, and an `admits` that accepts every
    point.

    See Also
    --------
    Bounds, Positive, MaxChange, LogDamping
    """

    def apply(self, x: Vector, dx: Vector, blocks: Blocks) -> Vector:
        """Return the step allowed at x; dx itself (the same object) if it is allowed."""
        ...

    def check_start(self, x: Vector, blocks: Blocks) -> None:
        """Raise `InputError` if no iteration may start from x."""
        return None

    def admits(self, x: Vector, blocks: Blocks) -> bool:
        """Whether the residual may be evaluated at x.

        Steps keep to the limit anyway; questions about a solution or a failure ask for values of
        the residual around it.
        """
        return True


@dataclass(frozen=True)
class MaxChange(Limit):
    """Shorten the step so that no unknown of a block changes by more than a given amount.

    Parameters
    ----------
    change : float or mapping of block to float
        In the units of the unknowns. A number holds for all.

    See Also
    --------
    LogDamping, Bounds, Positive

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.Newton(limits=solvers.MaxChange(2.0))
    >>> Problem(lambda x: np.exp(x) - 1e3).solve([0.0], method).x.round(4)
    array([6.9078])
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
class Bounds(Limit):
    """Keep lower <= x <= upper.

    Parameters
    ----------
    lower, upper : float, array_like of shape (n,) or mapping of block to float
        None: no bound.
    how : "shorten" or "clip"
        Shorten the whole step: no unknown moves further than `fraction` of the way to its bound. Or
        move each unknown that would leave onto its bound.
    fraction : float
        Below 1 keeps the iterates off the bound.

    Raises
    ------
    InputError
        If `how` or a number is wrong.

    See Also
    --------
    Positive, MaxChange, LogDamping

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.DampedNewton(limits=solvers.Bounds(lower=0.0, upper=10.0))
    >>> Problem(lambda x: x**2 - 4.0).solve([0.1], method).x
    array([2.])
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
            _check_bound(name, getattr(self, name))

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

    def check_start(self, x: Vector, blocks: Blocks) -> None:
        """Raise `InputError` if the start lies outside."""
        lower, upper = self.on(blocks)
        outside = np.flatnonzero((x < lower) | (x > upper))
        if len(outside):
            i = int(outside[0])
            raise InputError(
                f"the start lies outside the Bounds: {blocks.label(i)} = {x[i]:g} is not between "
                f"{lower[i]:g} and {upper[i]:g}; start within"
            )

    def admits(self, x: Vector, blocks: Blocks) -> bool:
        """Whether x lies within the bounds, up to rounding."""
        lower, upper = self.on(blocks)
        rounding = ROUNDING * np.abs(x)
        return bool(((x >= lower - rounding) & (x <= upper + rounding)).all())

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
class Positive(Limit):
    """Keep unknowns positive: each keeps at least a tenth of its value in one step.

    Parameters
    ----------
    blocks : tuple of str
        Names of the blocks; all unknowns by default.
    keep : float
        The fraction of its value that an unknown keeps at least.

    See Also
    --------
    Bounds, MaxChange, LogDamping

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.DampedNewton(limits=solvers.Positive())
    >>> Problem(lambda x: np.log(x) + x).solve([5.0], method).x.round(4)
    array([0.5671])
    """

    blocks: tuple[str, ...] = ()
    keep: float = 0.1

    def __post_init__(self) -> None:
        fraction(self, "keep")
        if isinstance(self.blocks, str):
            object.__setattr__(self, "blocks", (self.blocks,))

    def check_start(self, x: Vector, blocks: Blocks) -> None:
        """Raise `InputError` if the start is negative; from zero an unknown may rise."""
        for where in self._places(blocks):
            below = np.flatnonzero(x[where] < 0.0)
            if len(below):
                i = int(np.arange(len(x))[where][below[0]])
                raise InputError(
                    f"the start is not Positive: {blocks.label(i)} = {x[i]:g}; start above zero"
                )

    def admits(self, x: Vector, blocks: Blocks) -> bool:
        """Whether no unknown is negative."""
        return not any((x[where] < 0.0).any() for where in self._places(blocks))

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
class LogDamping(Limit):
    """Replace large changes by their logarithm: ``dx -> s sign(dx) log(1 + |dx| / s)``.

    This is the classical damping of electrostatic potentials, with s the thermal voltage. Steps
    below s are unchanged, which keeps quadratic convergence. A step of 1000 s becomes one of 7 s.

    Parameters
    ----------
    scale : float or mapping of block to float
        The threshold s, in the units of the unknowns.
    threshold : float
        Steps below threshold * s are unchanged.

    See Also
    --------
    MaxChange, Bounds, Positive

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import Problem, solvers
    >>> method = solvers.Newton(limits=solvers.LogDamping(1.0))
    >>> Problem(lambda x: np.exp(x) - 1e3).solve([0.0], method).x.round(4)
    array([6.9078])
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
class UserLimit(Limit):
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


def _check_bound(name: str, bound: Any) -> None:
    for value in bound.values() if isinstance(bound, Mapping) else (bound,):
        try:
            value = None if value is None else np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            raise InputError(f"Bounds: {name} must be numbers, not {value!r}") from None
        if value is not None and np.isnan(value).any():
            raise InputError(f"Bounds: {name} holds NaN; None is no bound")


def as_limit(limit: Any) -> Limit:
    """Return a limiter as it is, or wrap a function."""
    if isinstance(limit, Limit):
        return limit
    if callable(limit) and not isinstance(limit, type):
        return UserLimit(limit)
    raise InputError(
        "a limit must be a function (x, dx) -> dx or an object with apply(), check_start() and "
        f"admits(), such as a subclass of solvers.Limit, not {limit!r}"
    )
