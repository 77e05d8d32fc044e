"""Unknowns: blocks, scales and sparsity pattern of a problem, for each number of unknowns.

They do not depend on the values of the parameters; all systems of a problem share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Vector
from ...errors import DataTypeError, InputError
from ...pattern import Pattern
from ...results.blocks import Blocks, checked_shapes


class Unknowns:
    """Blocks, scales and sparsity pattern of a problem, for each number of unknowns.

    Parameters
    ----------
    blocks : mapping or None
    scale : float, array_like, mapping or None

    Attributes
    ----------
    parts : dict
        The blocks as they were given.
    shapes : dict of str to tuple
        The shapes of the blocks; empty if they were given by indices or not at all.
    """

    def __init__(self, blocks: Any, scale: Any) -> None:
        named = isinstance(blocks, Mapping) and all(isinstance(name, str) for name in blocks)
        if not (blocks is None or named):
            raise DataTypeError(f"blocks must map names to shapes or indices, not {blocks!r}")
        self.parts: dict[str, Any] = dict(blocks or {})
        self.shapes = checked_shapes(self.parts)
        self._scale = scale
        self._blocks: dict[int, Blocks] = {}
        self._patterns: dict[int, Pattern] = {}
        numbers = scale.values() if isinstance(scale, Mapping) else [scale]
        self._keeps_scales = all(isinstance(number, int | float) for number in numbers)
        self._scales: dict[int, Vector] = {}

    def indices(self, n: int) -> dict[str, NDArray[np.int64]]:
        """Return the indices of each block among n unknowns, by name.

        Empty for systems around those of the problem, such as that of a fold: they have more
        unknowns, and no blocks.
        """
        if n not in self._blocks:
            return {}
        every = np.arange(n)
        return {name: every[where] for name, where in self.blocks(n).parts.items()}

    def blocks(self, n: int) -> Blocks:
        """Return the blocks of n unknowns."""
        if n not in self._blocks:
            self._blocks[n] = Blocks(n, self.parts)
        return self._blocks[n]

    def scale(self, n: int) -> Vector | None:
        """Return the scale of each unknown, or None; nobody writes into it."""
        if self._scale is None:
            return None
        if n in self._scales:
            return self._scales[n]
        if np.ma.is_masked(self._scale):
            raise DataTypeError("scale is a masked array; give every unknown a typical size")
        scale = self.blocks(n).spread(self._scale, 1.0, "scale")
        if not (np.isfinite(scale).all() and (scale > 0.0).all()):
            raise InputError("scale must be positive and finite, for every unknown")
        if self._keeps_scales:  # arrays may have other elements the next time
            self._scales[n] = scale
        return scale

    def pattern(self, n: int) -> Pattern | None:
        """Return the pattern if it has been found."""
        return self._patterns.get(n)

    def grow(self, n: int, pattern: Pattern) -> Pattern:
        """Add entries to the pattern; the pattern object stays the same if nothing is new."""
        known = self._patterns.get(n)
        grown = pattern if known is None else known.union(pattern)
        self._patterns[n] = grown
        return grown
