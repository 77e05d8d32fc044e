"""Arguments of a compiled function beside x: which are inputs of a kernel, and which are constants.

An argument is a constant at first, as in an evaluation that is not compiled: it may become part of
the Jacobian's structure. A number that changes becomes an input, and so does an array whose
contents change several times. Whatever else there is is a constant; another value needs another
kernel.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from ...structures.operands import Contents

SIMPLE = (int, bool, str, bytes, complex, type(None), float, np.generic)
NUMBERS = (float, np.float64)
# So many different contents make an array an input.
MOST_CONTENTS = 3


class Moving:
    """Which arguments change between evaluations.

    Attributes
    ----------
    names : set of str
        Of numbers and arrays of double precision that have changed.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._numbers: dict[str, Any] = {}
        self._changes: dict[str, int] = {}
        self._latest: Any = None

    def note(self, arguments: Mapping[str, Any]) -> None:
        """Note the numbers of an evaluation."""
        if arguments is self._latest:
            return
        self._latest = arguments
        known, names = self._numbers, self.names
        for name, value in arguments.items():
            if type(value) not in NUMBERS or name in names:
                continue
            if known.setdefault(name, value) != value:
                names.add(name)

    def note_array(self, name: str, value: Any) -> None:
        """Note that an array has other contents than when a kernel was made."""
        self._changes[name] = self._changes.get(name, 1) + 1
        if self._changes[name] >= MOST_CONTENTS and value.dtype == np.float64:
            self.names.add(name)

    def inputs(self, arguments: Mapping[str, Any]) -> set[str]:
        """Return the names of the arguments that are inputs of a new kernel."""
        return {
            name
            for name, value in arguments.items()
            if name in self.names
            and (
                type(value) in NUMBERS or (type(value) is np.ndarray and value.dtype == np.float64)
            )
        }


class FixedArguments:
    """The constants for which a kernel was made.

    Parameters
    ----------
    values : mapping of str to value
        Those of all arguments that are constants.
    inputs : collection of str
        The names of the others.
    """

    def __init__(self, values: Mapping[str, Any], inputs: Collection[str]) -> None:
        self._values, self._inputs = dict(values), inputs
        self._latest: Any = None
        self._contents = {
            name: Contents(value) for name, value in values.items() if type(value) is np.ndarray
        }

    def other(self, arguments: Mapping[str, Any]) -> str | None:
        """Return the name of a constant that is another one now; None: all are the same."""
        if arguments is not self._latest:
            if len(arguments) != len(self._values) + len(self._inputs):
                return ""
            for name, known in self._values.items():
                if name not in arguments:
                    return ""
                value = arguments[name]
                if value is not known and name not in self._contents and not _equal(value, known):
                    return name
            self._latest = arguments
        for name, contents in self._contents.items():
            value = arguments[name]
            if not (type(value) is np.ndarray and contents.equal(value)):
                return name
        return None


def _equal(value: Any, known: Any) -> bool:
    """Whether two constants are the same; objects are if they are the same object."""
    return isinstance(value, SIMPLE) and is_same_number(value, known)


def is_same_number(a: Any, b: Any) -> bool:
    """Whether two values are equal and of one type; zeros have the same sign too."""
    if type(a) is not type(b) or a != b:
        return False
    signed = isinstance(a, float | complex | np.inexact) and a == 0.0
    return not signed or repr(a) == repr(b)


def snapshot(inputs: Mapping[str, Any]) -> list[Any]:
    """Return the inputs of an evaluation, with the contents that arrays have now."""
    return [Contents(v) if isinstance(v, np.ndarray) else v for v in inputs.values()]


def same_inputs(known: list[Any], now: list[Any]) -> bool:
    """Whether two snapshots are equal."""
    return all(
        (b.raw == a.raw and a.shape == b.shape and a.dtype == b.dtype)
        if isinstance(a, Contents) and isinstance(b, Contents)
        else is_same_number(a, b)
        for a, b in zip(known, now, strict=True)
    )
