"""Compiled loops, bound to the arrays that they read and write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import machine
from .scalar_loops import ScalarLoopPrinter, definitions

HEADER = "declare double @llvm.fabs.f64(double)\ndeclare double @llvm.sqrt.f64(double)\n"


class CompiledLoops:
    """Several functions, compiled together with those that they call.

    Parameters
    ----------
    *functions : callable
        As for `ScalarLoopPrinter`; they return integers.
    """

    def __init__(self, *functions: Callable[..., int]) -> None:
        self._entries = functions
        self._printers: dict[Callable[..., Any], ScalarLoopPrinter] = {}
        self._code: machine.Code | None = None
        self._text = ""
        self._wanted = 0
        self._stored: bool | None = None  # not asked yet

    def text(self) -> str:
        """Return the functions as LLVM IR."""
        self._text = self._text or self._printed()
        return self._text

    def _printed(self) -> str:
        texts, waiting = [HEADER], list(self._entries)
        while waiting:
            function = waiting.pop()
            if function not in self._printers:
                printer = self._printers[function] = ScalarLoopPrinter(function)
                texts.append(printer.text())
                waiting += printer.called
        definitions.cache_clear()  # syntax trees take some megabytes
        return "".join([*texts, *(self._printers[f].entry_text() for f in self._entries)])

    def pays(self, to_load: int, to_compile: int, uses: int = 1) -> bool:
        """Whether they are there, or were asked for so often that making them saves time.

        Parameters
        ----------
        to_load, to_compile : int
            How often, where the machine code is on disk, and where it is not.
        uses : int
            For how many uses they are asked for now.
        """
        if self._code is not None:
            return True
        self._wanted += uses
        if self._stored is None and self._wanted > to_load:
            self._stored = machine.is_known(self.text())
        return self._wanted > (to_load if self._stored else to_compile)

    def bound(self, values: dict[str, Any]) -> list[Callable[[], int]]:
        """Return the functions without parameters, bound to values by name.

        Arrays are read and written in place; they must stay where they are.
        """
        if self._code is None:
            names = [f"entry_{f.__name__}" for f in self._entries]
            self._code = machine.code_of(self.text(), names)
        return [
            _bound(run, self._printers[f].parameters, values)
            for run, f in zip(self._code.functions, self._entries, strict=True)
        ]


def _bound(
    run: machine.RunFunction, parameters: dict[str, str], values: dict[str, Any]
) -> Callable[[], int]:
    arrays = [values[name] for name, a in parameters.items() if a in ("Doubles", "Indices")]
    for array, dtype in zip(arrays, _dtypes(parameters), strict=True):
        if array.dtype != dtype or not array.flags.c_contiguous:
            raise TypeError(f"loops need a contiguous array of {np.dtype(dtype)}")
    addresses = [array.__array_interface__["data"][0] for array in arrays]
    tables = (
        np.array([*addresses, 0], dtype=np.uint64),
        np.array([*(values[n] for n, a in parameters.items() if a == "int"), 0], dtype=np.int64),
        np.array([*(values[n] for n, a in parameters.items() if a == "float"), 0.0]),
    )
    held = arrays, tables, tuple(t.ctypes.data for t in tables)

    def bound() -> int:
        return run(*held[2])

    return bound


def _dtypes(parameters: dict[str, str]) -> list[type]:
    dtypes = {"Doubles": np.float64, "Indices": np.int32}
    return [dtypes[annotation] for annotation in parameters.values() if annotation in dtypes]
