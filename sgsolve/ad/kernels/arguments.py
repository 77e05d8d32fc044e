"""Arguments of a compiled function beside x: which are inputs of a kernel, and which are constants.

Numbers of double precision are inputs. An array is a constant at first, as in an evaluation that is
not compiled: its contents may become part of the Jacobian's structure. One whose contents change
becomes an input. Whatever else there is is a constant; another value needs another kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..structures.operands import Contents

SIMPLE = (int, bool, str, bytes, complex, type(None), np.generic)
# So many different contents make an array an input.
MOST_CONTENTS = 3


class Split:
    """Splits arguments into inputs and constants.

    Attributes
    ----------
    moving : set of str
        Names of arrays that are inputs.
    """

    def __init__(self) -> None:
        self.moving: set[str] = set()
        self._changes: dict[str, int] = {}

    def is_input(self, name: str, value: Any) -> bool:
        """Whether an argument is an input of kernels."""
        kind = type(value)
        if kind is float or kind is np.float64:
            return True
        return kind is np.ndarray and name in self.moving and value.dtype == np.float64

    def __call__(self, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return constants and inputs."""
        constants: dict[str, Any] = {}
        inputs: dict[str, Any] = {}
        for name, value in arguments.items():
            (inputs if self.is_input(name, value) else constants)[name] = value
        return constants, inputs

    def note_change(self, name: str) -> None:
        """Note that an array has other contents than when a kernel was made."""
        self._changes[name] = self._changes.get(name, 1) + 1
        if self._changes[name] >= MOST_CONTENTS:
            self.moving.add(name)


class FixedArguments:
    """The constants for which a kernel was made.

    Parameters
    ----------
    values : mapping of str to value
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)
        self._contents = {
            name: Contents(value) for name, value in values.items() if type(value) is np.ndarray
        }

    def other(self, values: Mapping[str, Any]) -> str | None:
        """Return the name of an argument that is another one now; None: all are the same."""
        if values.keys() != self._values.keys():
            return ""
        for name, value in values.items():
            contents = self._contents.get(name)
            if contents is not None:
                if not (type(value) is np.ndarray and contents.equal(value)):
                    return name
                continue
            known = self._values[name]
            if value is not known and not (
                type(value) is type(known) and isinstance(value, SIMPLE) and value == known
            ):
                return name
        return None
