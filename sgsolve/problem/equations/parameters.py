"""Derivatives by parameters: dF/dp at fixed unknowns, for numbers and arrays.

The parameter is seeded instead of the unknowns. The derivative is sparse where each element of an
array enters few equations.

Reference: A. Griewank, A. Walther, Evaluating Derivatives (2008), section 15.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ... import ad
from ...arrays import Vector
from ...errors import DerivativeError
from ..inputs.returned import vector
from .central_differences import central_difference, size_near_zero
from .residual_system import ResidualSystem


def parameter_derivative(system: ResidualSystem, x: Vector, name: str) -> Vector:
    """Return dF/dp at fixed x, shape (n,), for a parameter that is a number."""
    column: Vector = by_parameter(system, x, name).toarray()[:, 0]
    return column


def by_parameter(system: ResidualSystem, x: Vector, name: str) -> Any:
    """Return dF/dp at fixed x, a ``csr_array`` of shape (n, p.size).

    By automatic differentiation; for a problem with its own Jacobian, whose residual need not
    work on AD arrays, by central differences.
    """
    value = np.asarray(system.value_of(name), dtype=np.float64)
    if system.has_own_jacobian:
        return _differences(system, x, name, value)
    seed = ad.seed(value)
    with np.errstate(all="ignore"):
        y = beside_parameter(system.at({name: seed}).raw, x, seed)
    return seeded_jacobian(vector(y, len(x)), (len(x), value.size))


def beside_parameter(function: Callable[[Any], Any], x: Vector, seed: Any) -> Any:
    """Return function(x), where the function uses a seeded parameter.

    ``np.concatenate([[p], x])`` converts the inner list to plain numbers unless x is an AD array.
    If such a conversion fails, x is passed as an AD array with a derivative of zero.
    """
    try:
        return function(x)
    except DerivativeError as first:
        none = ad.sparsevec(len(x), np.empty(0, dtype=np.intp), seed.reshape(-1)[:0])
        try:
            return function(ad.sparsesum([none, x]))
        except DerivativeError:
            raise first from None


def seeded_jacobian(y: Any, shape: tuple[int, int]) -> Any:
    """Return the derivative of y by what was seeded; zero if y does not depend on it."""
    if not isinstance(y, ad.ADArray):
        return sp.csr_array(shape)
    return y.jacobian


def _differences(system: ResidualSystem, x: Vector, name: str, value: NDArray[np.float64]) -> Any:
    size, columns = float(np.abs(value).max(initial=0.0)), []
    for k in range(value.size):

        def along(p: float, k: int = k) -> Vector:
            other = value.copy()
            other.flat[k] = p
            moved = system.at({name: other if other.ndim else float(other)})
            return moved.residual_quietly(x)

        start = float(value.flat[k])
        columns.append(central_difference(along, start, size or size_near_zero(along)))
    return sp.csr_array(np.stack(columns, axis=1))
