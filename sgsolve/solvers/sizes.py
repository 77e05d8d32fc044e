"""Sizes: what "small" means for an unknown and for an equation, without units.

One idea: the *term size* of equation i is S_i = sum_j |J_ij| max(|x_j|, tiny), so that F_i / S_i
is a relative error whatever the units of the equation (a componentwise backward error). The
*weight* of unknown j is max(|x_j|, 1e-3 max |x| in its block), or the user's scale. Merit
functions and tests use these two and nothing else.

Reference: Oettli and Prager, Numer. Math. 6 (1964) 405; the thresholds follow NLEQ1's XSCAL.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..blocks import Blocks

Vector = NDArray[Any]

TERM_FLOOR = 1e-6  # a component this much smaller than its block counts as this large in S
WEIGHT_FLOOR = 1e-3  # ... and in the norm of steps


def weights(x: Vector, blocks: Blocks, scale: Vector | None) -> Vector:
    """Return the size of every unknown, positive; 1 for a block that is zero."""
    size = _floored(x, blocks, scale, WEIGHT_FLOOR)
    if float(size.min()) == 0.0:
        size[size == 0.0] = 1.0
    return size


def term_sizes(magnitudes: Any, x: Vector, blocks: Blocks, scale: Vector | None) -> Vector:
    """Return S from |J| and x, shape (n,); zero where all terms are zero."""
    size = _floored(x, blocks, scale, TERM_FLOOR)
    with np.errstate(over="ignore", invalid="ignore"):
        terms: Vector = magnitudes @ size
    return terms


def _floored(x: Vector, blocks: Blocks, scale: Vector | None, floor: float) -> Vector:
    magnitude = np.abs(x)
    if scale is None:
        scale = floor * _typical(magnitude, blocks)
    size: Vector = np.maximum(magnitude, scale)
    return size


def _typical(magnitude: Vector, blocks: Blocks) -> Any:
    """Return the largest magnitude in the block of each unknown."""
    if len(blocks) == 1:
        return magnitude.max()
    typical = np.empty_like(magnitude)
    for where in blocks.parts.values():
        typical[where] = magnitude[where].max()
    return typical
