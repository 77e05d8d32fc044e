"""Error messages for conversions of an AD array to plain numbers.

NumPy converts by ``__array__`` and ``__float__``. The message names the outermost function of
NumPy or SciPy on the stack, which is the one that the user called, and a replacement.
"""

from __future__ import annotations

import linecache
import re
import threading
from types import FrameType
from typing import Any

import numpy as np

from ...errors import DerivativeError
from ...private_api import calling_frame, is_of_root_finder
from .library_callers import asking_function

FILLED = (
    "make F by F = np.zeros(n, like=x) or np.zeros_like(x), x being the unknowns, in place of "
    "F = np.zeros(n), where F[idx] = y is to follow"
)
STACK = (
    "write np.stack([a, b]) in place of np.array([a, b]), and np.block([[a, b], [c, d]]) for a "
    "matrix"
)
JOIN = (
    f"{STACK}, np.hstack for parts of different lengths, A @ y in place of A.dot(y), y.copy() in "
    "place of np.array(y)"
)
LOST = "a plain ndarray would lose the derivative of an AD array"
FLOAT = (
    "use np.exp(y), np.sqrt(y), ... in place of math.exp(y), math.sqrt(y), ..., F = "
    "np.zeros(n, like=x) in place of F = np.zeros(n) where F[i] = y is to follow (x: the "
    "unknowns), and np.stack in place of np.fromiter: {kind}(y) would lose the derivative. "
    "A function from outside NumPy gets its slope with ad.elementwise(f, dfdx)"
)
INSTEAD = {
    "logsumexp": "use ad.logsumexp(x, axis)",
    "softmax": "use np.exp(x - ad.logsumexp(x, axis, keepdims=True))",
    "log_softmax": "use x - ad.logsumexp(x, axis, keepdims=True)",
    "polygamma": "use (-1)**(n + 1) * scipy.special.factorial(n) * scipy.special.zeta(n + 1, x)",
    "lambertw": "use ad.lambertw(x, k) with a constant branch k",
    "multigammaln": "use a sum of scipy.special.gammaln",
    "comb": "use scipy.special.gammaln of n + 1, k + 1 and n - k + 1",
    "factorial": "use scipy.special.gamma(n + 1)",
    "diric": "use np.sin(n * x / 2) / (n * np.sin(x / 2))",
    **{
        f"spherical_{k}n": f"use np.sqrt(np.pi / (2 * x)) * scipy.special.{k}v(n + 0.5, x)"
        for k in "jyi"
    },
    "spherical_kn": "use np.sqrt(np.pi / (2 * x)) * scipy.special.kv(n + 0.5, x)",
    "r_": "join a list of AD arrays by np.hstack, or write its elements without brackets",
    "c_": "join a list of AD arrays by np.column_stack",
    "full": "use y * np.ones(shape)",
    "ones": "use 1.0 + np.zeros(shape, like=y)",
    "vectorize": (
        "use operators and functions on whole arrays, the list [f(v) for v in y], or "
        "ad.elementwise(f, dfdx)"
    ),
    "ndenumerate": "use for k in np.ndindex(y.shape), and y[k]",
    "asmatrix": "use y.reshape(1, -1), and @ for products",
    "matrix": "use np.asarray(M) in place of a matrix M, and @ for products",
    **{
        kind: f"use np.polynomial.{name}(y, p.convert().coef), p being the polynomial"
        for kind, name in {
            "Polynomial": "polynomial.polyval",
            "Chebyshev": "chebyshev.chebval",
            "Legendre": "legendre.legval",
            "Hermite": "hermite.hermval",
            "HermiteE": "hermite_e.hermeval",
            "Laguerre": "laguerre.lagval",
        }.items()
    },
    "polyfit": "use unknowns for the coefficients, with the normal equations as their equations",
    **dict.fromkeys(
        ("solve_ivp", "odeint"),
        "write the time steps as equations, or jac=ad.jacobian_function(f, argnum=1)",
    ),
    "roots": "use an unknown for each root r, with the equation np.polyval(p, r)",
    "polyder": "use p[:-1] * np.arange(len(p) - 1, 0, -1)",
    "cov": "use d = y - np.mean(y, 1, keepdims=True) for variables in rows, d @ d.T / (n - 1)",
    "corrcoef": "use np.mean and np.std of y, and products of deviations",
    "savetxt": "use it on ad.value(y), outside the function",
    "matrix_rank": "use it on ad.value(A)",
    "trim_zeros": "use it on ad.value(y), and index y",
    "fill_diagonal": (
        "use F[np.arange(n), np.arange(n)] = v with F = np.zeros((n, n), like=v), or np.diag(v)"
    ),
    "block_diag": "use np.block, with np.zeros in the other places",
    "toeplitz": "use y[np.abs(i - j)] with i, j = np.indices((n, n))",
    "circulant": "use y[(i - j) % n] with i, j = np.indices((n, n))",
    "kron": "use np.kron of arrays",
    "cdist": "use d = a[:, np.newaxis] - b and np.sqrt(np.sum(d**2, axis=-1))",
    "binom": "use scipy.special.gammaln of n + 1, k + 1 and n - k + 1",
    "sum": "use np.sum(np.stack(list)), or Python's sum(list)",
    **{name: f"use np.{name}(np.stack(list))" for name in ("mean", "var", "std", "median")},
    "trapezoid": "use np.trapezoid",
}
SOLVED = (
    "make its result an unknown, with the equations that define it (A @ y - b for the solution "
    "of a linear system); np.linalg.solve(A, y) and np.linalg.inv(A) of small dense matrices "
    "have derivatives"
)
FILTERED = "A @ y with the constant matrix of the operation"
OF_LIBRARY = {  # not functions of one element; the name of the function is appended
    "np.ma.": (
        "use np.where(mask, y, other), which takes no value and no derivative from the other side"
    ),
    "scipy.linalg.norm": "use np.linalg.norm",
    "scipy.linalg.": SOLVED,
    "scipy.sparse.linalg.": SOLVED,
    "scipy.sparse.": (
        "constant matrices allow A @ y; diag(v) @ y is v * y; add products at positions by "
        "np.add.at(F, rows, v * y[columns]), F = np.zeros(n, like=y)"
    ),
    "scipy.integrate.": "use a sum with constant weights, w @ y, or np.trapezoid",
    "scipy.optimize.": "make its result an unknown, with the condition for it as its equation",
    "scipy.interpolate.": (
        "write curve = ad.elementwise(spline, spline.derivative()) once, outside the residual, and "
        "curve(y) in it; CubicSpline, PchipInterpolator and UnivariateSpline have derivative(); "
        "of two variables, ad.elementwise(f, [dfdx, dfdy])"
    ),
    "scipy.fft.": f"use np.fft; of cosine and sine transforms, {FILTERED}",
    "scipy.ndimage.": f"use {FILTERED}",
    "scipy.signal.": f"use {FILTERED}, or np.convolve",
    "scipy.stats.": (
        "of a distribution, write p = ad.elementwise(d.cdf, d.pdf) once, outside the residual, and "
        "p(y) in it; of data, use np.mean, np.var and powers of deviations"
    ),
}
OF_LISTS = "join the elements first, np.stack([a, b]) or np.block([[a, b], [c, d]])"
OF_ALL = f"give it a slope with ad.elementwise(f, dfdx); of a list, {OF_LISTS}"
ITERATED = (
    "NumPy makes a plain array of an AD array here, as np.nditer does, which would lose the "
    "derivative: use operators and functions on whole arrays, or a loop, for v in y.ravel()"
)
_latest = threading.local()


