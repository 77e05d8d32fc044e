"""Norms in which errors of a time step are measured: relative to tolerances, block by block.

An error e counts as ``e / (rtol |x| + atol)``. The norm is the root mean square over a block, and
the largest of all blocks: one bad block is not averaged away by a thousand good ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import EPS, Vector
from ..errors import InputError
from ..results.blocks import Blocks

GAP = 100.0  # between magnitudes in one block: they are of different units then
FEW = 32  # unknowns in a single block: they may be of different units, each with its own size
SHARE = 0.1  # of the largest magnitude of a block is the size of its unknowns
OWN = 1e-4  # of the largest magnitude of each of few unknowns is its size
LEAST = 1e-5  # of the largest magnitude of all of them, at least
COARSE = 0.01  # of its largest magnitude, is an error that leaves less than two digits
FAR = 1e4  # by which an error in units of the magnitude may be larger than rtol
LOOSE = 1e-5  # relative tolerance, from which on a step may have an error of the whole of it
ROUNDINGS = 1500.0  # that the error of a step may have at least: Newton's iteration needs as many


class ErrorWeights:
    """Tolerances of a run, and the sizes of the unknowns that were met so far.

    Parameters
    ----------
    rtol : float
        Relative tolerance.
    atol : float, array_like of shape (n,), mapping of block to either, or None
        Absolute tolerance, in the units of the unknowns. None: rtol times a tenth of the largest
        magnitude that the block had so far, so that it follows the units of the block. Few unknowns
        without blocks may be of different units: rtol times a part of the largest of each one.
    scale : ndarray of shape (n,), or None
        Typical size of each unknown; with it, None means rtol times that.
    algebraic : ndarray of bool, shape (n,), optional
        Unknowns that are in no charge. Without blocks they count as a block of their own: a voltage
        beside concentrations is controlled by its own size.

    Attributes
    ----------
    parts : list of slice or ndarray of int
        The unknowns of each block.
    apart : list of bool
        Whether the unknowns of a block may be of different units.
    """

    def __init__(
        self,
        blocks: Blocks,
        rtol: float,
        atol: Any,
        scale: Vector | None,
        algebraic: NDArray[np.bool_] | None = None,
    ) -> None:
        if not rtol > 0.0:
            raise InputError(f"rtol must be positive, not {rtol!r}")
        self.blocks, self.rtol = blocks, float(rtol)
        self.parts: list[Any] = [blocks[name] for name in blocks.names]
        undivided = len(self.parts) == 1
        if undivided and algebraic is not None and algebraic.any() and not algebraic.all():
            self.parts = [np.flatnonzero(~algebraic), np.flatnonzero(algebraic)]
        self._whole = len(self.parts) == 1
        indices = np.arange(blocks.n)
        self.apart = [undivided and len(indices[part]) <= FEW for part in self.parts]
        self.fixed: Vector | None = None
        self.largest: Vector = np.zeros(blocks.n)  # magnitudes
        self.skipped: NDArray[np.bool_] | None = None
        self.inherited: Vector = np.zeros(len(self.parts))  # by block
        if atol is not None:
            by_block = isinstance(atol, Mapping)
            self.fixed = blocks.spread(atol, 0.0 if by_block else 1.0, "atol")
            if by_block and (missing := [name for name in blocks.names if name not in atol]):
                raise InputError(
                    f"atol has no value for the block {missing[0]!r}; give one for every block, "
                    "or leave atol out"
                )
            if not (np.isfinite(self.fixed).all() and (self.fixed > 0.0).all()):
                raise InputError(
                    f"atol must be positive for every unknown, not {atol!r}; leave it out and "
                    "each block gets a tenth of rtol times its own size"
                )
        elif scale is not None:
            self.fixed = self.rtol * scale
        self.of_step, self.step_rtol, self.step_atol = 1.0, self.rtol, self.fixed

    def divide(self, order: int, power: int) -> None:
        """Give a step the part of the tolerance that keeps the error at the end proportional to it.

        With a part e of the tolerance, a run takes about ``e ** (-1 / power)`` steps, and their
        errors add up to ``e ** (order / power)``.

        Parameters
        ----------
        order : int
            Of the method: the error at the end is of that order of the step.
        power : int
            Of the step: so falls the estimate of the error of one step.
        """
        part = min(1.0, self.rtol / LOOSE) ** (power / order - 1.0)
        self.of_step = max(part, min(1.0, ROUNDINGS * EPS / self.rtol))
        self.step_rtol = self.of_step * self.rtol
        self.step_atol = None if self.fixed is None else self.of_step * self.fixed

    def observe(self, x: Vector) -> Vector:
        """Take the magnitudes of a state into account; return its weights."""
        size = np.abs(x)
        self.largest = np.maximum(self.largest, size)
        return self._of_size(size)

    def allowed(self, x: Vector) -> Vector:
        """Return the error that each unknown may have.

        It is zero in blocks whose size is not known, and of unknowns that are left out.
        """
        weights = self.weights(x)
        errors: Vector = np.divide(1.0, weights, out=np.zeros_like(weights), where=weights > 0.0)
        for part in self.parts:
            errors[part] *= bool(self.largest[part].any()) / self.of_step
        return errors

    def inherit(self, errors: Vector) -> None:
        """Allow blocks that are zero so far the errors that others pass on to them, at least.

        Their own magnitudes, tiny at first, would ask for more than the others are exact to.
        """
        self.inherited = self.inherited.copy()
        for k, part in enumerate(self.parts):
            if not self.largest[part].any():
                largest = float(errors[part].max())
                known = isfinite(largest)
                self.inherited[k] = self.of_step * min(largest, self.rtol) if known else 0.0

    def remark(self, x: Vector) -> str:
        """Return what is to be said of tolerances above all unknowns, or at the end; else nothing.

        Parameters
        ----------
        x : ndarray, shape (n,)
            The state at the end.
        """
        if self.fixed is None:
            return self._of_small_unknowns() or self._of_decayed_unknowns(x)
        largest = float(self.largest.max())
        if not 0.0 < largest <= float(self.fixed.min()):
            return ""
        return (
            f"no unknown was larger than {largest:.3g}, but the absolute tolerance (atol, or rtol "
            f"times the scale of the problem) is at least {self.fixed.min():.3g}, so that no error "
            "was controlled; give a smaller one"
        )

    def _of_small_unknowns(self) -> str:
        """Return what is to be said where a block has unknowns of very different magnitudes."""
        for part, apart in zip(self.parts, self.apart, strict=True):
            sizes, share = self.largest[part], LEAST if apart else SHARE
            floor = share * float(sizes.max())
            atol = self.rtol * floor
            ordered = np.sort(sizes[sizes > 0.0])
            least = max(atol / COARSE, floor / FAR)
            below = (ordered[:-1] * GAP <= ordered[1:]) & (ordered[:-1] <= least)
            if np.any(below):
                size = float(ordered[:-1][below][-1])
                i = int(np.arange(self.blocks.n)[part][np.argmax(sizes == size)])
                return (
                    f"{self.blocks.label(i)} was never larger than {size:.3g}, and {atol:.3g} was "
                    f"allowed as its error: rtol times {share:g} of the largest unknown, "
                    f"{sizes.max():.3g}. Errors of {int(np.sum(sizes <= size))} of "
                    f"{len(sizes)} unknowns were not well controlled; give atol, or blocks of "
                    "unknowns of one unit"
                )
        return ""

    def _of_decayed_unknowns(self, x: Vector) -> str:
        """Return what is to be said where few unknowns end below the errors that were allowed."""
        if not any(self.apart):
            return ""
        weights = self.of_step * self.weights(x)
        lost = (x != 0.0) & (weights > 0.0) & (np.abs(x) * weights < 1.0)
        for part, apart in zip(self.parts, self.apart, strict=True):
            lost[part] &= apart
        if not lost.any():
            return ""
        i = int(np.argmax(lost))
        return (
            f"{self.blocks.label(i)} ended at {x[i]:.3g}, from {self.largest[i]:.3g} at most, and "
            f"{1.0 / weights[i]:.3g} was allowed as its error; where so small a value matters, "
            "give atol"
        )

    def skip(self, unknowns: NDArray[np.bool_]) -> None:
        """Leave unknowns out of all norms."""
        self.skipped = unknowns

    def change_of_skipped(self, d: Vector, x: Vector) -> float:
        """Return the largest change of an unknown that is left out, over rtol and its size."""
        sizes = np.maximum(np.abs(x - d), self.largest)[self.skipped]
        change = np.abs(d[self.skipped])
        least = float(np.finfo(float).tiny)
        return float((change / np.maximum(self.rtol * sizes.max(), least)).max())

    def weights(self, x: Vector) -> Vector:
        """Return 1 / (rtol |x| + atol) by the tolerances of a step, shape (n,).

        It is zero for unknowns that are left out.
        """
        return self._of_size(np.abs(x))

    def _of_size(self, result: Vector) -> Vector:
        """Return the weights of a state of these magnitudes, in their memory."""
        result *= self.step_rtol
        if self.step_atol is not None:
            result += self.step_atol
        else:
            parts = zip(self.parts, self.apart, self.inherited, strict=True)
            for part, apart, inherited in parts:
                sizes = self.largest[part]
                largest = float(sizes.max()) or 1.0
                known = apart and sizes.any()
                size = np.maximum(OWN * sizes, LEAST * largest) if known else SHARE * largest
                result[part] += np.maximum(self.step_rtol * size, inherited)
        np.divide(1.0, result, out=result)
        if self.skipped is not None:
            result[self.skipped] = 0.0
        return result

    def norm(self, error: Vector, weights: Vector) -> float:
        """Return the largest root mean square of a block."""
        scaled = error * weights
        if self._whole:
            return sqrt(float(scaled.dot(scaled)) / len(scaled))
        largest = 0.0
        for part in self.parts:
            s = scaled[part]
            square = float(s.dot(s)) / len(s)
            if not square <= largest:  # or it is not a number
                largest = square
        return sqrt(largest)

    def worst(self, error: Vector, weights: Vector) -> str:
        """Return the name of the unknown with the largest error, such as ``v[3]``."""
        scaled = np.abs(error * weights)
        return self.blocks.label(int(np.argmax(np.where(np.isfinite(scaled), scaled, np.inf))))
