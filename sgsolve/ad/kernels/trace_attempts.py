"""Trace a function for kernels, or say why there will be none, and where in the user's code."""

from __future__ import annotations

import os
import traceback
from typing import Any

import numpy as np

from ...errors import SgsolveError, StructureError
from ..derivatives.symbols import UntraceableError
from ..drivers.traced_evaluation import Trace, trace_function
from .printing.kernel_result import FOREIGN

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_LIBRARIES = tuple(
    os.path.dirname(os.path.abspath(str(m.__file__))) for m in (np, __import__("scipy"))
)


class NotCompiledError(Exception):
    """There is no kernel for an evaluation; the text says why.

    Attributes
    ----------
    final : bool
        Whether there will be none for similar evaluations.
    """

    def __init__(self, why: str, final: bool = True) -> None:
        super().__init__(why)
        self.final = final


def traced(f: Any, x: Any, constants: Any, inputs: Any, target: Any) -> Trace:
    """Return the trace of an evaluation; see `trace_function` for the arguments.

    Where sides of branches cannot be left open, they are decided as at x.

    Raises
    ------
    NotCompiledError
        If the function cannot be traced, raises an error at x, or leaves the pattern `target`.
    """
    why = ""
    for open_branches in (True, False):
        try:
            return trace_function(f, x, constants, inputs, target, open_branches)
        except UntraceableError as error:
            why = f"{str(error) or 'an operation that cannot be traced'}{_place(error)}"
        except StructureError:
            raise NotCompiledError("a larger pattern of the Jacobian", final=False) from None
        except (SgsolveError, *FOREIGN) as error:
            if _raises(f, x, {**constants, **inputs}):
                raise NotCompiledError("the function raised an error", final=False) from None
            why = f"{type(error).__name__} on traced arrays{_place(error)}"
    raise NotCompiledError(why)


def _raises(f: Any, x: Any, arguments: dict[str, Any]) -> bool:
    """Whether a function raises an error for plain arrays too, as outside of a model."""
    try:
        with np.errstate(all="ignore"):
            f(x, **arguments)
    except (SgsolveError, *FOREIGN):
        return True
    return False


def _place(error: BaseException) -> str:
    """Return where in the user's code an error arose."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        name = os.path.abspath(frame.filename)
        if not name.startswith((_PACKAGE, *_LIBRARIES)) and not frame.filename.startswith("<"):
            return f" in {frame.name}, {os.path.basename(name)}:{frame.lineno}"
    return ""