class MissingAttributeError(DerivativeError, AttributeError):
    """An attribute of NumPy's arrays that an AD array does not have."""


class AsIndexError(DerivativeError):
    """An AD array in place of a whole number."""

    def __init__(self) -> None:
        super().__init__(
            "an AD array cannot be an index, a count or an order; take it from constants, or "
            "choose among elements with np.where"
        )


class WholeArrayError(DerivativeError):
    """An operator in place, ``F += y``, on a whole ndarray F."""


def missing_attribute(name: str) -> AttributeError:
    """Return the error for an attribute that an AD array does not have; for ``__getattr__``."""
    text = f"an AD array has no attribute {name!r}"
    if name.startswith("_") or not hasattr(np.ndarray, name):
        return AttributeError(text)
    asking = asking_function(calling_frame(2))
    if asking is not None:
        return MissingAttributeError(of_plain_arrays(asking))
    complex_pairs = (
        "; write y[0::2] + 1j * y[1::2] for y.view(complex), and np.stack([z.real, z.imag], "
        "axis=-1).ravel() for z.view(float)"
    )
    return MissingAttributeError(
        f"{text}: bytes in memory have no derivative. y.astype(dtype), y.reshape(shape), y.real, "
        f"y.imag and all operators keep it{complex_pairs if name == 'view' else ''}"
    )


