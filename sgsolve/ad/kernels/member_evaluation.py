"""Evaluations of a function for many members, by as few calls of kernels as possible.

A kernel that was made and compared with NumPy serves all members for which it is valid in one call.
Every other member is evaluated as a single function is, which also makes new kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arrays import IndexArray
from ...pattern import Pattern
from .compiled_evaluation import FEW_UNKNOWNS, CompiledEvaluation, CompiledResult
from .printing.kernel_result import OVERFLOW, UNDERFLOW
from .running.arguments import NUMBERS
from .running.kernel import Kernel
from .running.member_kernel import MemberKernel
from .trace_attempts import NotCompiledError
from .variant import Variant

UNKNOWN, NO, YES = -1, 0, 1


class MemberLinearization(NamedTuple):
    """F and the values of the Jacobians of some members, shapes (k, m) and (k, nnz)."""

    F: NDArray[Any]
    data: NDArray[Any]


class MemberEvaluation:
    """Evaluates a function of x and further arguments for many members.

    Parameters
    ----------
    evaluation : CompiledEvaluation
        It owns the kernels.
    arguments : sequence of mapping
        The arguments of every member beside x; they do not change.
    varying : collection of str
        Which of them differ between the members.
    """

    def __init__(
        self,
        evaluation: CompiledEvaluation,
        arguments: Sequence[Mapping[str, Any]],
        varying: Collection[str],
    ) -> None:
        evaluation.note_varying(varying)
        self._evaluation, self._arguments = evaluation, arguments
        self._group = _groups(arguments, varying)
        self._fits: dict[Variant, NDArray[np.int8]] = {}
        self._kernels: dict[Kernel, MemberKernel] = {}
        self._target: Pattern | None = None  # of the last Jacobians

    @property
    def n_compiled(self) -> int:
        """How many evaluations kernels have made, of any members."""
        return self._evaluation.stats.compiled

    def values(
        self, x: NDArray[Any], members: IndexArray, plain: Callable[[int], NDArray[Any]]
    ) -> NDArray[Any]:
        """Return F of some members, shape (k, m); ``plain(j)`` evaluates row j by NumPy."""
        rows: list[Any] = [None] * len(members)

        def single(j: int) -> None:
            arguments = self._arguments[int(members[j])]
            rows[j] = self._evaluation.value(x[j], arguments, lambda: plain(j))

        def take(found: IndexArray, F: NDArray[Any], data: NDArray[Any] | None) -> None:
            for j, row in zip(found.tolist(), F, strict=True):
                rows[j] = row

        target = self._target if x.shape[1] <= FEW_UNKNOWNS else None
        if target is not None and self._ready(x, members, 0, target, True, set()) is None:
            target = None
        # The kernel for F and J is there in any case. What depends on the parameters of a member is
        # computed for one kernel only.
        self._run(x, members, target, target is not None, single, take)
        return np.array(rows)

    def linearized(
        self,
        x: NDArray[Any],
        members: IndexArray,
        target: Pattern,
        plain: Callable[[int], CompiledResult],
    ) -> MemberLinearization | None:
        """Return F and the values of the Jacobians on a pattern; None if the pattern grew."""
        F, data = np.empty((0, x.shape[1])), np.empty((0, target.nnz))
        self._target, grown = target, False

        def allocate() -> None:
            nonlocal F, data
            if not len(F):
                F, data = (np.empty((len(members), a.shape[1])) for a in (F, data))

        def single(j: int) -> None:
            nonlocal grown
            arguments = self._arguments[int(members[j])]
            found = self._evaluation.linearized(x[j], arguments, target, lambda: plain(j))
            grown = grown or found.pattern is not target
            if not grown:
                allocate()
                F[j], data[j] = found.F, found.data

        def take(found: IndexArray, values: NDArray[Any], entries: NDArray[Any] | None) -> None:
            nonlocal F, data
            assert entries is not None
            if len(found) == len(members):  # nothing is copied
                F, data = values, entries
            else:
                allocate()
                F[found], data[found] = values, entries

        self._run(x, members, target, True, single, take)
        return None if grown else MemberLinearization(F, data)

    def _run(
        self,
        x: NDArray[Any],
        members: IndexArray,
        target: Pattern | None,
        with_jacobian: bool,
        single: Callable[[int], None],
        take: Callable[[IndexArray, NDArray[Any], NDArray[Any] | None], None],
    ) -> None:
        """Evaluate all rows: by kernels for many at once, and the others one by one."""
        left, tried = np.arange(len(members)), set[Variant]()
        while len(left):
            variant = self._ready(x, members, int(left[0]), target, with_jacobian, tried)
            if variant is None:
                alike = self._group[members[left]] == self._group[members[left[0]]]
                self._evaluation.account.upcoming = int(alike.sum()) - 1
                single(int(left[0]))
                left = left[1:]
                continue
            tried.add(variant)
            fitting = self._fitting(variant, x, members[left], target, with_jacobian)
            fit = left[fitting]
            given = x if len(fit) == len(x) else x[fit]
            found = self._kernel(variant, with_jacobian).run(given, members[fit])
            good = found.valid & ~variant.uncounted(with_jacobian, found.counts)
            if with_jacobian:
                good &= (found.flags & (OVERFLOW | UNDERFLOW)) == 0
            F, data = found.F, found.data
            if not good.all():
                F, data = F[good], None if data is None else data[good]
            take(fit[good], F, data)
            self._evaluation.stats.compiled += int(good.sum())
            left = left[~np.isin(left, fit[good])]
        self._evaluation.account.upcoming = 0

    def _ready(
        self,
        x: NDArray[Any],
        members: IndexArray,
        j: int,
        target: Pattern | None,
        with_jacobian: bool,
        tried: set[Variant],
    ) -> Variant | None:
        """Return a variant with a kernel for many members that fits row j, if there is one."""
        for variant in self._with_kernels(with_jacobian):
            fits = self._fitting(variant, x, members[j : j + 1], target, with_jacobian)
            if variant not in tried and fits[0]:
                return variant
        return None

    def takes_many(self) -> bool:
        """Whether one call may compute F and J of many members."""
        return any(self._with_kernels(with_jacobian=True))

    def _with_kernels(self, with_jacobian: bool) -> Iterator[Variant]:
        """Yield the variants with kernels for many members."""
        for variant in self._evaluation.variants:
            with suppress(NotCompiledError):
                kernel = variant.kernel(with_jacobian)
                if kernel is None or not variant.is_checked(with_jacobian):
                    continue
                if MemberKernel.serves(kernel):
                    yield variant

    def _fitting(
        self,
        variant: Variant,
        x: NDArray[Any],
        members: IndexArray,
        target: Pattern | None,
        with_jacobian: bool,
    ) -> NDArray[np.bool_]:
        """Return for which members a variant may serve."""
        if with_jacobian and variant.target is not target:
            return np.zeros(len(members), dtype=bool)
        known = self._fits.get(variant)
        if known is None:
            known = np.full(len(self._arguments), UNKNOWN, dtype=np.int8)
            self._fits[variant] = known
        for m in members[known[members] == UNKNOWN].tolist():
            fits = variant.fits(x[0], self._arguments[m], None, False)
            known[m] = YES if fits else NO
        fitting: NDArray[np.bool_] = known[members] == YES
        return fitting

    def _kernel(self, variant: Variant, with_jacobian: bool) -> MemberKernel:
        kernel = variant.kernel(with_jacobian)
        assert kernel is not None
        known = self._kernels.get(kernel)
        if known is None:
            arguments = self._arguments
            known = self._kernels[kernel] = MemberKernel(
                kernel, lambda m: variant.inputs_of(arguments[m]), len(arguments)
            )
        return known


def _groups(arguments: Sequence[Mapping[str, Any]], varying: Collection[str]) -> IndexArray:
    """Return numbers of groups of members that one kernel may serve.

    Numbers and arrays of double precision are inputs of kernels; all else are constants.
    """
    numbers: dict[Any, int] = {}
    groups = []
    for given in arguments:
        constants = tuple(
            (type(given[name]), repr(given[name]))
            for name in sorted(varying)
            if not (type(given[name]) in NUMBERS or _is_double(given[name]))
        )
        groups.append(numbers.setdefault(constants, len(numbers)))
    return np.array(groups, dtype=np.int64)


def _is_double(value: Any) -> bool:
    return type(value) is np.ndarray and value.dtype == np.float64
