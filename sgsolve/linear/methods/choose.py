"""Choice of a back end for a pattern: automatic, by name, or as an object.

The automatic choice is made once per pattern, from its size and the width of its band. The
thresholds were measured (`benchmarks/linear_backends.py`, times of a factorization with its
solve, one thread).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ...errors import BackendError, DataTypeError, InputError
from ...pattern import Pattern
from ..structure.ordering import narrow_order, widest
from .backend import Backend
from .direct.banded import Banded
from .direct.dense import Dense
from .direct.mumps import Mumps
from .direct.pardiso import Pardiso, available
from .direct.superlu import SuperLU
from .iterative.multigrid import Multigrid
from .parallel_petsc.petsc_backend import Petsc

# Up to here a full matrix beats everything else, whatever its structure.
TINY = 40
# Up to here it beats the sparse factorizations, for a matrix without a narrow band.
SMALL = 200
# From this share of entries on it does so at every size: integral equations, mean fields.
FULL = 0.6
# Sub- plus superdiagonals up to which band storage beats PARDISO, and SuperLU.
NARROW = 96
NARROW_WITHOUT_PARDISO = 192
# The back ends by name; `register` adds to them.
REGISTRY: dict[str, Callable[[], Any]] = {
    "pardiso": Pardiso,
    "superlu": partial(SuperLU, "auto"),
    "banded": Banded,
    "dense": Dense,
    "mumps": Mumps,
    "petsc": Petsc,
    "multigrid": Multigrid,
    "pyamg": partial(Multigrid, name="pyamg"),  # the library that it needs
}


def register(name: str, maker: Callable[[], Any]) -> None:
    """Register a back end by name, for `LinearSolver` and for ``Problem(backend=name)``.

    Parameters
    ----------
    name : str
        The name.
    maker : callable
        A class, or a function without arguments, that makes an object with the methods of
        `Backend`.

    Raises
    ------
    InputError
        If the name is taken by another back end.
    DataTypeError
        If `maker` cannot be called.

    See Also
    --------
    backends : The names.

    Examples
    --------
    >>> from sgsolve import Problem, linear
    >>> linear.register("my dense", linear.Dense)
    >>> Problem(lambda x: x**2 - 4.0, backend="my dense").solve([1.0]).x
    array([2.])
    """
    if not callable(maker):
        raise DataTypeError(f"a class or a function must make back end {name!r}, not {maker!r}")
    if name == "auto" or REGISTRY.get(name, maker) is not maker:
        raise InputError(f"the name {name!r} is taken by another back end; choose another name")
    REGISTRY[name] = maker


def backends() -> tuple[str, ...]:
    """Return the names that `LinearSolver` accepts, sorted.

    Returns
    -------
    tuple of str
        Also those whose package is not installed.

    See Also
    --------
    register : Add one.

    Examples
    --------
    >>> from sgsolve.linear import backends
    >>> [name for name in backends() if name in ("auto", "dense", "superlu")]
    ['auto', 'dense', 'superlu']
    """
    return tuple(sorted(["auto", *REGISTRY]))


def created(backend: Any, pattern: Pattern, blocks: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
    """Return a back end for one pattern, from a name, an object, a class or a function.

    A back end with an empty attribute ``blocks`` gets those of the problem, and their names if it
    has an attribute ``block_names``.

    Raises
    ------
    BackendError
        The name is unknown, or that back end is not installed.
    DataTypeError
        The argument is no back end.
    """
    if isinstance(backend, str):
        chosen = suited(pattern) if backend == "auto" else _registered_backend(backend)
    else:
        chosen = _own(backend)
    if blocks and getattr(chosen, "blocks", None) == ():
        if isinstance(blocks, Mapping) and hasattr(chosen, "block_names"):
            chosen.block_names = tuple(blocks)
        chosen.blocks = tuple(blocks.values() if isinstance(blocks, Mapping) else blocks)
    return chosen


def _registered_backend(name: str) -> Any:
    """Return a back end of the registry."""
    if name not in REGISTRY:
        names = ", ".join(repr(known) for known in backends())
        raise BackendError(
            f"unknown back end {name!r}; known are {names}, or an object with analyze, "
            "factorize and solve"
        )
    return REGISTRY[name]()


def _own(backend: Any) -> Any:
    """Return a back end from an object, a class or a function."""
    if isinstance(backend, type) or not isinstance(backend, Backend):
        backend = backend() if callable(backend) else backend
    elif hasattr(backend, "fresh"):
        backend = backend.fresh()
    if not isinstance(backend, Backend):
        raise DataTypeError(
            f"a back end must be a name or have analyze, factorize and solve; "
            f"{type(backend).__name__} has not"
        )
    return backend


def suited(pattern: Pattern) -> Any:
    """Return the back end that is fastest for a pattern of this size and band."""
    n = pattern.shape[0]
    if n <= TINY:
        return Dense()
    # A long row or column rules out a narrow band, so the search for an order is spared.
    order = narrow_order(pattern) if widest(pattern) <= NARROW_WITHOUT_PARDISO + 1 else None
    width = n if order is None else order.width
    # A band as wide as half the matrix is stored more densely by the full matrix.
    if width <= min(NARROW, n // 2):
        return Banded(order)
    if n <= SMALL or pattern.nnz >= FULL * n**2:
        return Dense()
    if available():
        return Pardiso()
    return Banded(order) if width <= NARROW_WITHOUT_PARDISO else SuperLU("auto")
