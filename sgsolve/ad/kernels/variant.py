"""Variants: one way through the code of a function, with its trace and its kernels."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ImpureFunctionWarning, KernelWarning
from ...pattern import Pattern
from ...user_warnings import warn
from ..derivatives.symbols import UntraceableError
from . import machine
from .account import COMPILING, LOADING
from .lowering.movement import function_name
from .printing.kernel_result import RANGE, OtherWay
from .printing.lowered_code import LoweredCode
from .running.arguments import FixedArguments
from .running.kernel import Kernel
from .running.repeated_run import Ran, RepeatedRun
from .stats import CompiledStats
from .trace_attempts import NotCompiledError, traced

FIRST = "comparison with NumPy's result"
COUNTED = "the code uses the number of elements of a side of a branch"
NO_INPUTS: dict[str, Any] = {}
ROUNDING = 1e-12  # relative, of sums in another order
ROUNDED = "the Jacobian of a kernel is rounded in another way"
# NumPy's Jacobian has the same bits once its own form has settled: which of its numbers vary and
# which arrays repeat decides how it adds up. So often a Jacobian of other bits is compared again,
# each time after twice as many evaluations. If rounding is still the only difference, it serves.
MOST_ROUNDED = 5
OTHER_PATTERN = "the Jacobian of a kernel has another pattern"
IMPURE = "the function is not pure: its values changed without its arguments"
FAULT = "a kernel gave other bits than NumPy: a fault of sgsolve"


NOT_PURE = (
    "the function gave another value than its compiled form, in element {row}. It is not a pure "
    "function of its arguments (a counter, a random number, the time), and is not compiled; make "
    "what changes an argument"
)
WRONGLY_COMPILED = (
    "a fault of sgsolve: the compiled form of the function has a wrong value in element {row}, and "
    "is not used. The results are those of the function itself. Please report this, with the "
    "function"
)


class Variant:
    """One way through the code.

    Parameters
    ----------
    arguments : mapping of str to value
    names : set of str
        Of the arguments that are inputs; the others are constants.

    Attributes
    ----------
    pattern : Pattern
        Of the Jacobian.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        names: set[str],
        target: Pattern | None,
    ) -> None:
        inputs = {name: v for name, v in arguments.items() if name in names}
        constants = {name: v for name, v in arguments.items() if name not in names}
        self._trace = traced(f, x, constants, inputs, target)
        if self._trace.dtype != np.float64:
            raise NotCompiledError(f"results of {self._trace.dtype}")
        self.shape, self.target = x.shape, target
        self._constants = FixedArguments(constants, frozenset(names))
        self._inputs = {name: (type(v), np.shape(v)) for name, v in inputs.items()}
        self.pattern: Pattern = self._trace.plan.layout.pattern
        self.shape_of_result = self._trace.graph.results[0].shape
        self._latest: tuple[Any, dict[str, Any]] = None, {}
        self._holds_arrays = any(isinstance(v, np.ndarray) for v in arguments.values())
        self._fitting: Any = None  # arguments that were found to fit; no array of them may change
        # Numbers of elements of the sides of branches that were the same in all comparisons, and
        # those of the trace, which a kernel that is made later is run once more to find.
        self._counts: dict[bool, dict[int, float]] = {}
        self._counts_of_trace: dict[bool, tuple[float, ...]] = {}
        has_sides = any(op.function is np.count_nonzero for op in self._trace.graph.operations)
        self._traced_at = (x.copy(), copy.deepcopy(inputs)) if has_sides else None
        self._code: LoweredCode | None = None
        self._kernels: dict[bool, Kernel] = {}
        self._costs: dict[bool, float] = {}
        self._why_not: dict[bool, str] = {}
        self._rounded = self._waiting = 0
        self._repeated: dict[bool, RepeatedRun] = {}

    def fits(
        self,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        target: Pattern | None,
        with_jacobian: bool,
    ) -> bool:
        """Whether a kernel may serve such an evaluation."""
        if x.shape != self.shape or (with_jacobian and target is not self.target):
            return False
        for name, (kind, shape) in self._inputs.items():
            value: Any = arguments.get(name)
            if type(value) is not kind:
                return False
            if kind is np.ndarray and (value.shape != shape or value.dtype != np.float64):
                return False
        return self.changed(arguments) is None

    def proven(
        self,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        target: Pattern | None,
        with_jacobian: bool,
    ) -> Kernel | None:
        """Return the kernel that may serve an evaluation, if its results agree with NumPy's."""
        if with_jacobian not in self._counts or with_jacobian in self._why_not:
            return None
        if arguments is not self._fitting or x.shape != self.shape:
            if not self.fits(x, arguments, target, with_jacobian):
                return None
            self._fitting = None if self._holds_arrays else arguments
        elif with_jacobian and target is not self.target:
            return None
        return self._kernels.get(with_jacobian)

    def proven_value(self, x: NDArray[Any], arguments: Mapping[str, Any]) -> NDArray[Any] | None:
        """Return F by one of the kernels that agreed with NumPy; None if none serves at x."""
        for with_jacobian in (False, True):
            kernel = self.proven(x, arguments, self.target, with_jacobian)
            if kernel is None:
                continue
            try:
                F, _, flags, counts = kernel.run(x, self.inputs_of(arguments))
            except OtherWay:
                return None
            if not (flags & RANGE or self.is_new(with_jacobian, counts)):
                return F
        return None

    def repeated(
        self,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        target: Pattern | None,
        with_jacobian: bool,
    ) -> Ran | None:
        """Return what the kernel gives if it ran for these arguments last; None if it did not."""
        known = self._repeated.get(with_jacobian)
        if known is None or known.arguments is not arguments or x.shape != self.shape:
            return None
        if with_jacobian and known.target is not target:
            return None
        return known.run(x)

    def note_run(
        self,
        kernel: Kernel,
        arguments: Mapping[str, Any],
        inputs: Mapping[str, Any],
        with_jacobian: bool,
    ) -> None:
        """Note that a proven kernel ran for these arguments."""
        if kernel.repeats and self._fitting is arguments:
            again = RepeatedRun(kernel, arguments, inputs, self.target)
            self._repeated[with_jacobian] = again

    def inputs_of(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that are inputs."""
        if not self._inputs:
            return NO_INPUTS
        known, inputs = self._latest
        if known is not arguments:
            inputs = {name: arguments[name] for name in self._inputs}
            self._latest = arguments, inputs
        return inputs

    def changed(self, arguments: Mapping[str, Any]) -> str | None:
        """Return the name of a constant that is another one now; None: all are the same."""
        return self._constants.other(arguments)

    def changed_since(self, earlier: list[Variant], arguments: Mapping[str, Any]) -> list[str]:
        """Return the arrays that alone differ from the constants of an earlier variant."""
        names = (v.changed(arguments) for v in earlier)
        return [n for n in dict.fromkeys(names) if n and type(arguments[n]) is np.ndarray]

    def kernel(self, with_jacobian: bool) -> Kernel | None:
        """Return the kernel if there is one.

        Raises
        ------
        NotCompiledError
            If there will be none.
        """
        why_not = self._why_not.get(with_jacobian)
        if why_not is not None:
            raise NotCompiledError(why_not)
        if with_jacobian and self._waiting:
            self._waiting -= 1
            raise NotCompiledError(ROUNDED)
        return self._kernels.get(with_jacobian)

    def make(
        self, with_jacobian: bool, pays: Callable[[float], bool], stats: CompiledStats
    ) -> Kernel | None:
        """Return a new kernel; None if it does not pay yet."""
        known = self._kernels.get(with_jacobian)
        if known is not None:
            return known
        begin = perf_counter()
        try:
            if self._code is None:
                self._code = LoweredCode(self._trace)
            code = self._code.of(with_jacobian)
            cost = self._costs.get(with_jacobian)
            if cost is None:
                known_text = machine.is_known(code.text)
                cost = LOADING if known_text else COMPILING * len(code.text)
                self._costs[with_jacobian] = cost
            if not pays(cost):
                return None
            kernel = Kernel(code)
            self._counts_of_trace[with_jacobian] = self._counts_where_traced(kernel)
            self._kernels[with_jacobian] = kernel
            self._code.keep(with_jacobian)
        except UntraceableError as error:
            self._why_not[with_jacobian] = (
                f"cannot be compiled: {str(error) or 'numbers of other types'}"
            )
            raise NotCompiledError(self._why_not[with_jacobian]) from None
        except machine.LlvmError as error:  # of another release of LLVM, or without memory
            self._why_not[with_jacobian] = f"LLVM failed: {error}"
            raise NotCompiledError(self._why_not[with_jacobian]) from None
        finally:
            stats.seconds += perf_counter() - begin
        stats.kernels += 1
        stats.calls.update(function_name(call.operation.function) for call in code.calls)
        return kernel

    def _counts_where_traced(self, kernel: Kernel) -> tuple[float, ...]:
        """Return the numbers of elements of the sides of branches in the trace."""
        if self._traced_at is None:
            return ()
        try:
            return kernel.run(*self._traced_at).counts
        except OtherWay:  # a call of NumPy fails, and did in the trace
            return ()

    @property
    def has_other_pattern(self) -> bool:
        """Whether NumPy's Jacobian has another pattern."""
        return self._why_not.get(True) is OTHER_PATTERN

    @property
    def is_impure(self) -> bool:
        """Whether a kernel has shown that the function is not pure."""
        return IMPURE in self._why_not.values()

    def reason_to_check(self, with_jacobian: bool, counts: tuple[float, ...]) -> str:
        """Return why a result is to be compared with NumPy's: FIRST, COUNTED, or an empty text.

        The first one is. So is the first for which a side of a branch has another number of
        elements: the code may have used that number, which is a constant of the kernel then. It may
        be the first one too, where the kernel was made later than its trace.
        """
        known = self._counts.get(with_jacobian)
        if known is None:
            self._counts[with_jacobian] = dict(enumerate(counts))
            return FIRST if counts == self._counts_of_trace[with_jacobian] else COUNTED
        if not self.is_new(with_jacobian, counts):
            return ""
        self._counts[with_jacobian] = {k: n for k, n in known.items() if counts[k] == n}
        return COUNTED

    def is_new(self, with_jacobian: bool, counts: tuple[float, ...]) -> bool:
        """Whether a result with such counts is to be compared with NumPy's."""
        return any(counts[k] != number for k, number in self._counts[with_jacobian].items())

    def is_checked(self, with_jacobian: bool) -> bool:
        """Whether a result of the kernel was compared with NumPy's."""
        return with_jacobian in self._counts

    def uncounted(self, with_jacobian: bool, counts: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which results of many members, counts of shape (k, branches), are to be compared.

        See `reason_to_check`.
        """
        unmet = np.zeros(len(counts), dtype=bool)
        for k, number in self._counts[with_jacobian].items():
            unmet |= counts[:, k] != number
        return unmet

    def check(
        self,
        found: Any,
        expected: Any,
        with_jacobian: bool,
        reason: str,
        is_at_fault: Callable[[], bool],
    ) -> None:
        """Compare a result of a kernel with NumPy's; the kernel goes if they differ.

        Who is at fault then, the kernel or a function that is not pure, is asked of `is_at_fault`.

        A Jacobian with other bits is compared again later, see `MOST_ROUNDED`.
        """
        self._repeated.clear()
        same = same_bits(found.F, expected.F)
        if not same and reason is COUNTED:
            self._why_not = dict.fromkeys((False, True), COUNTED)  # the trace holds the number
        elif not same:
            at_fault = is_at_fault()
            self._why_not[with_jacobian] = FAULT if at_fault else IMPURE
            row = np.flatnonzero(np.ravel(found.F) != np.ravel(expected.F))[0]
            warn(
                (WRONGLY_COMPILED if at_fault else NOT_PURE).format(row=row),
                KernelWarning if at_fault else ImpureFunctionWarning,
            )
        elif with_jacobian and not found.pattern.equals(expected.pattern):
            self._why_not[with_jacobian] = OTHER_PATTERN
        elif with_jacobian and not same_bits(found.data, expected.data):
            self._compare_again(_differ_by_rounding(found, expected))

    def _compare_again(self, by_rounding: bool) -> None:
        """Compare the Jacobian again later, or decide whether its kernel serves."""
        self._rounded += 1
        if not by_rounding:
            self._why_not[True] = ROUNDED
        elif self._rounded < MOST_ROUNDED:
            self._waiting = 2**self._rounded - 1
            del self._counts[True]


def _differ_by_rounding(found: Any, expected: Any) -> bool:
    sizes = np.abs(expected.data)
    largest = np.max(sizes, initial=0.0)
    bound = ROUNDING * (sizes + largest * np.finfo(float).eps)
    return bool(np.all(np.abs(found.data - expected.data) <= bound))


def same_bits(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether arrays have the same values; NaN is equal to NaN."""
    return bool(np.array_equal(a, b) or np.array_equal(a, b, equal_nan=True))
