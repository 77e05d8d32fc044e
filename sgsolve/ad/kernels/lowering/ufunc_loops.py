"""The inner loops of ufuncs: what NumPy itself calls to compute elements.

A kernel that calls them gives values that are bitwise equal to NumPy's. No other implementation of
``exp`` does. This also works for `scipy.special` and every other ufunc.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any, NamedTuple

import numpy as np

from ....private_api import ufunc_loops


class UfuncLoop(NamedTuple):
    """The loop of a ufunc for arguments of these types.

    Attributes
    ----------
    signature : str
        As in ``ufunc.types``: "dd->d".
    function, data : int
        Addresses.
    """

    ufunc: np.ufunc
    signature: str
    function: int
    data: int


@functools.cache
def loop_of(ufunc: np.ufunc, types: str) -> UfuncLoop | None:
    """Return the loop of a ufunc of one result for arguments of these types.

    Parameters
    ----------
    types : str
        "d" or "?" for each argument.
    """
    if ufunc.signature is not None or ufunc.nout != 1 or ufunc.nin != len(types):
        return None
    return loop_with(ufunc, f"{types}->d") or loop_with(ufunc, f"{types}->?")


@functools.cache
def takes_as_double(ufunc: np.ufunc, types: tuple[Any, ...]) -> bool:
    """Whether NumPy turns integers among the arguments of a ufunc into doubles.

    Parameters
    ----------
    types : tuple of dtype, int or float
        Of the arguments; ``int`` and ``float`` of numbers of Python.
    """
    chosen = ufunc.resolve_dtypes((*types, None))[: len(types)]
    return all(dtype.kind in "fb" for dtype in chosen)


def loop_with(ufunc: np.ufunc, wanted: str) -> UfuncLoop | None:
    """Return the loop of a ufunc with this signature."""
    for signature, function, data in ufunc_loops(ufunc):
        if signature == wanted and function:
            return UfuncLoop(ufunc, signature, function, data)
    return None


# Lengths around those at which NumPy's sums change their order.
LENGTHS = (1, 2, 3, 7, 8, 9, 16, 17, 64, 100, 127, 128, 129, 300, 1000, 8193, 20_000)
_CALL = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)


class Reduction(NamedTuple):
    """How ``ufunc.reduce`` of a vector is computed.

    Attributes
    ----------
    first : float or None
        The number that it begins with; None: the first element.
    """

    loop: UfuncLoop
    first: float | None


@functools.cache
def reduction_of(ufunc: np.ufunc) -> Reduction | None:
    """Return the loop that ``ufunc.reduce`` runs over a vector, if it gives the same bits here."""
    loop = loop_of(ufunc, "dd")
    if loop is None or loop.signature != "dd->d":
        return None
    for first in (None, ufunc.identity):
        if _reduces(ufunc, loop, first):
            return Reduction(loop, first)
    return None


def _reduces(ufunc: np.ufunc, loop: UfuncLoop, first: Any) -> bool:
    random = np.random.default_rng(5)
    for length in LENGTHS:
        vector = random.uniform(-1.0, 1.0, length)
        if _reduced(loop, vector, first) != ufunc.reduce(vector):
            return False
        if _reduced(loop, vector, 0.25) != ufunc.reduce(vector, initial=0.25):
            return False
    return True


def _reduced(loop: UfuncLoop, vector: Any, initial: float | None) -> float:
    """Return a reduction by the loop: its first argument is its result as well."""
    result = np.array([vector[0] if initial is None else float(initial)])
    begin = 0 if initial is not None else 1
    at = result.ctypes.data
    addresses = (ctypes.c_void_p * 3)(at, vector.ctypes.data + 8 * begin, at)
    steps, count = (ctypes.c_ssize_t * 3)(0, 8, 0), ctypes.c_ssize_t(len(vector) - begin)
    _CALL(loop.function)(addresses, ctypes.byref(count), steps, loop.data)
    return float(result[0])


# Of products: NumPy calls other routines for vectors, and for a matrix times its transpose.
SIZES = [(4, 4, 0), (0, 4, 4), (40, 17, 0), (0, 17, 40), (2, 3, 4), (33, 40, 17)]


def product_layout(m: int, n: int, p: int) -> tuple[list[int], list[int]]:
    """Return counts and steps with which NumPy calls the loop of ``matmul`` once.

    Parameters
    ----------
    m, n, p : int
        Of arrays (m, n) times (n, p), contiguous in memory; 0: a vector has no such axis.
    """
    columns = 8 * max(1, p)
    steps = [8 * n if m else 0, 8, columns, 8 if p else 0, columns if m else 0, 8 if p else 0]
    return [1, max(1, m), n, max(1, p)], [0, 0, 0, *steps]


@functools.cache
def product_loop() -> UfuncLoop | None:
    """Return the loop of ``matmul`` if it gives the same bits here."""
    loop = loop_with(np.matmul, "dd->d")
    if loop is None or np.matmul.signature != "(n?,k),(k,m?)->(n?,m?)":
        return None
    return loop if all(_multiplies(loop, sizes) for sizes in SIZES) else None


def _multiplies(loop: UfuncLoop, sizes: tuple[int, int, int]) -> bool:
    m, n, p = sizes
    random = np.random.default_rng(7)
    a, b = (random.uniform(-1.0, 1.0, [k for k in shape if k]) for shape in ((m, n), (n, p)))
    result, (counts, steps) = np.empty([k for k in (m, p) if k]), product_layout(*sizes)
    addresses = (ctypes.c_void_p * 3)(a.ctypes.data, b.ctypes.data, result.ctypes.data)
    _CALL(loop.function)(
        addresses, (ctypes.c_ssize_t * 4)(*counts), (ctypes.c_ssize_t * 9)(*steps), loop.data
    )
    return bool(np.array_equal(result, a @ b))
