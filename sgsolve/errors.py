"""The errors that sgsolve raises, in one tree.

::

    SgsolveError
    ├── InputError (ValueError)         an argument is wrong; raised before any work
    │   ├── ShapeError                  the wrong shape or length
    │   ├── NotFiniteError              NaN or infinity where numbers are needed
    │   ├── DataTypeError (TypeError)   not numbers, or numbers of the wrong kind
    │   └── ParameterError              a parameter that the residual does not have
    ├── StructureError                  an equation without unknowns, an unknown without equation
    ├── DerivativeError (TypeError)     an operation would lose a derivative
    ├── LinearSolveError                a linear system could not be solved to accuracy
    │   ├── SingularMatrixError         ... because its matrix is singular
    │   └── BackendError                ... because the back end is unknown or not installed
    ├── OutOfMemoryError (MemoryError)  the factors of a linear solver, or an evaluation, do not fit
    ├── RanksDisagreeError              ranks that mpiexec started do not do the same
    ├── ConvergenceError (RuntimeError) a solve or a sweep failed; carries what was computed
    ├── DomainError (ArithmeticError)   for the user: "x is outside the model"; shortens steps
    └── CheckpointError                 a checkpoint file is damaged or belongs to another problem

    KeyboardInterrupt
    └── SolveInterrupted                Ctrl-C during `Problem.solve`; carries what was computed

Every message names the argument, the block or the equation, and says what to do next.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any


class SgsolveError(Exception):
    """Root of the errors of this package."""


class InputError(SgsolveError, ValueError):
    """An argument is wrong; nothing has been computed."""


class ShapeError(InputError):
    """An array has the wrong shape or length."""


class NotFiniteError(InputError):
    """An array holds NaN or infinity where finite numbers are needed."""


class DataTypeError(InputError, TypeError):
    """An argument is not numeric, or its dtype cannot serve here."""


class ParameterError(InputError):
    """A parameter that the residual does not have, or one without a value that it needs."""


class StructureError(SgsolveError):
    """The system cannot be solved as posed, whatever the values.

    Attributes
    ----------
    rows, columns : tuple of int
        The equations and the unknowns that the message is about.
    """

    def __init__(self, message: str, rows: Sequence[int] = (), columns: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.rows = tuple(int(i) for i in rows)
        self.columns = tuple(int(j) for j in columns)


class DerivativeError(SgsolveError, TypeError):
    """An operation on an AD array is not supported, or would drop the derivative.

    See Also
    --------
    ad.define_rule, ad.elementwise
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        derivative_errors.number += 1


class _Count(threading.local):
    """The number of errors that this thread made: one that a residual catches is known by it."""

    number = 0


derivative_errors = _Count()


class LinearSolveError(SgsolveError):
    """A linear system could not be solved to the accuracy that was asked for."""


class SingularMatrixError(LinearSolveError):
    """A matrix is singular, structurally or to working precision.

    Attributes
    ----------
    rows, columns : tuple of int
        Suspicious equations and unknowns, most suspicious first; empty if none could be named.
    """

    def __init__(self, message: str, rows: Sequence[int] = (), columns: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.rows = tuple(int(i) for i in rows)
        self.columns = tuple(int(j) for j in columns)


class BackendError(LinearSolveError):
    """A linear back end is unknown, not installed, or failed for a reason of its own."""


class OutOfMemoryError(SgsolveError, MemoryError):
    """A linear system or an evaluation is too large for the memory; the message says how large."""


class RanksDisagreeError(SgsolveError):
    """The ranks of a program that mpiexec started do not do the same, or hold different numbers.

    See Also
    --------
    petsc.Petsc
    """


class ConvergenceError(SgsolveError, RuntimeError):
    """A solve or a sweep did not succeed.

    Attributes
    ----------
    result : Result or Branch
        Everything that was computed until then: the best iterate, the history, the counts.

    See Also
    --------
    Status : The reasons.

    Examples
    --------
    >>> from sgsolve import ConvergenceError, Problem
    >>> try:
    ...     Problem(lambda x: x**2 + 1.0).solve([1.0])
    ... except ConvergenceError as error:
    ...     print(error.result.success)
    False
    """

    def __init__(self, message: str, result: Any = None) -> None:
        super().__init__(message)
        self.result = result


class SolveInterrupted(KeyboardInterrupt):
    """A solve was interrupted from the keyboard (Ctrl-C).

    Attributes
    ----------
    result : Result
        With the best point so far, under the status INTERRUPTED.
    """

    def __init__(self, message: str, result: Any = None) -> None:
        super().__init__(message)
        self.result = result


class DomainError(SgsolveError, ArithmeticError):
    """Raise it inside a residual where x is outside the model; the step is then shortened.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import DomainError, Problem, ad
    >>> def residual(x):
    ...     if np.any(ad.value(x) <= 0.0):
    ...         raise DomainError("x must be positive")
    ...     return np.log(x) - 1.0
    >>> Problem(residual).solve([10.0]).x.round(4).tolist()
    [2.7183]
    """


class CheckpointError(SgsolveError):
    """A checkpoint file is damaged, of another version, or belongs to another problem."""


class ImpureFunctionWarning(UserWarning):
    """A function gave other values than its compiled form, or on AD arrays than on plain ones.

    It depends on more than its arguments, or on their type.

    See Also
    --------
    sgsolve.Problem : Its argument ``compiled``.
    """


class KernelWarning(UserWarning):
    """A kernel has wrong values, or cannot be made: a fault of sgsolve, or of what it runs on.

    It is not used. All results are those without kernels, and take longer.

    See Also
    --------
    sgsolve.ad.compiled : Makes kernels of a function.
    """
