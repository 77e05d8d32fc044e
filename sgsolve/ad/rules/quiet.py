"""Rules without NumPy's warnings: derivatives that overflow, vanish or are infinite are values."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np


def quiet(rule: Any) -> Any:
    """Return the same rule without NumPy's warnings."""

    @functools.wraps(rule)
    def without_warnings(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return rule(*args)

    without_warnings.loud = rule  # type: ignore[attr-defined]  # for who asks for the flags
    return without_warnings
