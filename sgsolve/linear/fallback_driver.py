"""Drive a preferred back end, and others in its place where it fails.

`FallbackDriver` holds the state of the factorization: which back end is preferred, which one is
active for the present matrix, whether its analysis is stale, and whether its pivots hint at a
singular matrix. `LinearSolver` gives it equilibrated systems and gets solutions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import DOUBLE
from ..errors import BackendError, LinearSolveError, SingularMatrixError
from ..norms import norm2
from ..pattern import matrix_product
from ..private_api import quiet
from ..user_warnings import warn
from .checks.accuracy import (
    ACCEPT,
    ITERATED_GROWTH,
    PROBE_GROWTH,
    REFINE_ABOVE,
    Answer,
    Fault,
    Singularity,
    judged,
)
from .checks.distance import distance_to_singularity, singular_matrix
from .checks.first_answer import first_answer
from .checks.singular import diagnose
from .fallbacks import fallbacks, reads_values
from .memory import require_memory
from .methods.backend import NUMERICAL, name_of
from .prepared_matrix import PreparedMatrix
from .statistics import Statistics

# Two solves in a row with more steps of refinement than this: the analysis is stale.
MANY_STEPS = 2
# The first choice is tried again where the factors in its place take more operations than this
# many times its own, in systems of at least so many unknowns.
COSTLY, TRIED_AGAIN_FROM = 3.0, 2000
# Relative residual to which an iteration is probed.
PROBED = 1e-4


class FallbackWarning(UserWarning):
    """An iterative back end did not converge, and the matrix is factorized instead."""


class FallbackDriver:
    """Drives a back end through factorizations and solves of one prepared pattern.

    Parameters
    ----------
    backend : Backend
        The first choice.
    stats : Statistics
        Counts of analyses, refinements and fallbacks are added here.
    cheaper : callable, optional
        It takes the first choice, the prepared matrix and a function that analyzes it, and returns
        a back end that has taken these values and serves instead; or None, after the analysis.

    Attributes
    ----------
    active : Backend
        The back end that holds the factors of the present matrix.
    ready : bool
        Whether there are factors to solve with.
    """

    def __init__(
        self,
        backend: Any,
        stats: Statistics,
        cheaper: Callable[[Any, PreparedMatrix, Callable[[], None]], Any] | None = None,
    ) -> None:
        self.active = self._preferred = backend
        self.ready = False
        self._stats, self._cheaper = stats, cheaper
        self._stale = True
        self._fresh = self._doubtful = False
        self._untested = False  # an iteration whose matrix may be singular
        self._nearest: Singularity | None = None
        self._strained = 0
        self._displaced: Any = None  # the first choice, while another one serves in its place
        self._failures = self._since = 0  # of the first choice; factorizations since the last one

    def renew(self, backend: Any = None) -> None:
        """Analyze before the next factorization, with another first choice if one is given."""
        self._stale, self.ready = True, False
        if backend is not None:
            self._preferred = backend
        elif self._displaced is not None:
            self._preferred = self._displaced
        self._displaced, self._failures = None, 0

    @property
    def direct(self) -> Any:
        """The back end, if it is one of LAPACK's that needs no analysis now; None otherwise."""
        settled = self.ready and not self._stale and self.active is self._preferred
        return self.active if settled and getattr(self.active, "usable_alone", False) else None

    def take_factors(self, sound: bool) -> None:
        """Take note that the back end was used directly; its factors are of no use if not sound."""
        self.ready, self._doubtful, self._nearest = sound, False, None
        self._strained = 0

    def factorize(self, prepared: PreparedMatrix) -> None:
        """Factorize the prepared values, by the preferred back end or by a fallback."""
        self._since += 1
        if self._displaced is not None and self._since >= 2 ** (self._failures - 1):
            self._preferred, self._stale, self._displaced = self._displaced, True, None
        self.ready, self.active = False, self._preferred
        try:
            other = self._analyzed(prepared) if self._stale else None
            if other is None:
                self._drive(self.active, prepared)
            else:
                self.active = self._preferred = other
                self._doubtful, self._nearest = False, None
            self._fresh, self._stale = self._stale, False
        except NUMERICAL as error:
            self._fresh = self._stale
            self._take_over(prepared, error)
        self.ready = True

    def solve(
        self, prepared: PreparedMatrix, b: NDArray[Any], transpose: bool, step: bool = False
    ) -> Answer:
        """Return an answer that holds for the prepared system.

        As a step of Newton's method, an answer is accepted that satisfies the equations and whose
        error along a nearly singular direction is not known: the residual decides about the step.
        It is refined only where it would not be accepted otherwise.
        """
        first = self._first_answer(prepared, b, transpose)
        if first is not None and first.error <= (ACCEPT if step else REFINE_ABOVE):
            self._strained = 0
            return first
        with quiet():
            answer, fault = self._attempt(prepared, b, transpose, step, first)
            if answer is None or fault is not None:
                answer = self._rescue(prepared, b, transpose, fault or Fault.BROKEN)
        self._strained = self._strained + 1 if answer.steps > MANY_STEPS else 0
        if self._strained >= 2 and reads_values(self._preferred) and not self._fresh:
            self._strained, self._stale = 0, True
        return answer

    def _first_answer(
        self, prepared: PreparedMatrix, b: NDArray[Any], transpose: bool
    ) -> Answer | None:
        """Return the answer of a direct back end before refinement; None if it is in doubt."""
        real = b.dtype is DOUBLE and prepared.values.dtype is DOUBLE
        if transpose or b.ndim > 1 or not real or self._doubtful:
            return None
        if getattr(self.active, "iterative", False):
            return None
        active = self.active
        return first_answer(
            lambda b: prepared.answer(active, b, False), prepared.A, prepared.magnitude, b
        )

    def _analyzed(self, prepared: PreparedMatrix) -> Any:
        """Analyze the first choice, or return a cheaper back end that has taken the values."""
        analyze = partial(self._analyze, self.active, prepared)
        return self._cheaper(self.active, prepared, analyze) if self._cheaper else analyze()

    def _analyze(self, backend: Any, prepared: PreparedMatrix) -> None:
        """Analyze, and see whether the factors fit into the memory."""
        start = perf_counter()
        backend.analyze(prepared.A)
        self._stats.n_analyze += 1
        self._stats.seconds["analyze"] += perf_counter() - start
        require_memory(backend, name_of(backend), prepared.n, prepared.A.nnz)

    def _drive(self, backend: Any, prepared: PreparedMatrix) -> None:
        """Factorize by an analyzed back end and see what its pivots say."""
        if hasattr(backend, "take_scaling"):
            backend.take_scaling(prepared.scaling.row, prepared.scaling.column)
        backend.factorize(prepared.A)
        doubtful = getattr(backend, "doubtful", None)
        if doubtful is None:
            with quiet():
                probe = prepared.system(backend, False).solve(prepared.signs.copy())
                doubtful = not np.maximum.reduce(np.abs(probe)) < PROBE_GROWTH
        self._doubtful = bool(doubtful)
        self._untested = bool(getattr(backend, "iterative", False))
        self._nearest = None

    def _attempt(
        self,
        prepared: PreparedMatrix,
        b: NDArray[Any],
        transpose: bool,
        step: bool = False,
        first: Answer | None = None,
    ) -> tuple[Answer | None, Fault | None]:
        """Solve with the present factors and judge the answer."""
        system = prepared.system(self.active, transpose)
        if self._untested:
            self._untested, self._doubtful = False, not self._excites_every_equation(prepared)

        def nearest() -> Singularity:
            if self._nearest is None:
                self._nearest = self._nearest_singular(prepared)
            found = self._nearest
            return replace(found, equations=found.unknowns) if transpose else found

        target = ACCEPT if step else REFINE_ABOVE
        answer, fault = judged(system, b, self._doubtful, nearest, first, target)
        if step and fault is Fault.NO_DIGITS:
            fault = None
        if fault is Fault.SINGULAR and getattr(self.active, "perturbed", False):
            fault = Fault.NO_DIGITS  # a back end with exact pivots decides
        self._stats.n_refine += answer.steps if answer else 0
        return answer, fault

    def _excites_every_equation(self, prepared: PreparedMatrix) -> bool:
        """Whether an iteration finds a solution of moderate size for random right-hand sides.

        For a singular matrix the relative residual stays above about 1 / sqrt(n), or x grows.
        """
        b = prepared.signs
        with quiet():
            try:
                x = self.active.solve_to(b.copy(), PROBED)
            except NUMERICAL:
                return False
            left = norm2(b - matrix_product(prepared.A, x))
            return bool(left <= 2.0 * PROBED * norm2(b) and np.abs(x).max() < ITERATED_GROWTH)

    def _nearest_singular(self, prepared: PreparedMatrix) -> Singularity:
        """Return how far the present matrix is from a singular one, by the present factors."""
        if not prepared.has_full_structural_rank():
            return singular_matrix(prepared.n)
        if getattr(self.active, "iterative", False):  # its few digits do not tell
            return singular_matrix(prepared.n, known=False)
        system, transposed = (prepared.system(self.active, flag) for flag in (False, True))
        return distance_to_singularity(system, transposed, prepared.signs)

    def _rescue(
        self, prepared: PreparedMatrix, b: NDArray[Any], transpose: bool, fault: Fault
    ) -> Answer:
        """Try the fallbacks until an answer is accurate; raise if none is."""
        if fault is Fault.SINGULAR:
            raise self._reset(diagnose(prepared.A, fault.value, self.active.solve), False)
        first: Fault = fault
        last, error = first, float("inf")
        for maker in fallbacks(self.active, fault, prepared.n, self._fresh):
            if self._tried(maker, prepared, last.value) is not None:
                continue
            answer, now = self._attempt(prepared, b, transpose)
            if answer is not None and now is None:
                # The first back end was not wrong where its answer was only doubtful.
                if first not in (Fault.NO_DIGITS, Fault.UNDECIDED):
                    self._displace(prepared.n)
                return answer
            last, error = now or Fault.BROKEN, answer.error if answer else error
            if last is Fault.SINGULAR:
                break
        reason, solve = last.value, None
        if last is Fault.BROKEN:
            raise self._reset(
                BackendError(f"{reason}: {name_of(self.active)} cannot solve, nor can others")
            )
        if last is Fault.INACCURATE:
            reason += f": componentwise backward error {error:.1e} > {ACCEPT:.0e}"
        else:
            # These factors are of a nearly singular matrix: accurate enough for its null vectors.
            solve = self.active.solve
        raise self._reset(diagnose(prepared.A, reason, solve), last is not Fault.SINGULAR)

    def _displace(self, n: int) -> None:
        """Let the active back end serve in place of the first choice.

        Factors with partial pivoting can take far longer. The first choice is then tried again with
        other values of a large matrix: at once, and after each failure after twice as many
        factorizations.
        """
        now, before = (
            float(getattr(backend, "operations", 0.0) or 0.0)
            for backend in (self.active, self._preferred)
        )
        if n >= TRIED_AGAIN_FROM and now > COSTLY * before > 0.0:
            self._displaced, self._since = self._preferred, 0
            self._failures += 1
        self._preferred, self._stale = self.active, False

    def _take_over(self, prepared: PreparedMatrix, error: Exception) -> None:
        """Find a back end that can factorize at all; raise if there is none."""
        singular = isinstance(error, SingularMatrixError)
        fault = Fault.ZERO_PIVOT if singular else Fault.BROKEN
        failures = [error]
        for maker in fallbacks(self.active, fault, prepared.n, self._fresh):
            failure = self._tried(maker, prepared, str(error))
            if failure is None:
                if not singular:
                    self._preferred, self._stale = self.active, False
                return
            failures.append(failure)
        if isinstance(failures[-1], SingularMatrixError):
            raise self._reset(diagnose(prepared.A, str(failures[-1]))) from error
        reasons = "; ".join(str(failure) for failure in failures)
        raise self._reset(BackendError(f"no back end can factorize: {reasons}")) from error

    def _tried(
        self, maker: Callable[[], Any], prepared: PreparedMatrix, reason: str
    ) -> Exception | None:
        """Try to factorize with another back end, which then serves; return why it cannot.

        `reason` is why the one that is active does not serve.
        """
        try:
            backend = maker()
            self._analyze(backend, prepared)
            self._fresh = True
            self._drive(backend, prepared)
        except NUMERICAL as error:
            return error
        if getattr(self.active, "iterative", False):
            obstacle = getattr(self.active, "obstacle", lambda A: "")(prepared.A)
            warn(
                f"{name_of(self.active)} does not solve a system of {prepared.A.shape[0]} "
                f"unknowns ({obstacle or reason}); {name_of(backend)} factorizes its matrix "
                "instead",
                FallbackWarning,
            )
        self._stats.n_fallback += backend is not self.active
        self.active = backend
        return None

    def _reset(self, error: LinearSolveError, doubt: bool = True) -> LinearSolveError:
        """Be ready for other values: start again from the first choice.

        It is analyzed anew if there is doubt whether its analysis had a part in the failure.
        """
        self._stale = self._stale or (doubt and reads_values(self._preferred))
        self.ready, self.active = False, self._preferred
        return error
