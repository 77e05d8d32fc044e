"""Functionals: numbers computed from a solution, with their derivatives.

A functional is a function of x and of those parameters that it names. It may depend on a parameter
directly as well as through the solution.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ... import ad
from ...ad.drivers.function_calls import evaluate
from ...arrays import Vector, real_array
from ...continuation.runs.user_functions import call_with_parameters
from ...errors import InputError, ShapeError
from ..equations.parameters import beside_parameter, seeded_jacobian


class Functional:
    """A functional at a solution.

    Parameters
    ----------
    of : callable or array_like of shape (n,) or (m, n)
        ``g(x)`` or ``g(x, names of parameters...)`` that returns a number or a vector; or the
        gradient of such a function.
    x : ndarray, shape (n,)
        The solution.
    params : mapping
        All parameters and their values there.
    constant : bool, optional
        Whether it may be constant in x. Default False: such a functional is a mistake, unless it
        is one of a pair.

    Attributes
    ----------
    shape : tuple of int
        Of what the functional returns.
    gradient : csr_array, shape (m, n)
        Its derivative by x, one row per number that it returns.

    Raises
    ------
    InputError
        If it does not depend on x.
    ShapeError
        If a gradient does not have one entry per unknown.
    """

    def __init__(
        self, of: Any, x: Vector, params: Mapping[str, Any], *, constant: bool = False
    ) -> None:
        self._of, self._x, self._params = of, x, params
        if callable(of):
            y = call_with_parameters(of, ad.seed(x), params, evaluate)
            if not (constant or isinstance(y, ad.ADArray)):
                raise InputError("the functional does not depend on x; return an expression of x")
            self.shape = np.shape(y)
            self.gradient = seeded_jacobian(y, (int(np.prod(self.shape)), len(x)))
            return
        rows = real_array(of, "a functional is a function g(x, ...) or its gradient by x")
        if rows.ndim not in (1, 2) or rows.shape[-1] != len(x):
            raise ShapeError(
                f"the gradient must have shape {x.shape} or (m, {len(x)}), not {rows.shape}"
            )
        self.shape, self.gradient = rows.shape[:-1], sp.csr_array(np.atleast_2d(rows))

    @property
    def size(self) -> int:
        """How many numbers the functional returns."""
        return int(self.gradient.shape[0])

    def by_parameter(self, name: str) -> NDArray[Any]:
        """Return its derivative by a parameter at fixed x, shape (m, p.size)."""
        value = np.asarray(self._params[name], dtype=float)
        shape = (self.size, value.size)
        if not callable(self._of):
            return np.zeros(shape)
        seed = ad.seed(value)
        known = {**self._params, name: seed}

        def of(x: Any) -> Any:
            return call_with_parameters(self._of, x, known, evaluate)

        y = beside_parameter(of, self._x, seed)
        dense: NDArray[Any] = seeded_jacobian(y, shape).toarray()
        return dense
