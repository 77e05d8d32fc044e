"""KernelOfState: derivatives of a function at one state and parameter, by compiled kernels.

Code that does not take many states at once is called for each of them, a hundred times and more in
each correction of an orbit. The values are those of the user's code, and are compared with those of
the kernel bit for bit: derivatives of a function that is not pure are never used.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np

from ... import ad
from ...ad.drivers.function_calls import evaluate_vector
from ...ad.kernels.compiled_evaluation import CompiledResult
from ...arrays import Vector
from ...errors import SgsolveError
from ...pattern import Pattern
from ..equations.compiled_functions import CompiledFunctions


class KernelOfState:
    """The derivatives of ``f(z, **params)``, z being a state with the parameter behind it.

    Parameters
    ----------
    functions : CompiledFunctions
        Of the problem.
    key : hashable
        Of this function among them.
    function : callable
    params : mapping
    """

    def __init__(
        self,
        functions: CompiledFunctions,
        key: Hashable,
        function: Callable[..., Any],
        params: Mapping[str, Any],
    ) -> None:
        self._functions, self._key, self._function, self._params = functions, key, function, params
        self._evaluation = functions.of(key, function)
        self._found: Any = None
        self._pattern: Pattern | None = None
        self._target: Any = None

    def derivatives(self, z: Vector, pattern: Pattern) -> Vector | None:
        """Return the values of the Jacobian by z on a pattern; None if there is no kernel."""
        if self._functions.stopped:
            return None
        if pattern is not self._pattern:
            self._pattern = pattern
            self._target = self._functions.pattern_of(self._key, pattern)
        target = self._target

        def plain() -> CompiledResult:
            y = evaluate_vector(self._function, ad.seed(z), **self._params)
            return CompiledResult(ad.value(y), ad.jacobian_values(y, target), target)

        try:
            found = self._evaluation.linearized(z, self._params, target, plain)
        except (SgsolveError, TypeError, ValueError):
            return None  # what the user's code does at this state is found out without kernels
        self._found = found.F
        data: Vector = found.data
        return data

    def is_confirmed(self, F: Vector) -> bool:
        """Whether the latest derivatives belong to these values; else no kernels are used."""
        if np.array_equal(F, self._found, equal_nan=True):
            return True
        self._functions.drop(np.flatnonzero(self._found != F), None)
        return False
