"""The order in which back ends are tried when one fails.

A new analysis cures a stale analysis of PARDISO. Its other pivoting cures a weak diagonal on which
its matching fails. SuperLU, with partial pivoting, solves weak equations in arbitrary order, and
with pivots on the diagonal those that cancellation would spoil. What neither can solve is reported
as singular. The back end that succeeded is kept for the pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .checks.accuracy import Fault
from .methods.direct.pardiso import Pardiso, available
from .methods.direct.superlu import SuperLU

# Larger systems are not given to SuperLU only to confirm that they are singular.
CONFIRM_UP_TO = 100_000


def fallbacks(backend: Any, fault: Fault, n: int, fresh: bool) -> Iterator[Callable[[], Any]]:
    """Yield makers of the back ends to try next, nearest first.

    Parameters
    ----------
    backend : Backend
        The one that failed. It comes first itself, to be analyzed again, if its analysis reads
        values and was made for other values than the present ones.
    n : int
        Number of unknowns.
    fresh : bool
        Whether `backend` was analyzed on the present values.
    """
    if not fresh and reads_values(backend):
        yield lambda: backend
    inaccurate = fault in (Fault.INACCURATE, Fault.UNDECIDED)
    own = getattr(backend, "alternatives", None)
    if own is not None:
        yield from own(inaccurate)
    elif available():
        yield lambda: _with_blocks(Pardiso(), getattr(backend, "blocks", ()))
    confirming = fault is Fault.NO_DIGITS and n > CONFIRM_UP_TO
    if type(backend) is not SuperLU and not confirming:
        yield SuperLU
        if inaccurate:
            yield lambda: SuperLU("diagonal")


def _with_blocks(backend: Pardiso, blocks: tuple[Any, ...]) -> Pardiso:
    """Give the blocks of the problem to a back end that orders by nodes."""
    backend.blocks = blocks
    return backend


def reads_values(backend: Any) -> bool:
    """Whether an analysis may go stale; assumed of back ends that do not say."""
    return bool(getattr(backend, "reads_values", True))
