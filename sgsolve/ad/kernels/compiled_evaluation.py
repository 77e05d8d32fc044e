"""Evaluations by kernels: choose the kernel for an evaluation, or make one when it pays.

A kernel replays the operations of one evaluation. It is valid while the constants are the same and
all guards have their values. In every other case the function is evaluated by NumPy. The first
result of each kernel is compared with NumPy's: values bit for bit, Jacobians up to rounding.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arrays import DOUBLE
from ...pattern import Pattern
from . import machine
from .account import STARTING, TRACING, TRACING_UNKNOWN, Account
from .printing.kernel_result import (
    DIVIDE,
    INVALID,
    OVERFLOW,
    RANGE,
    SHIFT_OF_VALUES,
    UNDERFLOW,
    OtherWay,
)
from .running.arguments import Moving
from .running.kernel import Kernel
from .running.kernel_call import KernelCall
from .stats import CompiledStats
from .variant import FIRST, IMPURE, NotCompiledError, Variant, same_bits

# Ways through the code (branches, sizes, constants) for which there are kernels at the same time.
MOST_VARIANTS = 8
# After so many vain attempts nothing is traced any more.
MOST_FAILURES = 3
# Up to so many unknowns a kernel takes next to no longer for F and J than for F alone.
FEW_UNKNOWNS = 1000
# What NumPy's warnings are about.
WARNINGS = RANGE | DIVIDE | INVALID
NOTABLE = WARNINGS | WARNINGS << SHIFT_OF_VALUES  # most results are rounded: a flag too
WARNED = {"divide": DIVIDE, "over": OVERFLOW, "under": UNDERFLOW, "invalid": INVALID}


class CompiledResult(NamedTuple):
    """F, the values of its Jacobian, and their pattern."""

    F: NDArray[Any]
    data: Any
    pattern: Pattern


# In a third of the time of its constructor, which is a Python function.
new_result = functools.partial(tuple.__new__, CompiledResult)


class CompiledEvaluation:
    """Evaluates a function of x and of further arguments by kernels.

    Parameters
    ----------
    f : callable
        ``f(x, **arguments)``.
    at_once : bool
        Make kernels at the first evaluation, whether they pay or not.

    Attributes
    ----------
    stats : CompiledStats
    stopped : str
        Why nothing is compiled any more; empty: it continues.
    upcoming : int
        How many evaluations follow for certain, as for the members of a family.
    """

    def __init__(self, f: Callable[..., Any], at_once: bool = False) -> None:
        self.f, self.at_once = f, at_once
        self.stats = CompiledStats()
        self.stopped = ""
        self._moving = Moving()
        self._variants: list[Variant] = []
        self._failures = 0
        self._account = Account()
        self.upcoming = 0
        self._settled = False  # a trace was made again for its pattern
        self._lock = threading.RLock()

    @property
    def variants(self) -> list[Variant]:
        """The ways through the code for which there are kernels."""
        return list(self._variants)

    def note_varying(self, names: Collection[str]) -> None:
        """Let numbers and arrays of these names be inputs of the kernels to come."""
        self._moving.names |= set(names)

    def stop(self, reason: str) -> None:
        """Drop all kernels, and make no more."""
        with self._lock:  # none is being made
            self.stopped = reason
            self._variants = []

    def value(
        self,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        plain: Callable[[], NDArray[Any]],
        target: Pattern | None = None,
    ) -> NDArray[Any]:
        """Return F; `plain` evaluates it by NumPy. `target` is the pattern of Jacobians to come."""
        result = self._run(x, arguments, target, False, lambda: CompiledResult(plain(), x, _NONE))
        return result.F

    def linearized(
        self,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        target: Pattern | None,
        plain: Callable[[], CompiledResult],
    ) -> CompiledResult:
        """Return F and the values of its Jacobian; `plain` evaluates them by NumPy.

        `target` is the pattern of the Jacobian; without it, the smallest one.
        """
        return self._run(x, arguments, target, True, plain)

    def replay(
        self,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        target: Pattern | None,
        with_jacobian: bool,
    ) -> CompiledResult | None:
        """Return the result of the kernel that served last; None if it does not serve here.

        Nothing is evaluated by NumPy, and no kernel is made or compared.
        """
        variants = self._variants
        if not variants or type(x) is not np.ndarray or x.dtype is not DOUBLE:
            return None
        if not x.flags.carray and _unfit(x):
            return None
        variant = variants[0]
        ran = variant.repeated(x, arguments, target, with_jacobian)
        if ran is None:
            kernel = variant.proven(x, arguments, target, with_jacobian)
            if kernel is None:
                return None
            inputs = variant.inputs_of(arguments)
            try:
                ran = kernel.run(x, inputs)
            except OtherWay:
                return None
            variant.note_run(kernel, arguments, inputs, with_jacobian)
        F, data, flags, counts = ran
        if flags & NOTABLE:
            if with_jacobian and flags & RANGE:
                return None
            if _is_warned(flags) and _warns_of_values(variant, x, arguments, F):
                return None
        if counts and variant.is_new(with_jacobian, counts):
            return None
        if F.shape != variant.shape_of_result:
            F = F.reshape(variant.shape_of_result)
        self.stats.compiled += 1
        return new_result((F, data, variant.pattern))

    def differing_rows(
        self, x: NDArray[Any], arguments: Mapping[str, Any], F: NDArray[Any]
    ) -> NDArray[np.int64]:
        """Return where a kernel that may serve at x differs from NumPy's F, shape (k,).

        The kernels of one variant have the same constants: one of them is asked.
        """
        for variant in self.variants:
            found = variant.proven_value(x, arguments)
            if found is not None and not same_bits(np.ravel(found), np.ravel(F)):
                return np.flatnonzero(np.ravel(found) != np.ravel(F))
        return np.empty(0, dtype=np.int64)

    def call(
        self, x: NDArray[Any], arguments: Mapping[str, Any], known: KernelCall | None = None
    ) -> KernelCall | None:
        """Return the kernel of F that served last, for loops; None if there is none for them.

        Parameters
        ----------
        x : ndarray, shape (n,)
            Where x will be.
        known : KernelCall, optional
            One of this function, with the same x: it serves again if its kernel is the same.
        """
        variants = self._variants
        kernel = variants[0].proven(x, arguments, None, False) if variants else None
        if kernel is None or not KernelCall.serves(kernel):
            return None
        inputs = variants[0].inputs_of(arguments)
        try:
            if known is None or known.kernel is not kernel:
                return KernelCall(kernel, x, inputs)
            known.give(inputs)
            return known
        except OtherWay:
            return None

    def make(
        self, x: NDArray[Any], arguments: Mapping[str, Any], plain: Callable[[], NDArray[Any]]
    ) -> None:
        """Make a kernel of F for such arguments if there is none, whether it pays or not."""
        before, self.at_once = self.at_once, True
        try:
            self.value(x, arguments, plain)
        finally:
            self.at_once = before

    def _run(
        self,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        target: Pattern | None,
        with_jacobian: bool,
        plain: Callable[[], CompiledResult],
    ) -> CompiledResult:
        replayed = self.replay(x, arguments, target, with_jacobian)
        if replayed is not None:
            return replayed
        reason = self.stopped or _unfit(x)
        if not reason:
            self._moving.note(arguments)
            try:
                for variant in self._candidates(x, arguments, target, with_jacobian):
                    try:
                        found = self._by_kernel(variant, x, arguments, with_jacobian, plain)
                    except OtherWay as other:
                        reason = other.reason
                        continue
                    if found is not None:
                        self._put_first(variant)
                        return found
                    reason = ""
                    break
            except NotCompiledError as error:
                reason = str(error)
        return self._by_numpy(reason or "no kernel yet", plain)

    def _put_first(self, variant: Variant) -> None:
        """Try a variant first next time: ways through the code change seldom."""
        known = self._variants
        if known and known[0] is not variant and variant in known:
            with self._lock:
                self._variants = [variant, *(v for v in self._variants if v is not variant)]

    def _candidates(
        self,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        target: Pattern | None,
        with_jacobian: bool,
    ) -> Iterator[Variant]:
        """Yield the variants that may serve an evaluation, and at last a new one if that pays.

        Raises
        ------
        NotCompiledError
            If there is none.
        """
        for variant in self.variants:
            if variant.fits(x, arguments, target, with_jacobian):
                yield variant
        new = self._new_variant(x, arguments, target)
        if new is not None:
            yield new

    def _by_numpy(self, reason: str, plain: Callable[[], CompiledResult]) -> CompiledResult:
        result = self._account.timed(plain)
        self.stats.uncompiled += 1
        self.stats.reasons[reason] += 1
        return result

    def _by_kernel(
        self,
        variant: Variant,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        with_jacobian: bool,
        plain: Callable[[], CompiledResult],
    ) -> CompiledResult | None:
        """Return the result of a kernel; None if there is none yet.

        Raises
        ------
        OtherWay
            If the kernel is not valid here.
        NotCompiledError
            If there will be no kernel, or its result is of no use here.
        """
        kernel = variant.kernel(with_jacobian)
        if kernel is None:
            with self._lock:
                kernel = self._made(variant, with_jacobian)
            if kernel is None:
                return None
        F, data, flags, counts = kernel.run(x, variant.inputs_of(arguments))
        if with_jacobian and flags & RANGE:
            raise NotCompiledError("numbers that overflow or underflow")
        if _is_warned(flags):
            if not with_jacobian:
                raise NotCompiledError("floating point warnings")
            with self._lock, suppress(NotCompiledError):
                self._made(variant, False)
            if _warns_of_values(variant, x, arguments, F):
                self.f(x, **arguments)
        if F.shape != variant.shape_of_result:
            F = F.reshape(variant.shape_of_result)
        result = CompiledResult(F, data, variant.pattern)
        why = variant.reason_to_check(with_jacobian, counts)
        if why:
            expected = plain()
            variant.check(
                result, expected, with_jacobian, why,
                lambda: self._is_kernel_at_fault(variant, x, arguments, expected, plain),
            )  # fmt: skip
            self.stats.uncompiled += 1
            self.stats.reasons[FIRST] += 1
            if variant.is_impure:  # what its other kernels read has changed too
                self.stop(IMPURE)
            self._drop_unsettled(variant)
            return expected
        self.stats.compiled += 1
        return result

    def _drop_unsettled(self, variant: Variant) -> None:
        """Let the next evaluation be traced, once, if a pattern differs from NumPy's.

        Index arrays that are met for the first time may be new ones in each evaluation: the
        structure of a derivative is a coarser one then.
        """
        if self._settled or not variant.has_other_pattern:
            return
        with self._lock:
            self._settled = True
            self._variants = [v for v in self._variants if v is not variant]

    def _is_kernel_at_fault(
        self,
        variant: Variant,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        expected: CompiledResult,
        plain: Callable[[], CompiledResult],
    ) -> bool:
        """Whether a kernel is wrong, and not a function that is no function of its arguments.

        Such a function gives other values at the same place, or it reads what has changed since the
        trace: a kernel of a new trace is right then.
        """
        if not same_bits(plain().F, expected.F):
            return False
        try:
            inputs = self._moving.inputs(arguments)
            new = Variant(self.f, x, arguments, inputs, variant.target)
            kernel = new.make(False, lambda cost: True, self.stats)
            assert kernel is not None
            found = kernel.run(x, new.inputs_of(arguments)).F
        except (NotCompiledError, OtherWay):
            return False
        return not same_bits(np.ravel(found), np.ravel(expected.F))

    def _made(self, variant: Variant, with_jacobian: bool) -> Kernel | None:
        """Return a new kernel; None if it does not pay yet. Failures are counted."""
        try:
            return variant.make(with_jacobian, self._pays, self.stats)
        except NotCompiledError as error:
            self._note_failure(error)
            raise

    def _note_failure(self, error: NotCompiledError) -> None:
        self._failures += error.final
        if self._failures >= MOST_FAILURES:
            self.stopped = str(error)

    def _pays(self, cost: float) -> bool:
        if self.at_once or self._account.pays(cost, self.upcoming):
            self._account.saved = max(0.0, self._account.saved - cost)
            return True
        return False

    def _new_variant(
        self, x: NDArray[Any], arguments: Mapping[str, Any], target: Pattern | None
    ) -> Variant | None:
        """Trace the present way through the code if that pays."""
        with self._lock:
            if self.stopped:  # by another thread meanwhile
                raise NotCompiledError(self.stopped)
            if len(self._variants) >= MOST_VARIANTS:
                self._drop_changed(arguments, target)
            if len(self._variants) >= MOST_VARIANTS:
                raise NotCompiledError(f"more than {MOST_VARIANTS} ways through the code")
            starting = 0.0 if machine.is_started() else STARTING
            if not self._pays(starting + TRACING + TRACING_UNKNOWN * x.size):
                return None
            begin = perf_counter()
            try:
                variant = Variant(self.f, x, arguments, self._moving.inputs(arguments), target)
            except NotCompiledError as error:
                self._note_failure(error)
                raise
            finally:
                self.stats.seconds += perf_counter() - begin
            for name in variant.changed_since(self._variants, arguments):
                self._moving.note_array(name, arguments[name])
            self._variants.insert(0, variant)
            return variant

    def _drop_changed(self, arguments: Mapping[str, Any], target: Pattern | None) -> None:
        """Drop the variants for other constants, or another pattern, than the present ones."""
        self._variants = [
            v for v in self._variants if v.changed(arguments) is None and target in (None, v.target)
        ]


_NONE: Any = None


def _unfit(x: Any) -> str:
    """Return why x cannot be given to a kernel."""
    if type(x) is not np.ndarray or x.dtype != np.float64:
        return f"x of {getattr(x, 'dtype', type(x).__name__)}"
    if not x.flags.carray and not (x.flags.c_contiguous and x.flags.aligned):
        return "x that is not contiguous"
    return "" if x.size else "x without elements"


def _warns_of_values(
    variant: Variant, x: NDArray[Any], arguments: Mapping[str, Any], F: NDArray[Any]
) -> bool:
    """Whether NumPy may warn of values; the kernel of F knows that it would of slopes alone."""
    try:
        kernel = variant.kernel(False)
        if kernel is None:
            return True
        alone = kernel.run(x, variant.inputs_of(arguments))
    except (NotCompiledError, OtherWay):
        return True
    return _is_warned(alone.flags) or not same_bits(alone.F, F)


def _is_warned(flags: int) -> bool:
    """Whether NumPy would warn of what these flags mean."""
    flags |= flags >> SHIFT_OF_VALUES
    if not flags & WARNINGS:
        return False
    warned = np.geterr().items()
    return any(action != "ignore" and flags & WARNED[kind] for kind, action in warned)
