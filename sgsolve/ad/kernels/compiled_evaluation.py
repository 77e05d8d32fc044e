"""Evaluations by kernels: choose the kernel for an evaluation, or make one when it pays.

A kernel replays the operations of one evaluation. It is valid while the constants are the same and
all guards have their values. In every other case the function is evaluated by NumPy. The first
result of each kernel is compared with NumPy's: values bit for bit, Jacobians up to rounding.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arrays import DOUBLE
from ...pattern import Pattern
from .account import Account
from .numpy_warnings import NOTABLE, is_warned
from .printing.kernel_result import RANGE, OtherWay
from .running.kernel_call import KernelCall
from .stats import CompiledStats
from .trace_attempts import NotCompiledError
from .variant import FIRST, IMPURE, Variant, same_bits
from .variant_set import VariantSet

# Up to so many unknowns a kernel takes next to no longer for F and J than for F alone.
FEW_UNKNOWNS = 1000


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
    account : Account
        The time of evaluations by NumPy, and whether kernels pay.
    """

    def __init__(self, f: Callable[..., Any], at_once: bool = False) -> None:
        self.f = f
        self.stats = CompiledStats()
        self.account = Account(at_once)
        self._known = VariantSet(f, self.account, self.stats)

    @property
    def variants(self) -> list[Variant]:
        """The ways through the code for which there are kernels."""
        return self._known.variants

    @property
    def stopped(self) -> str:
        """Why nothing is compiled any more; empty: it continues."""
        return self._known.stopped

    def note_varying(self, names: Collection[str]) -> None:
        """Let numbers and arrays of these names be inputs of the kernels to come."""
        self._known.moving.names |= set(names)

    def stop(self, reason: str) -> None:
        """Drop all kernels, and make no more."""
        self._known.stop(reason)

    def value(
        self,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        plain: Callable[[], NDArray[Any]],
        target: Pattern | None = None,
    ) -> NDArray[Any]:
        """Return F; `plain` evaluates it by NumPy. `target` is the pattern of Jacobians to come.

        Of few unknowns, a kernel of F and J serves where there is none of F alone: to make another
        one would take as long again.
        """
        found = self.replay(x, arguments, target, False)
        if found is None and type(x) is np.ndarray and x.size <= FEW_UNKNOWNS:
            variants = self._known.variants
            found = self.replay(x, arguments, variants[0].target, True) if variants else None
        return self._value(x, arguments, plain, target) if found is None else found.F

    def _value(
        self,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        plain: Callable[[], NDArray[Any]],
        target: Pattern | None,
    ) -> NDArray[Any]:
        """Return F by a kernel of F alone, which is made if that pays, or else by NumPy."""
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
        variants = self._known.variants
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
            if is_warned(flags) and _warns_of_values(variant, x, arguments, F):
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
        variants = self._known.variants
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
        before, self.account.at_once = self.account.at_once, True
        try:
            self._value(x, arguments, plain, None)
        finally:
            self.account.at_once = before

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
        reason = self._known.stopped or _unfit(x)
        if not reason:
            self._known.moving.note(arguments)
            try:
                for variant in self._known.candidates(x, arguments, target, with_jacobian):
                    try:
                        found = self._by_kernel(variant, x, arguments, with_jacobian, plain)
                    except OtherWay as other:
                        reason = other.reason
                        continue
                    if found is not None:
                        self._known.put_first(variant)
                        return found
                    reason = ""
                    break
            except NotCompiledError as error:
                reason = str(error)
        return self._by_numpy(reason or "no kernel yet", plain)

    def _by_numpy(self, reason: str, plain: Callable[[], CompiledResult]) -> CompiledResult:
        result = self.account.timed(plain)
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
        kernel = self._known.kernel(variant, with_jacobian)
        if kernel is None:
            return None
        F, data, flags, counts = kernel.run(x, variant.inputs_of(arguments))
        if with_jacobian and flags & RANGE:
            raise NotCompiledError("numbers that overflow or underflow")
        if is_warned(flags):
            if not with_jacobian:
                raise NotCompiledError("floating point warnings")
            with suppress(NotCompiledError):
                self._known.kernel(variant, False)
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
                lambda: self._known.is_at_fault(variant, x, arguments, expected, plain),
            )  # fmt: skip
            self.stats.uncompiled += 1
            self.stats.reasons[FIRST] += 1
            if variant.is_impure:  # what its other kernels read has changed too
                self.stop(IMPURE)
            self._known.drop_unsettled(variant)
            return expected
        self.stats.compiled += 1
        return result


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
    return is_warned(alone.flags) or not same_bits(alone.F, F)
