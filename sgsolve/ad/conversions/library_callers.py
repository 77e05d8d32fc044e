"""Which function of NumPy or SciPy was called: what stands on the stack, by its public name."""

from __future__ import annotations

import itertools
import sys
from types import FrameType
from typing import Any

from ...private_api import wrapped_functions

OF_NUMPY = {"linalg", "fft", "random", "polynomial", "ma"}  # other parts are private, or np


def name_of_caller(error: Exception) -> str | None:
    """Return the name of the function of NumPy or SciPy that raised an error, if one did."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return None if traceback is None else asking_function(traceback.tb_frame)


def asking_function(frame: FrameType | None) -> str | None:
    """Return the name of the outermost function of NumPy or SciPy that was called, if any."""
    name = None
    while frame is not None and _of_library(frame):
        name = _public_name(frame) or name
        frame = frame.f_back
    return name


def of_scipy(frame: FrameType) -> bool:
    """Whether the code of a frame is that of SciPy."""
    module: str = frame.f_globals.get("__name__", "")
    return module.partition(".")[0] == "scipy"


def _of_library(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__", "")
    return module.partition(".")[0] in ("numpy", "scipy")


def _public_name(frame: FrameType) -> str | None:
    """Return the name of the function or method that a frame runs; None if it is a private one."""
    part = _public_part(frame.f_globals["__name__"])
    name = frame.f_code.co_name
    made: Any = frame.f_locals.get("cls") if name == "__new__" else None
    owner: Any = frame.f_locals.get("self", made)
    if part is not None and owner is not None:
        known = (k for k, v in vars(sys.modules[part]).items() if v is owner)  # such as np.r_
        of = next(known, type(owner).__name__)
        if not of.startswith("_"):
            return f"{_as_written(part)}.{of}" + ("" if name.startswith("_") else f".{name}")
    for home, found in ((part, name), *map(_place_of, wrapped_functions(frame))):
        if home is not None and not found.startswith("_") and hasattr(sys.modules[home], found):
            return f"{_as_written(home)}.{found}"
    return None


def _place_of(function: Any) -> tuple[str | None, str]:
    """Return the part of the library that a function is from, and its name."""
    module = str(getattr(function, "__module__", None))
    return _public_part(module), str(getattr(function, "__name__", "_"))


def _public_part(module: str) -> str | None:
    """Return the public part of NumPy or SciPy that a module belongs to; None for no such part."""
    library, *parts = module.split(".")
    if library == "numpy":
        public = [part for part in parts[:1] if part in OF_NUMPY]
    else:
        public = list(itertools.takewhile(lambda part: not part.startswith("_"), parts))
        if library != "scipy" or not public:
            return None
    return ".".join([library, *public])


def _as_written(part: str) -> str:
    return part.replace("numpy", "np", 1)
