"""Which flags of the processor NumPy would warn of, as `numpy.errstate` has it at present."""

from __future__ import annotations

import numpy as np

from .printing.kernel_result import DIVIDE, INVALID, OVERFLOW, RANGE, SHIFT_OF_VALUES, UNDERFLOW

# What NumPy's warnings are about.
WARNINGS = RANGE | DIVIDE | INVALID
NOTABLE = WARNINGS | WARNINGS << SHIFT_OF_VALUES  # most results are rounded: a flag too
WARNED = {"divide": DIVIDE, "over": OVERFLOW, "under": UNDERFLOW, "invalid": INVALID}


def is_warned(flags: int) -> bool:
    """Whether NumPy would warn of what these flags mean."""
    flags |= flags >> SHIFT_OF_VALUES
    if not flags & WARNINGS:
        return False
    warned = np.geterr().items()
    return any(action != "ignore" and flags & WARNED[kind] for kind, action in warned)
