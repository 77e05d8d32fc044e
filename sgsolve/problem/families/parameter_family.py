"""ParameterizedSystem: the systems of a problem for all values of one parameter, for continuation.

The unknowns and the parameter are seeded together, so that one evaluation of the residual gives F,
J and dF/dp exactly. dF/dp is a central difference where the parameter is passed to code that takes
plain numbers only, and for a problem with its own Jacobian.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from ... import ad
from ...ad.kernels.compiled_evaluation import CompiledResult
from ...arrays import Vector
from ...continuation.curve_points.metric import UNITS
from ...continuation.family import Family, with_last
from ...errors import ShapeError, StructureError
from ...pattern import Pattern
from ...results.history import Stats
from ..equations.central_differences import central_difference, size_near_zero
from ..equations.residual_system import ResidualSystem
from ..inputs.returned import seeded_vector


@dataclass(frozen=True)
class Line:
    """Parameters that move together along a straight line, measured by one number t.

    Attributes
    ----------
    names : tuple of str
    origin, direction : tuple of float
        Parameter j is ``origin[j] + (t - offset) * direction[j]``.
    """

    names: tuple[str, ...]
    origin: tuple[float, ...] = (0.0,)
    direction: tuple[float, ...] = (1.0,)
    offset: float = 0.0

    def params(self, t: Any) -> dict[str, Any]:
        """Return the parameters at t, a number or a seeded one."""
        along = t - self.offset if self.offset else t
        return {
            name: along if (start, rate) == (0.0, 1.0) else start + along * rate
            for name, start, rate in zip(self.names, self.origin, self.direction, strict=True)
        }


def typical_sizes(system: ResidualSystem, x: Vector) -> Vector | None:
    """Return the size of each unknown: the user's, or that of its block at x; None for one block.

    Blocks of different units (volts, densities) must not be added up in a metric.
    """
    if system.scale is not None or len(system.blocks) == 1:
        return system.scale
    sizes = {block: size or 1.0 for block, size in system.blocks.norms(x).items()}
    spread: Vector = system.blocks.spread(sizes, 1.0)
    return spread


class ParameterizedSystem(Family):
    """The systems of a problem for each value of a parameter.

    Parameters
    ----------
    system : ResidualSystem
        Prepared, at any value.
    line : Line or str
        The parameter, or parameters that move together.
    x : ndarray, shape (n,)
    t : float
        With x a point at which the residual can be traced.

    Attributes
    ----------
    nfev, njev : int
        Evaluations of the residual alone, and with derivatives.
    seconds : dict
        Spent in either.
    """

    def __init__(self, system: ResidualSystem, line: Line | str, x: Vector, t: float) -> None:
        self.system, self.n = system, len(x)
        self.line = Line((line,)) if isinstance(line, str) else line
        self.nfev = self.njev = 0
        self.seconds = {"jacobian": 0.0}
        self._scale = typical_sizes(system, x)
        self._zero: frozenset[str] = frozenset()  # blocks without size
        if self._scale is not None and system.scale is None:
            self._zero = frozenset(k for k, size in system.blocks.norms(x).items() if not size)
        self._size = abs(t)  # the largest magnitude that the parameter had
        self._joint: Pattern | None = None
        if not system.has_own_jacobian:
            self._joint = self._traced(np.append(x, t))

    @property
    def pattern(self) -> Pattern:
        """Where J may have entries."""
        return self._pattern if self._joint is not None else self.system.pattern

    def linearize(self, x: Vector, p: float) -> tuple[Vector, Any, Vector]:
        """Return F, J and dF/dp."""
        self.njev += 1
        start = perf_counter()
        try:
            if self._joint is not None:
                return self._jointly(x, p)
            here = self.system.at(self.line.params(p))
            F, J = here.linearize(x)
            if here.pattern is not self.system.pattern:  # it grew
                self.system = here
            return F, J, self._difference(x, p)
        finally:
            self.seconds["jacobian"] += perf_counter() - start

    @property
    def scale(self) -> Vector | None:
        """See `typical_sizes`."""
        return self._scale

    @property
    def lacks_sizes(self) -> bool:
        """Whether there are several blocks without scale, and one was zero at the start."""
        return bool(self._zero)

    def take_sizes(self, change: Vector) -> None:
        """Take the sizes of blocks that were zero at the start from their change.

        As in `start_metric`, the user's unit counts if it is not far from that.
        """
        assert self._scale is not None
        for block, size in self.system.blocks.norms(change).items():
            if block in self._zero and size > 0.0:
                self._scale[self.system.blocks[block]] = min(max(1.0, size / UNITS), size * UNITS)

    def saved(self) -> dict[str, Any]:
        """Return the sizes that `take_sizes` may have changed."""
        return {"scale": self._scale} if self._zero else {}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take them back."""
        self._scale = saved.get("scale", self._scale)

    def _raw(self, z: Any) -> Any:
        params = {**self.system.params, **self.line.params(z[self.n])}
        return seeded_vector(self.system.raw_at(z[: self.n], params), self.n)

    def _traced(self, z: Vector) -> Pattern | None:
        """Return the pattern of [J Fp] over (x, p), or None if p cannot be seeded."""
        try:
            with np.errstate(all="ignore"):
                found = ad.sparsity_pattern(self._raw(ad.seed_sparsity(z)))
                self._raw(ad.seed(z))
        except (TypeError, ValueError, AttributeError, ShapeError, ArithmeticError):
            # the parameter meets float(), an array of fixed dtype, a function from elsewhere
            return None
        return self._take(found)

    def _take(self, joint: Pattern) -> Pattern:
        """Split a pattern of [J Fp], with all entries of the system's own pattern added."""
        own, n = self.system.pattern, self.n
        joint = joint.union(Pattern(own.indptr, own.indices, (n, n + 1)))
        inner = joint.indices < n
        rows = np.concatenate([[0], np.cumsum(inner)])[joint.indptr]
        pattern = Pattern(rows, joint.indices[inner], (n, n))
        self._pattern = own if own.equals(pattern) else pattern
        self._inner, self._rows = inner, joint.rows[~inner]
        self._plain = bool(inner.all())
        return joint

    def _jointly(self, x: Vector, p: float) -> tuple[Vector, Any, Vector]:
        z = with_last(x, p)
        kernels = self.system.kernels
        if kernels is None:
            found = self._joint_values(z)
        else:
            joint = kernels.of(("joint", self.line, self.n), self._joint_function())
            found = joint.linearized(
                z, self.system.params, self._joint, lambda: self._joint_values(z)
            )
        F, data, _ = found
        Fp = np.zeros(self.n)
        Fp[self._rows] = data[~self._inner]
        J = self._pattern.matrix(data if self._plain else data[self._inner])
        return F, J, Fp

    def _joint_values(self, z: Vector) -> CompiledResult:
        """Return F and its derivative by x and p together."""
        assert self._joint is not None
        y = self._raw(ad.seed(z))
        try:
            data = ad.jacobian_values(y, self._joint)
        except StructureError:
            self._joint = self._take(self._joint.union(ad.sparsity_pattern(y)))
            data = ad.jacobian_values(y, self._joint)
        return CompiledResult(np.array(ad.value(y), dtype=np.float64), data, self._joint)

    def _joint_function(self) -> Callable[..., Any]:
        """Return the residual as a function of x and p together."""
        line, n, raw_at = self.line, self.n, self.system.raw_at

        def joint(z: Any, /, **params: Any) -> Any:
            return raw_at(z[:n], {**params, **line.params(z[n])})

        return joint

    def confirm(self, z: Vector, F: Vector) -> bool:
        """Whether the user's code gives this F at z = (x, p); see `ResidualSystem.confirm`."""
        return self.system.at(self.line.params(float(z[-1]))).confirm(z[:-1], F)

    def compiled_counts(self) -> Stats:
        """Return the counts of compiled evaluations so far."""
        return self.system.compiled_counts()

    def _difference(self, x: Vector, p: float) -> Vector:
        def along(p: float) -> Vector:
            self.nfev += 1
            return self.system.at(self.line.params(p)).residual(x)

        self._size = max(self._size, abs(p))
        if self._size == 0.0:
            self._size = size_near_zero(along)
        return central_difference(along, p, self._size)
