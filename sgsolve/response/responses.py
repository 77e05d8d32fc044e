"""Responses: how a solution answers to its parameters; a base of `Problem` for that.

One idea: at a solution everything that follows is linear. The same Jacobian that found it says how
it moves with every parameter, and, with the matrix of what is stored, how it follows an
oscillation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..results.result import Result
from ..runs.multiplicity import Multiplicity
from ..systems.bound import BoundSystem
from .sensitivity import sensitivities
from .small_signal import Response, checked_frequencies, small_signal
from .storage import Storage


class Responses(Multiplicity):
    """`sensitivity`, `storage_matrix` and `small_signal`, for `Problem`."""

    _storage: Callable[..., Any] | str | None

    def sensitivity(
        self,
        at: Result | ArrayLike,
        name: str | Sequence[str],
        of: Callable[..., Any] | ArrayLike | None = None,
        *,
        how: str = "auto",
        **params: Any,
    ) -> Any:
        """Return how a solution moves with parameters: dx/dp, or dg/dp of a functional.

        Parameters
        ----------
        at : Result or array_like of shape (n,)
            A success of `solve`; or a solution itself, at the parameters `params`.
        name : str or sequence of str
            The parameter p, a number or an array of numbers; or several.
        of : callable or array_like of shape (n,) or (m, n), optional
            A functional ``g(x, names of parameters...)`` that returns a number or a vector, or
            its gradient by x alone. Parameters that it names count directly too.
        how : {"auto", "forward", "adjoint"}
            One solve per (element of a) parameter, or one per number that g returns. Both give the
            same; "auto" takes the fewer.

        Returns
        -------
        ndarray or float, or dict of them
            dx/dp has the shape of x followed by that of p, dg/dp that of g followed by that of p;
            a float where both are numbers. For several names a dict.

        Raises
        ------
        InputError
            For a result that is no solution, or a parameter that is no number.
        SingularMatrixError
            Where the solution has no derivative, as at a fold.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x, a: x**2 - a, params={"a": 4.0})
        >>> result = problem.solve([1.0])
        >>> problem.sensitivity(result, "a")  # d sqrt(a) / da
        array([0.25])

        By an array, with one value for each equation, of a sum that depends on it directly as well:

        >>> import numpy as np
        >>> result = problem.solve([1.0, 1.0], a=np.array([4.0, 9.0]))
        >>> problem.sensitivity(result, "a", of=lambda x, a: np.sum(x + a))
        array([1.25      , 1.16666667])
        """
        names = [name] if isinstance(name, str) else list(name)
        for one in names:
            self._signature.differentiable(one)
        system, x = self._solution(at, params)
        with self._lend(system, x) as workspace:
            found = sensitivities(system, workspace, x, names, of, how)
        return found[name] if isinstance(name, str) else found

    def storage_matrix(self, x: ArrayLike, **params: Any) -> Any:
        """Return C = dQ/dx at x, a ``csr_array`` of shape (n, n): what multiplies dx/dt."""
        system, x = self._solution(x, params)
        return Storage(self._storage, system).matrix(x)

    def small_signal(
        self,
        at: Result | ArrayLike,
        name: str,
        frequencies: ArrayLike,
        *,
        outputs: Mapping[str, Any] | None = None,
        **params: Any,
    ) -> Response:
        """Return how unknowns or outputs follow a parameter that oscillates a little.

        The problem needs its `storage`. The pattern of J + i omega C is analyzed once for all
        frequencies and all solutions.

        Parameters
        ----------
        at : Result or array_like of shape (n,)
            The steady state: a success of `solve`; or a solution, at the parameters `params`.
        name : str
            The parameter that oscillates, a number.
        frequencies : float or sequence of float
            Cycles per unit of time (Hz where time is in s), 0 included.
        outputs : mapping of str to callable or pair of callables, optional
            What to read: ``g(x, names of parameters...)``, or ``(g, h)`` for g + dh/dt, such as a
            current and the charge whose change adds to it.

        Returns
        -------
        Response
            Complex amplitudes per unit of the parameter: ``.states`` (frequencies, n), or with
            outputs ``["name"]``.

        Examples
        --------
        A resistor of 1 kOhm charges a capacitor of 1 uF; at 1/(2 pi R C) it follows by 1/(1 + i).

        >>> import numpy as np
        >>> from sgsolve import Problem
        >>> rc = Problem(lambda v, u: (v - u) / 1e3, params={"u": 0.0}, storage=lambda v: 1e-6 * v)
        >>> corner = 1.0 / (2 * np.pi * 1e3 * 1e-6)
        >>> rc.small_signal(rc.solve([0.0]), "u", [0.0, corner]).states.round(12)
        array([[1. +0.j ],
               [0.5-0.5j]])
        """
        self._signature.numeric(name)
        system, x = self._solution(at, params)
        storage = Storage(self._storage, system)
        values = checked_frequencies(frequencies)
        with self._lend(system, x) as workspace:
            return small_signal(system, workspace, x, name, values, storage, outputs)

    def _solution(
        self, at: Result | ArrayLike, params: Mapping[str, Any]
    ) -> tuple[BoundSystem, NDArray[Any]]:
        """Return the prepared system at a solution, and the solution."""
        if isinstance(at, Result):
            if not at.success:
                raise InputError(f"the result is no solution ({at.status.name})")
            if params:
                raise InputError(
                    f"the result has its own parameters; {', '.join(params)} cannot differ from "
                    "those it was solved with"
                )
            system, x = self._system(at.x, at.params)
        else:
            system, x = self._system(at, params)
        system.prepare(x)
        return system, x
