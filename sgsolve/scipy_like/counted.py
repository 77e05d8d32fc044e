"""The function of a call of `root`, with its arguments, counted as it is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ad
from ..ad.drivers.function_calls import result_of
from ..errors import InputError


class Counted:
    """``fun(x, *args)`` and its Jacobian.

    Parameters
    ----------
    fun : callable
    jac : callable, bool or None
        As `root` takes it.
    transposed : bool
        Whether the Jacobian has derivatives down the columns (SciPy's ``col_deriv``).
    shape : tuple of int
        Of x as `fun` gets it.

    Attributes
    ----------
    nfev : int
        Calls of `fun`, those with derivatives included.
    njev : int
        Calls of `jac`, or of `fun` with derivatives.
    """

    def __init__(
        self,
        fun: Any,
        args: tuple[Any, ...],
        jac: Any,
        transposed: bool,
        shape: tuple[int, ...] = (-1,),
    ) -> None:
        if not callable(fun):
            raise InputError(f"fun must be a function, not {fun!r}")
        if not (jac is None or isinstance(jac, bool) or callable(jac)):
            raise InputError(f"jac must be a function, True, False or None, not {jac!r}")
        self._fun, self._args, self._jac, self._transposed = fun, args, jac, transposed
        self.shape = shape
        self._last: tuple[Any, Any] | None = None  # x and (F, J) of a function that returns both
        self.nfev = self.njev = 0

    def residual(self, x: Any) -> Any:
        """Return F(x); a scalar function of one unknown has one equation."""
        y = self._both(x)[0] if self._jac is True else self._called(x)
        if len(self.shape) > 1 and np.shape(y) == self.shape:
            return y.reshape(-1)
        if y is None or isinstance(y, (list, tuple)) or np.size(x) > 1 or np.ndim(y):
            return y
        return np.reshape(y, (1,))

    @property
    def jacobian(self) -> Callable[[Any], Any] | None:
        """The user's Jacobian as a function of x, or None."""
        return self._own if callable(self._jac) or self._jac is True else None

    def _own(self, x: Any) -> Any:
        if self._jac is True:
            J = self._both(x)[1]
        else:
            self.njev += 1
            J = self._jac(self._shaped(x), *self._args)
        if isinstance(J, float | int | np.generic | np.ndarray) and np.ndim(J) < 2:
            J = np.reshape(J, (1, 1)) if np.size(J) == np.size(x) == 1 else J  # one equation
        if self._transposed and J is not None:
            return J.T if hasattr(J, "T") else np.transpose(J)
        return J

    def _called(self, x: Any) -> Any:
        self.nfev += 1
        self.njev += isinstance(x, ad.ADArray)
        return result_of(self._fun, self._shaped(x), *self._args)

    def _shaped(self, x: Any) -> Any:
        return x if len(self.shape) == 1 else x.reshape(self.shape)

    def _both(self, x: Any) -> Any:
        if self._last is None or not np.array_equal(self._last[0], x):
            both = self._called(x)
            if not isinstance(both, (tuple, list)) or len(both) != 2:
                raise InputError(f"jac=True: fun must return (F, J), not {type(both).__name__}")
            self.njev += 1
            self._last = np.array(x), both
        return self._last[1]
