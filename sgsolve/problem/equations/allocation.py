"""Turn a lack of memory in an evaluation into an error that says what to change."""

from __future__ import annotations

from types import TracebackType

from ...errors import OutOfMemoryError


class Allocating:
    """Turns a `MemoryError` of a block into an `OutOfMemoryError`.

    A class, since a generator as context manager takes three times as long.

    Parameters
    ----------
    verb : str
        What the block does, for the message.
    n : int
        Unknowns.
    """

    __slots__ = ("_n", "_verb")

    def __init__(self, verb: str, n: int) -> None:
        self._verb, self._n = verb, n

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, MemoryError) and not isinstance(error, OutOfMemoryError):
            raise OutOfMemoryError(
                f"not enough memory to {self._verb} of {self._n} unknowns ({error}). Use a coarser "
                "mesh, or spread the equations over several computers (sgsolve.distributed)"
            ) from error
