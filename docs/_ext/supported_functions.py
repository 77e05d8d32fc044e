"""Write the page of NumPy's and SciPy's functions that take AD arrays, from the tables of `ad`.

The page lies in ``docs/reference/supported_functions.rst`` and is not under version control.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from sgsolve.ad import dispatch
from sgsolve.ad.functions.numpy_functions import DECISIONS, LIKE, METHODS
from sgsolve.ad.rules import numpy_ufuncs, scipy_parameters

if TYPE_CHECKING:  # the lists are tested where Sphinx is not installed too
    from sphinx.application import Sphinx

PAGE = "reference/supported_functions.rst"
HEAD = """\
NumPy and SciPy functions that take AD arrays
=============================================

A residual may call the functions of this page on its unknowns. They return AD arrays with the exact
derivative. Operators, indices and slices work as for NumPy arrays. Comparisons, ``np.isfinite`` and
the like return truth values. A function that is not listed raises `sgsolve.DerivativeError`, whose
message says what to write. `sgsolve.ad.elementwise` gives a function of your own its derivative.

The page is made from the tables that the functions are looked up in.
"""


def ufuncs_of(module: Any) -> set[str]:
    """Names of the ufuncs of a module that have a rule."""
    rules: set[Any] = {*numpy_ufuncs.UNARY, *numpy_ufuncs.BINARY}
    rules |= {*scipy_parameters.FUNCTIONS, *scipy_parameters.SEVERAL, np.matmul, np.where}
    named = {name for name in dir(module) if isinstance(getattr(module, name), np.ufunc)}
    of_parameters = scipy_parameters.BY_NAME
    return {
        name
        for name in named
        if getattr(module, name) in rules or getattr(module, name).__name__ in of_parameters
    }


def functions() -> dict[str, set[str]]:
    """Full names of functions by the heading they belong to."""
    plain = {*DECISIONS, *LIKE}
    return {
        "Elementwise functions of NumPy": {f"np.{name}" for name in ufuncs_of(np)},
        "Elementwise functions of scipy.special": {
            f"scipy.special.{name}" for name in ufuncs_of(special)
        },
        "Functions of whole arrays": names(f for f in dispatch.TABLE if f not in plain),
        "Functions whose result has no derivative": names(DECISIONS),
        "Methods of an array y": {f"y.{name}" for name in METHODS if is_method(name)},
        "Methods of elementwise functions": {
            f"np.add.{name}" for name in dispatch.UFUNC_METHODS if name != "at"
        },
    }


def names(found: Iterable[Callable[..., Any]]) -> set[str]:
    """Names of functions as they are written."""
    return {short_name(f) for f in found}


def short_name(function: Callable[..., Any]) -> str:
    """Return the name of one of NumPy's functions as it is written: ``np.linalg.inv``."""
    package, name = function.__module__, function.__name__
    if getattr(np, name, None) is function:
        package = package.replace("numpy.lib", "numpy")
    return f"{package.replace('numpy', 'np', 1)}.{name}"


def is_method(name: str) -> bool:
    """Whether a method of the table returns something: the others are refused."""
    known = callable(getattr(np.ndarray, name, None))
    return known and METHODS[name].__name__ != "refuse_writing"


def text() -> str:
    """Return the text of the page."""
    parts = [HEAD]
    for heading, found in functions().items():
        shown = ", ".join(f"``{name}``" for name in sorted(found, key=str.lower))
        parts += [_section(heading), f"{shown}\n"]
    parts += [_section("Functions that are refused, and what to write")]
    refused = {short_name(f): say for f, say in dispatch.INSTEAD.items()}
    parts += [f"* ``{name}``: {escaped(say)}\n" for name, say in sorted(refused.items())]
    return "".join(parts)


def _section(heading: str) -> str:
    return f"\n{heading}\n{'-' * len(heading)}\n\n"


def escaped(words: str) -> str:
    """Return words with the characters that mark emphasis and references as themselves."""
    return words.replace("*", "\\*").replace("_", "\\_")


def write_page(app: Sphinx, config: Any) -> None:
    """Write the page, unless it is there."""
    path, wanted = Path(app.srcdir) / PAGE, text()
    if not path.exists() or path.read_text(encoding="utf-8") != wanted:
        path.write_text(wanted, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to the build."""
    app.connect("config-inited", write_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
