"""The variants of one function: its ways through the code for which there are kernels.

They are a few at a time. The one that served last is tried first. A new one is traced where none
fits and a kernel pays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pattern import Pattern
from . import machine
from .account import STARTING, TRACING, TRACING_UNKNOWN, Account
from .printing.kernel_result import OtherWay
from .running.arguments import Moving
from .running.kernel import Kernel
from .stats import CompiledStats
from .trace_attempts import NotCompiledError
from .variant import Variant, same_bits

# Ways through the code (branches, sizes, constants) for which there are kernels at the same time.
MOST_VARIANTS = 8
# After so many vain attempts nothing is traced any more.
MOST_FAILURES = 3


class VariantSet:
    """The variants of a function, for any threads.

    Parameters
    ----------
    f : callable
        ``f(x, **arguments)``.
    account : Account
        Whether a new variant or kernel pays.
    stats : CompiledStats
        What is made is counted there.

    Attributes
    ----------
    variants : list of Variant
        The one that served last is the first. A change makes another list.
    stopped : str
        Why nothing is compiled any more; empty: it continues.
    moving : Moving
        Which arguments are inputs of the kernels to come.
    """

    def __init__(self, f: Callable[..., Any], account: Account, stats: CompiledStats) -> None:
        self._f, self._account, self._stats = f, account, stats
        self.variants: list[Variant] = []
        self.stopped = ""
        self.moving = Moving()
        self._failures = 0
        self._settled = False  # a trace was made again for its pattern
        self._lock = threading.RLock()

    def stop(self, reason: str) -> None:
        """Drop all kernels, and make no more."""
        with self._lock:  # none is being made
            self.stopped = reason
            self.variants = []

    def put_first(self, variant: Variant) -> None:
        """Try a variant first next time: ways through the code change seldom."""
        known = self.variants
        if known and known[0] is not variant and variant in known:
            with self._lock:
                self.variants = [variant, *(v for v in self.variants if v is not variant)]

    def candidates(
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
        new = self._traced(x, arguments, target)
        if new is not None:
            yield new

    def kernel(self, variant: Variant, with_jacobian: bool) -> Kernel | None:
        """Return the kernel of a variant, a new one if that pays; None if it does not yet.

        Raises
        ------
        NotCompiledError
            If there will be none.
        """
        known = variant.kernel(with_jacobian)
        if known is not None:
            return known
        with self._lock:
            try:
                return variant.make(with_jacobian, self._account.pays, self._stats)
            except NotCompiledError as error:
                self._note_failure(error)
                raise

    def drop_unsettled(self, variant: Variant) -> None:
        """Let the next evaluation be traced, once, if a pattern differs from NumPy's.

        Index arrays that are met for the first time may be new ones in each evaluation: the
        structure of a derivative is a coarser one then.
        """
        if self._settled or not variant.has_other_pattern:
            return
        with self._lock:
            self._settled = True
            self.variants = [v for v in self.variants if v is not variant]

    def is_at_fault(
        self,
        variant: Variant,
        x: NDArray[Any],
        arguments: Mapping[str, Any],
        expected: Any,
        plain: Callable[[], Any],
    ) -> bool:
        """Whether a kernel is wrong, and not a function that is no function of its arguments.

        Such a function gives other values at the same place, or it reads what has changed since the
        trace: a kernel of a new trace is right then.

        Parameters
        ----------
        expected : CompiledResult
            By NumPy.
        plain : callable
            Evaluates it by NumPy once more.
        """
        if not same_bits(plain().F, expected.F):
            return False
        try:
            inputs = self.moving.inputs(arguments)
            new = Variant(self._f, x, arguments, inputs, variant.target)
            kernel = new.make(False, lambda cost: True, self._stats)
            assert kernel is not None
            found = kernel.run(x, new.inputs_of(arguments)).F
        except (NotCompiledError, OtherWay):
            return False
        return not same_bits(np.ravel(found), np.ravel(expected.F))

    def _note_failure(self, error: NotCompiledError) -> None:
        self._failures += error.final
        if self._failures >= MOST_FAILURES:
            self.stopped = str(error)

    def _traced(
        self, x: NDArray[Any], arguments: Mapping[str, Any], target: Pattern | None
    ) -> Variant | None:
        """Trace the present way through the code if that pays."""
        with self._lock:
            if self.stopped:  # by another thread meanwhile
                raise NotCompiledError(self.stopped)
            if len(self.variants) >= MOST_VARIANTS:
                self._drop_changed(arguments, target)
            if len(self.variants) >= MOST_VARIANTS:
                raise NotCompiledError(f"more than {MOST_VARIANTS} ways through the code")
            starting = 0.0 if machine.is_started() else STARTING
            if not self._account.pays(starting + TRACING + TRACING_UNKNOWN * x.size):
                return None
            begin = perf_counter()
            try:
                variant = Variant(self._f, x, arguments, self.moving.inputs(arguments), target)
            except NotCompiledError as error:
                self._note_failure(error)
                raise
            finally:
                self._stats.seconds += perf_counter() - begin
            for name in variant.changed_since(self.variants, arguments):
                self.moving.note_array(name, arguments[name])
            self.variants = [variant, *self.variants]
            return variant

    def _drop_changed(self, arguments: Mapping[str, Any], target: Pattern | None) -> None:
        """Drop the variants for other constants, or another pattern, than the present ones."""
        self.variants = [
            v for v in self.variants if v.changed(arguments) is None and target in (None, v.target)
        ]
