"""Compiled loops, bound to the arrays that they read and write."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any, TypeVar

from ....errors import KernelWarning
from ....user_warnings import warn
from .. import machine
from . import scalar_expressions, scalar_loops
from .loop_struct import KINDS, LoopStruct
from .outer_calls import WRITTEN
from .scalar_expressions import annotations_of, struct_of
from .scalar_loops import ScalarLoopPrinter, SourceChangedError, definitions

T = TypeVar("T")
HEADER = "declare double @llvm.fabs.f64(double)\ndeclare double @llvm.sqrt.f64(double)\n"
ENTRY = """define i32 @entry_{0}(ptr %struct, ptr %1, ptr %2) {{
  %result = call i64 @{0}(ptr %struct)
  %short = trunc i64 %result to i32
  ret i32 %short
}}
"""


class CompiledLoops:
    """Several functions, compiled together with those that they call.

    Parameters
    ----------
    *functions : callable
        As for `ScalarLoopPrinter`, with one parameter, a `LoopStruct`; they return integers.
    """

    frame: tuple[str, ...] = (HEADER, ENTRY)  # what is around the functions
    printing: tuple[Any, ...] = (scalar_loops, scalar_expressions)
    printer: type[Any] = ScalarLoopPrinter

    def __init__(self, *functions: Callable[[Any], int]) -> None:
        self.entries = functions
        self._code: machine.Code | None = None
        self._mark = ""
        self._wanted = 0
        self._stored: bool | None = None  # not asked yet
        self._failed = False

    def text(self) -> str:
        """Return the functions as LLVM IR; raises `SourceChangedError`."""
        header, entry, *further = self.frame
        texts, waiting, printed = [header, *further], self._called(), set[Any]()
        while waiting:
            function = waiting.pop()
            if function not in printed:
                printed.add(function)
                printer = self.printer(function)
                texts.append(printer.text())
                waiting += printer.called
        definitions.cache_clear()  # syntax trees take some megabytes
        return "".join([*texts, *(entry.format(f.__name__) for f in self.entries)])

    def _called(self) -> list[Any]:
        """Return the functions as the printer takes them."""
        return list(self.entries)

    def mark(self) -> str:
        """Return a text that differs where `text` would; it takes no source, and less time."""
        if not self._mark:
            digest = hashlib.sha256("".join([sys.version, *self.frame]).encode())
            for f in _functions_in(*self.printing):
                digest.update(repr(_mark_of(f.__code__)).encode())
            for mark in _marks_of_loops(self.entries):
                digest.update(mark.encode())
            self._mark = digest.hexdigest()
        return self._mark

    def pays(self, to_load: int, to_compile: int, uses: int = 1) -> bool:
        """Whether they are there, or were asked for so often that making them saves time.

        Parameters
        ----------
        to_load, to_compile : int
            How often, where the machine code is on disk, and where it is not.
        uses : int
            For how many uses they are asked for now.
        """
        if self._code is not None or self._failed:
            return not self._failed
        self._wanted += uses
        if self._stored is None and self._wanted > to_load:
            self._stored = machine.is_known(self.mark())
        return self._wanted > (to_load if self._stored else to_compile)

    def are_made(self) -> bool:
        """Whether the functions can be bound; they are compiled now if they are not.

        Warns
        -----
        KernelWarning
            Once, where they cannot be compiled.
        """
        if self._code is None and not self._failed:
            names = [f"entry_{f.__name__}" for f in self.entries]
            try:
                self._code = machine.code_of(self.mark(), names, self.text)
            except (SourceChangedError, machine.LlvmError) as error:
                self._failed = True
                warn(
                    f"the loops of short solves are not compiled, solves take longer: {error}; "
                    "start a new process",
                    KernelWarning,
                )
        return self._code is not None

    def bound(self, struct: LoopStruct, holding: bool = False) -> list[Callable[[], int]]:
        """Return the functions that take such a struct, without parameters, bound to it.

        Parameters
        ----------
        holding : bool
            Keep the interpreter's lock: for loops that call functions of Python.
        """
        assert self.are_made(), "the loops cannot be compiled"
        assert self._code is not None
        found = self._code.functions
        if holding:
            found = [machine.HOLDING(address) for address in self._code.addresses]
        return [_bound(run, struct) for run in self._chosen(found, type(struct))]

    def _chosen(self, found: list[T], kind: type[LoopStruct]) -> list[T]:
        """Return what is found of the functions that take such a struct."""
        return [
            one
            for one, f in zip(found, self.entries, strict=True)
            if issubclass(kind, struct_of(f, next(iter(annotations_of(f)))))
        ]


def _bound(run: machine.RunFunction, struct: LoopStruct) -> Callable[[], int]:
    def bound() -> int:
        return run(struct.address, 0, 0)

    return bound


def _marks_of_loops(entries: tuple[Callable[..., Any], ...]) -> Iterator[str]:
    """Yield what the text of functions depends on: their codes, structs and numbers."""
    waiting: list[Any] = list(entries)
    known = set[Any]()
    while waiting:
        f = waiting.pop()
        if f in known:
            continue
        known.add(f)
        of = annotations_of(f)
        structs = {struct_of(f, name) for name, a in of.items() if a not in KINDS} - known
        known |= structs
        named = {name: f.__globals__.get(name) for name in f.__code__.co_names}
        numbers = {name: v for name, v in named.items() if isinstance(v, int | float)}
        waiting += [v for v in named.values() if isinstance(v, FunctionType)]
        fields = [struct.fields for struct in structs]
        code = WRITTEN.get(f) or _mark_of(f.__code__)
        yield repr((f.__name__, f.__annotations__, fields, numbers, code))


def _mark_of(code: CodeType) -> tuple[Any, ...]:
    constants = [_mark_of(c) if isinstance(c, CodeType) else c for c in code.co_consts]
    return code.co_code, constants, code.co_names, code.co_varnames


def _functions_in(*modules: Any) -> Iterator[FunctionType]:
    """Yield the functions and methods that modules define."""
    for module in modules:
        own = [v for v in vars(module).values() if getattr(v, "__module__", "") == module.__name__]
        for value in own:
            members = vars(value).values() if isinstance(value, type) else (value,)
            yield from (m for m in members if isinstance(m, FunctionType))
