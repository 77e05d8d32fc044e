"""Inventories of Python, NumPy, SciPy and Matplotlib, made from what is installed.

Types in the reference link to the pages of these projects. Their own inventories are on the
network only; the build works without it. The addresses follow the rules of each project.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Entry = tuple[str, str, str]  # name, domain and role, address

PROJECTS = {
    "python": "https://docs.python.org/3/",
    "numpy": "https://numpy.org/doc/stable/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "matplotlib": "https://matplotlib.org/stable/",
}
STANDARD = ("collections", "collections.abc", "concurrent.futures", "dataclasses", "enum",
            "functools", "logging", "math", "numbers", "os", "pathlib", "pickle", "threading",
            "time", "types", "typing", "warnings")  # fmt: skip
NUMPY = ("numpy", "numpy.linalg", "numpy.random", "numpy.typing")
SCIPY = ("scipy.integrate", "scipy.linalg", "scipy.optimize", "scipy.sparse",
         "scipy.sparse.csgraph", "scipy.sparse.linalg", "scipy.special")  # fmt: skip
MATPLOTLIB = ("matplotlib.pyplot",)
# Terms and sections that numpydoc links from the types of parameters.
STANDARD_TERMS = ("callable", "generator", "iterable", "iterator", "mapping", "sequence")
NUMPY_TERMS = ("array_like", "axis", "dtype")
SECTIONS = {
    "bltin-boolean-values": "library/stdtypes.html#boolean-type-bool",
    "bltin-file-objects": "glossary.html#term-file-object",
    "arrays.scalars": "reference/arrays.scalars.html#arrays-scalars",
}
CLASSES = ("matplotlib.axes.Axes", "matplotlib.figure.Figure")


def role(value: Any) -> str:
    """Role of an object in the Python domain."""
    if inspect.isclass(value):
        return "py:exception" if issubclass(value, BaseException) else "py:class"
    return "py:function" if callable(value) else "py:data"


def public(module: str) -> Iterator[tuple[str, Any]]:
    """Public names of a module and their values."""
    loaded = importlib.import_module(module)
    for name in getattr(loaded, "__all__", dir(loaded)):
        value = getattr(loaded, name, None)
        if not name.startswith("_") and value is not None and not inspect.ismodule(value):
            yield name, value


def python() -> Iterator[Entry]:
    """Built-in names and a part of the standard library."""
    types = {"str", "bytes", "bytearray", "dict", "list", "tuple", "set", "frozenset", "range"}
    yield from ((n, "py:data", "library/constants.html#$") for n in ("None", "True", "False"))
    for name, value in vars(builtins).items():
        kind = role(value)
        page = (
            "exceptions" if kind == "py:exception" else "stdtypes" if name in types else "functions"
        )
        if name[0] != "_" and kind != "py:data":
            yield name, kind, f"library/{page}.html#$"
    for module in STANDARD:
        yield module, "py:module", f"library/{module}.html#module-$"
        for name, value in public(module):
            yield f"{module}.{name}", role(value), f"library/{module}.html#$"


def generated(modules: tuple[str, ...], folder: str) -> Iterator[Entry]:
    """Names with one page each, as autosummary makes them."""
    for module in modules:
        for name, value in public(module):
            full = f"{module}.{name}"
            yield full, role(value), f"{folder}/{full}.html#$"


def entries() -> dict[str, list[Entry]]:
    """All entries by project."""
    found = {
        "python": list(python()),
        "numpy": list(generated(NUMPY, "reference/generated")),
        "scipy": list(generated(SCIPY, "reference/generated")),
        "matplotlib": list(generated(MATPLOTLIB, "api/_as_gen")),
    }
    found["matplotlib"] += [(name, "py:class", f"api/_as_gen/{name}.html#$") for name in CLASSES]
    found["python"] += [(term, "std:term", f"glossary.html#term-{term}") for term in STANDARD_TERMS]
    found["numpy"] += [(term, "std:term", f"glossary.html#term-{term}") for term in NUMPY_TERMS]
    for label, uri in SECTIONS.items():
        found["numpy" if label.startswith("arrays") else "python"] += [(label, "std:label", uri)]
    return found


def write(folder: Path) -> dict[str, tuple[str, str]]:
    """Write the inventories and return the value of ``intersphinx_mapping``."""
    folder.mkdir(parents=True, exist_ok=True)
    for project, found in entries().items():
        head = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n"
        head += "# The remainder of this file is compressed using zlib.\n"
        body = "".join(f"{name} {kind} 1 {uri} -\n" for name, kind, uri in sorted(found))
        (folder / f"{project}.inv").write_bytes(head.encode() + zlib.compress(body.encode(), 9))
    return {p: (address, str(folder / f"{p}.inv")) for p, address in PROJECTS.items()}
