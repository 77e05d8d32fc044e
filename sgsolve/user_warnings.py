"""Warnings that show the line of the user's program, however deep in the package they arise."""

from __future__ import annotations

import inspect
import os
import warnings

PACKAGE = os.path.dirname(__file__) + os.sep


def warn(message: str, category: type[Warning]) -> None:
    """Issue a warning at the innermost line outside of this package."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
