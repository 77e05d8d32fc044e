"""`compiled`: a function of arrays that is evaluated by compiled kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arrays import DOUBLE
from ...errors import DataTypeError
from ..array import ADArray
from ..conversions.nested import holds_derivatives
from ..drivers.function_calls import evaluate, result_of
from ..drivers.seeding import differentiated, value_and_jacobian
from . import machine
from .compiled_evaluation import CompiledEvaluation, CompiledResult
from .stats import CompiledStats


def compiled(f: Callable[..., Any], *, at_once: bool = False) -> CompiledFunction:
    """Return f as a function that is evaluated by compiled kernels.

    The operations of an evaluation are traced and compiled to machine code, for f(x) and for f(x)
    with its Jacobian. Later evaluations run the kernel instead of f. Values are equal to those of f
    in every bit; Jacobians may differ by rounding. What depends on values in another way than the
    kernel (another branch of an ``if``) is evaluated by f.

    Parameters
    ----------
    f : callable
        ``f(x, *args, **kwargs)``. It must be pure: it depends on nothing but its arguments. Numbers
        and arrays among them may change from call to call.
    at_once : bool
        Compile at the first evaluation. By default a kernel is made when the time that it would
        have saved so far is as long as making it.

    Returns
    -------
    CompiledFunction
        Called like f, also as the residual of a `Problem`. All of ``ad`` that computes Jacobians
        by x alone uses its kernels; `jvp` and `value_and_jacobian_blocks` call f itself. ``stats``
        counts evaluations.

    Raises
    ------
    InputError
        If llvmlite is not installed.
    DataTypeError
        If f cannot be called.

    See Also
    --------
    compiled_is_available : Whether llvmlite is installed.
    freeze : A smaller gain without another package.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import ad
    >>> f = ad.compiled(lambda x, a: np.exp(a * x[1:]) - x[:-1], at_once=True)
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> for a in (0.0, 0.5, 1.0):
    ...     F, J = f.value_and_jacobian(x, a)
    >>> J.toarray().round(3)
    array([[-1.   ,  2.718,  0.   ],
           [ 0.   , -1.   ,  7.389]])
    >>> print(f.stats.compiled, "evaluations by kernels")
    1 evaluations by kernels
    """
    if not callable(f):
        raise DataTypeError(f"compiled takes a function of x, not {f!r}")
    machine.require_llvmlite()
    return CompiledFunction(f, at_once)


NO_ARGUMENTS: dict[str, Any] = {}


class CompiledFunction:
    """What `compiled` returns; called like the function itself."""

    has_kernels = True  # `ad.value_and_jacobian` asks for it

    def __init__(self, f: Callable[..., Any], at_once: bool) -> None:
        self.function, self._at_once = f, at_once
        self._evaluation = CompiledEvaluation(self._called, at_once)
        self.__name__ = getattr(f, "__name__", type(f).__name__)
        self.__doc__ = getattr(f, "__doc__", None)

    @property
    def stats(self) -> CompiledStats:
        """What was compiled, and why other evaluations were not."""
        return self._evaluation.stats

    def __call__(self, x: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Return f(x); by a kernel if no argument carries derivatives."""
        if not args and not kwargs:
            replayed = self._evaluation.replay(x, NO_ARGUMENTS, None, False)
            if replayed is not None:
                return replayed.F
        if _has_derivatives(x, args, kwargs):
            return result_of(self.function, x, *args, **kwargs)
        if type(x) is not np.ndarray:
            return self.function(x, *args, **kwargs)
        arguments = _by_name(args, kwargs)
        return self._evaluation.value(x, arguments, lambda: self._plain(x, args, kwargs))

    def value_and_jacobian(
        self, x: ArrayLike, /, *args: Any, **kwargs: Any
    ) -> tuple[NDArray[Any], Any]:
        """Return f(x) and its sparse Jacobian, as `ad.value_and_jacobian`."""
        arguments = NO_ARGUMENTS
        if args or kwargs or type(x) is not np.ndarray or x.dtype is not DOUBLE:
            if _has_derivatives(x, args, kwargs):
                return value_and_jacobian(self.function, x, *args, **kwargs)
            x, arguments = np.asarray(x), _by_name(args, kwargs)
        replayed = self._evaluation.replay(x, arguments, None, True)
        if replayed is not None:
            F, data, pattern = replayed
            return F, pattern.matrix(data)
        return self._linearized(x, arguments, args, kwargs)

    def _linearized(
        self, x: NDArray[Any], arguments: dict[str, Any], args: Any, kwargs: Any
    ) -> tuple[NDArray[Any], Any]:
        """Return f(x) and its Jacobian; make a kernel if that pays."""

        def plain() -> CompiledResult:
            y = differentiated(self.function, x, *args, **kwargs)
            pattern, data = y._pattern_and_values()
            return CompiledResult(y.value, data, pattern)

        found = self._evaluation.linearized(x, arguments, None, plain)
        return found.F, found.pattern.matrix(found.data)

    def jacobian(self, x: ArrayLike, /, *args: Any, **kwargs: Any) -> Any:
        """Return the sparse Jacobian of f at x."""
        return self.value_and_jacobian(x, *args, **kwargs)[1]

    def _plain(self, x: Any, args: Any, kwargs: Any) -> Any:
        return np.asarray(evaluate(self.function, x, *args, **kwargs))

    def _called(self, x: Any, /, **arguments: Any) -> Any:
        positions = sorted((k for k in arguments if k.startswith("*")), key=lambda k: int(k[1:]))
        args = [arguments.pop(k) for k in positions]
        return result_of(self.function, x, *args, **arguments)

    def __getstate__(self) -> tuple[Any, bool]:
        return self.function, self._at_once

    def __setstate__(self, state: tuple[Any, bool]) -> None:
        CompiledFunction.__init__(self, *state)


def _has_derivatives(x: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if type(x) is np.ndarray and x.dtype is DOUBLE and not args and not kwargs:
        return False
    arguments = (x, *args, *kwargs.values())
    return any(isinstance(a, ADArray) or holds_derivatives(a) for a in arguments)


def _by_name(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return all arguments by name; positional ones have names that no keyword can have."""
    if not args:
        return kwargs or NO_ARGUMENTS
    return {**{f"*{k}": v for k, v in enumerate(args)}, **kwargs}