def swallowed(error: Exception) -> bool:
    """Whether NumPy raised an error in place of the one that it got for a plain array."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    place = getattr(_latest, "place", None)
    _latest.place = None
    return traceback is not None and place == (traceback.tb_frame.f_code, traceback.tb_lineno)


def truth_value() -> DerivativeError:
    """Return the error for the truth value of a number in an array of objects."""
    return DerivativeError(
        "the truth value of a number in np.array([...]) of AD arrays: np.logical_and, np.any and "
        "the like return elements there; compare first, y > 0, or join the numbers by np.stack"
    )


def plain_number(kind: str) -> DerivativeError:
    """Return the error for a conversion to a number; called by ``__float__`` and the like."""
    frame = calling_frame(2)
    _note_place(frame)
    name = asking_function(frame)
    if name is not None and name.startswith("scipy."):
        return DerivativeError(of_plain_arrays(name))
    text = FLOAT.format(kind=kind)
    return DerivativeError(text if kind == "float" else text.replace("math.", "cmath."))


def root_of_function() -> None:
    """Raise if a root finder of SciPy asks whether a value is NaN: the last one to heed errors.

    Raises
    ------
    DerivativeError
    """
    frame = calling_frame(4)  # beyond `apply`, `call_ufunc` and ``__array_ufunc__``
    if is_of_root_finder(frame):
        raise DerivativeError(of_plain_arrays(asking_function(frame) or "scipy.optimize"))


def _note_place(frame: FrameType) -> None:
    """Note where a conversion was asked for, for `swallowed`."""
    _latest.place = frame.f_code, frame.f_lineno


def plain_array() -> DerivativeError:
    """Return the error for NumPy's question for a plain array; called by ``__array__``."""
    frame = calling_frame(2)
    _note_place(frame)
    name = asking_function(frame)
    if name is None:
        return DerivativeError(f"{_advice(frame)}: {LOST}")
    short = name.rsplit(".", 1)[-1]
    if name.startswith("np.") and short not in INSTEAD and not name.startswith("np.ma."):
        return DerivativeError(
            f"{name} makes a plain array of an argument, such as a list of AD arrays, which would "
            f"lose the derivative: {OF_LISTS}"
        )
    return DerivativeError(of_plain_arrays(name))


def of_plain_arrays(name: str) -> str:
    """Return the advice for a function of NumPy or SciPy that takes plain arrays only."""
    short = name.rsplit(".", 1)[-1]
    instead = INSTEAD.get(short) or _of_library_function(name)
    return f"{name} takes plain arrays only, which would lose the derivative: {instead}"


def _of_library_function(name: str) -> str:
    """Return what to write in place of a function of SciPy, by the part of SciPy it is from."""
    return next((text for part, text in OF_LIBRARY.items() if name.startswith(part)), OF_ALL)


def _advice(frame: FrameType) -> str:
    """Return what to write in place of the line that a frame is at; all, if it is not known."""
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    if re.search(r"\]\s*[-+*/]?=[^=]", line):
        return FILLED
    if "array(" in line:
        return f"{JOIN}; a residual may also return the list [a, b]"
    return f"{JOIN}; {FILLED}; a residual may also return the list [a, b]"


def part_in_place(sign: str) -> str:
    """Return what to write in place of an in-place operator on a part of an array."""
    if sign in ("+", "-"):
        instead = f"F = F {sign} ad.sparsesum([ad.sparsevec(len(F), slice(a, b), y)])"
    else:
        instead = f"F = np.concatenate([F[:a], F[a:b] {sign} y, F[b:]])"
    return f"{instead} for a part, F[a:b] {sign}= y"


# What a ufunc does anyway.
USUAL = {"where": True, "casting": "same_kind", "order": "K", "subok": True, "dtype": None}


def options_of_ufunc(ufunc: Any, inputs: Any, kwargs: Any) -> None:
    """Raise for keywords of a ufunc that would write into an array or leave elements out."""
    given = {k: v for k, v in kwargs.items() if k not in USUAL or v is not USUAL[k]}
    name = ufunc.__name__
    out = given.pop("out", None)
    for target in out if isinstance(out, tuple) else (out,):
        if target is None:
            continue
        sign = IN_PLACE.get(name)
        if sign is not None and target is inputs[0] and isinstance(target, np.ndarray):
            kind = DerivativeError if target.base is not None else WholeArrayError
            raise kind(
                f"F {sign}= y cannot write an AD array y into an ndarray F, which holds numbers "
                f"without derivatives; make it by F = np.zeros(n, like=y), or write "
                f"F = F {sign} y for a whole array, and {part_in_place(sign)}"
            )
        raise DerivativeError(
            f"np.{name}(..., out=F) cannot write an AD array into an ndarray F, which holds "
            f"numbers without derivatives: make it by F = np.zeros_like(y) or np.zeros(n, like=y), "
            f"or use the result, y = np.{name}(...)"
        )
    if given:
        raise DerivativeError(
            f"np.{name} on AD arrays takes no {', '.join(sorted(given))}; use "
            f"np.where(mask, np.{name}(...), other) to choose elements, and y.astype for a type"
        )


IN_PLACE = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "matmul": "@",
    "remainder": "%", "floor_divide": "//",
}  # fmt: skip
