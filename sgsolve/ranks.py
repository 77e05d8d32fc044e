"""The ranks of one program that mpiexec started several times, and the test that they do the same.

A linear solver that is spread over the ranks is called by all of them with the same numbers. Each
call compares what the ranks are about to do, so that ranks that differ stop with a message. The end
of the program, with or without an error, is compared in the same way: no rank waits for another one
that has ended.

Rank 0 alone writes: standard output, warnings, progress bars, branches and checkpoints.
"""

from __future__ import annotations

import atexit
import io
import sys
import warnings
import zlib
from collections.abc import Callable
from time import monotonic, sleep
from types import TracebackType
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from .errors import RanksDisagreeError

# A rank that ends by an error waits so many seconds for the others to end by the same one.
PATIENCE = 10.0
END = "ends the program"


class Ranks:
    """The ranks of a communicator.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm
        A communicator that nothing else uses.

    Attributes
    ----------
    number, size : int
        Of this rank, and of all.
    """

    def __init__(self, comm: Any) -> None:
        self._comm = comm
        self.number, self.size = int(comm.Get_rank()), int(comm.Get_size())
        self._ended = self._broken = False

    def agree(self, doing: str, *arrays: NDArray[Any]) -> None:
        """Raise unless all ranks do the same with the same bits.

        Parameters
        ----------
        doing : str
            Continues the subject "rank 0", for the message.
        *arrays : ndarray

        Raises
        ------
        RanksDisagreeError
            On all ranks.
        """
        others, request = self._exchange(doing, arrays)
        request.Wait()
        text = self._difference(others, doing)
        if text:
            raise RanksDisagreeError(text)

    def of_first(self, doing: str, decision: bool) -> bool:
        """Return what rank 0 decides, for decisions by a clock; all ranks do the same then.

        Parameters
        ----------
        doing : str
            As in `agree`.
        decision : bool
            That of this rank.

        Raises
        ------
        RanksDisagreeError
            Another rank does something else.
        """
        found, request = self._collect(doing, int(decision))
        request.Wait()
        first = int(found[0, 1])
        found[:, 1] = first
        text = self._difference(found, doing)
        if text:
            raise RanksDisagreeError(text)
        return bool(first)

    def _exchange(self, doing: str, arrays: tuple[NDArray[Any], ...]) -> tuple[NDArray[Any], Any]:
        """Start to collect the checksums of all ranks; return the array that they will be in."""
        checksum = 0
        for array in arrays:
            checksum = zlib.crc32(np.ascontiguousarray(array).view(np.uint8).data, checksum)
        return self._collect(doing, checksum)

    def _collect(self, doing: str, number: int) -> tuple[NDArray[Any], Any]:
        """Start to collect what all ranks do, and a number of each."""
        # The send buffer has to live until the request is complete: it is a part of the result.
        both = np.zeros((self.size + 1, 2), dtype=np.int64)
        both[self.size] = zlib.crc32(doing.encode()), number
        return both, self._comm.Iallgather(both[self.size], both[: self.size])

    def _difference(self, checksums: NDArray[Any], doing: str) -> str:
        """Return how the ranks differ, or an empty string."""
        checksums = checksums[: self.size]
        if (checksums == checksums[0]).all():
            return ""
        self._broken = True
        texts = self._comm.allgather(doing)
        if len(set(texts)) > 1:
            other = next(k for k in range(self.size) if texts[k] != texts[0])
            return (
                f"the ranks do not do the same: rank 0 {texts[0]}, and rank {other} {texts[other]}"
            )
        others = np.flatnonzero((checksums != checksums[0]).any(axis=1))
        named = ", ".join(str(k) for k in others[:5]) + (" and more" if len(others) > 5 else "")
        return (
            f"the ranks hold different numbers: rank {named} {doing}, with other values than rank "
            "0. Every rank must compute the same bits: use no rank number, no clock and no "
            "random numbers without a fixed seed, and the same kind of processor for all ranks"
        )

    def end(self) -> None:
        """Wait for the end of the program on all ranks; stop all where another one goes on."""
        if self._ended or self._broken:
            return
        try:
            self.agree(END)
        except RanksDisagreeError as error:
            if self.number > 0:
                sleep(PATIENCE)
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            self.abort()

    def fail(self, report: Callable[[], None], text: str) -> None:
        """Report an error that ends the program: once if all ranks end so, else here, and stop all.

        Parameters
        ----------
        report : callable
            Prints the error.
        text : str
            The error as one text, to compare it with that of the other ranks.
        """
        known = self._broken
        same = not known and self._all_fail(f"stops with {text}")
        if known and self.number > 0:
            sleep(PATIENCE)  # rank 0 has found the same difference: it reports, and stops all
        if self.number == 0 or not same:
            report()
        if not same:
            self.abort()
        self._ended = True

    def _all_fail(self, doing: str) -> bool:
        """Return whether all ranks end by the same error, soon."""
        found, request = self._exchange(doing, ())
        deadline = monotonic() + PATIENCE
        while not request.Test():
            if monotonic() > deadline:
                return False
            sleep(0.01)
        return not self._difference(found, doing)

    def abort(self) -> NoReturn:
        """End the program on all ranks."""
        sys.stderr.flush()
        self._comm.Abort(1)
        raise SystemExit(1)

    def concatenated(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the arrays of all ranks, one after the other."""
        return np.concatenate(self._comm.allgather(array))


_ranks: Ranks | None = None


def join(comm: Any) -> None:
    """Run this program on the ranks of a communicator from here on, if there are several.

    Standard output and warnings of all ranks but the first are dropped from here on.
    """
    global _ranks
    if _ranks is not None or comm.Get_size() == 1:
        return
    ranks = _ranks = Ranks(comm)
    if ranks.number > 0:
        sys.stdout = Nowhere()
        warnings.showwarning = _no_warning
    previous = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        ranks.fail(lambda: previous(kind, error, at), f"{kind.__name__}: {error}")

    sys.excepthook = hook
    atexit.register(ranks.end)


class Nowhere(io.TextIOBase):
    """A text file that keeps nothing."""

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Return the length of the text."""
        return len(text)


def _no_warning(*_: Any, **__: Any) -> None:
    """Show nothing."""


def rank() -> int:
    """Return the number of this rank; 0 for a program that runs once."""
    return 0 if _ranks is None else _ranks.number


def size() -> int:
    """Return the number of ranks; 1 for a program that runs once."""
    return 1 if _ranks is None else _ranks.size


def agree(doing: str, *arrays: NDArray[Any]) -> None:
    """Raise `RanksDisagreeError` unless all ranks do the same with the same bits."""
    if _ranks is not None:
        _ranks.agree(doing, *arrays)


def of_first(doing: str, decision: bool) -> bool:
    """Return a decision by a clock: that of rank 0 on all ranks, which call it together."""
    return decision if _ranks is None else _ranks.of_first(doing, decision)


def concatenated(array: NDArray[Any]) -> NDArray[Any]:
    """Return the arrays of all ranks, one after the other; all ranks call it together."""
    return array if _ranks is None else _ranks.concatenated(array)
