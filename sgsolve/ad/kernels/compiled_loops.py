"""Compiled loops, bound to the arrays that they read and write."""

from __future__ import annotations

import ctypes
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...user_warnings import warn
from . import machine, scalar_expressions, scalar_loops
from .loop_struct import KINDS, LoopStruct
from .scalar_expressions import annotations_of, struct_of
from .scalar_loops import ScalarLoopPrinter, SourceChangedError, definitions

HEADER = "declare double @llvm.fabs.f64(double)\ndeclare double @llvm.sqrt.f64(double)\n"
ENTRY = """define i32 @entry_{0}(ptr %struct, ptr %1, ptr %2) {{
  %result = call i64 @{0}(ptr %struct)
  %short = trunc i64 %result to i32
  ret i32 %short
}}
"""


EACH = """define void @each(ptr %function, ptr %structs, ptr %results, i64 %count) {
entry:
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %one, label %end
one:
  %k = phi i64 [ 0, %entry ], [ %following, %one ]
  %at = getelementptr ptr, ptr %structs, i64 %k
  %struct = load ptr, ptr %at
  %result = call i32 %function(ptr %struct, ptr null, ptr null)
  %to = getelementptr i32, ptr %results, i64 %k
  store i32 %result, ptr %to
  %following = add i64 %k, 1
  %more = icmp slt i64 %following, %count
  br i1 %more, label %one, label %end
end:
  ret void
}
"""
_EACH = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)


class CompiledLoops:
    """Several functions, compiled together with those that they call.

    Parameters
    ----------
    *functions : callable
        As for `ScalarLoopPrinter`, with one parameter, a `LoopStruct`; they return integers.
    """

    def __init__(self, *functions: Callable[[Any], int]) -> None:
        self._entries = functions
        self._code: machine.Code | None = None
        self._mark = ""
        self._wanted = 0
        self._stored: bool | None = None  # not asked yet
        self._failed = False

    def text(self) -> str:
        """Return the functions as LLVM IR; raises `SourceChangedError`."""
        texts, waiting, printed = [HEADER], list(self._entries), set[Callable[..., Any]]()
        while waiting:
            function = waiting.pop()
            if function not in printed:
                printed.add(function)
                printer = ScalarLoopPrinter(function)
                texts.append(printer.text())
                waiting += printer.called
        definitions.cache_clear()  # syntax trees take some megabytes
        return "".join([EACH, *texts, *(ENTRY.format(f.__name__) for f in self._entries)])

    def mark(self) -> str:
        """Return a text that differs where `text` would; it takes no source, and less time."""
        if not self._mark:
            digest = hashlib.sha256("".join([sys.version, HEADER, ENTRY, EACH]).encode())
            for f in _functions_in(scalar_loops, scalar_expressions):
                digest.update(repr(_mark_of(f.__code__)).encode())
            for mark in _marks_of_loops(self._entries):
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
        UserWarning
            Once, where they cannot be compiled.
        """
        if self._code is None and not self._failed:
            names = [f"entry_{f.__name__}" for f in self._entries]
            try:
                self._code = machine.code_of(self.mark(), names, self.text)
            except (SourceChangedError, machine.LlvmError) as error:
                self._failed = True
                warn(
                    f"the loops of short solves are not compiled, solves take longer: {error}; "
                    "start a new process",
                    UserWarning,
                )
        return self._code is not None

    def bound(self, struct: LoopStruct) -> list[Callable[[], int]]:
        """Return the functions that take such a struct, without parameters, bound to it."""
        assert self.are_made(), "the loops cannot be compiled"
        assert self._code is not None
        return [
            _bound(run, struct)
            for run, f in zip(self._code.functions, self._entries, strict=True)
            if isinstance(struct, _struct_taken_by(f))
        ]

    def over(
        self, structs: Sequence[LoopStruct]
    ) -> list[Callable[[NDArray[np.int64]], NDArray[np.int32]]]:
        """Return the functions that take such structs, each for many of them in one call.

        They take the numbers of structs, and return the results.
        """
        assert self.are_made(), "the loops cannot be compiled"
        assert self._code is not None
        each = self._code.at("each", _EACH)
        return [
            _bound_over(each, function, structs)
            for function, f in zip(self._code.addresses, self._entries, strict=True)
            if isinstance(structs[0], _struct_taken_by(f))
        ]


def _struct_taken_by(function: Callable[..., Any]) -> type[LoopStruct]:
    return struct_of(function, next(iter(annotations_of(function))))


def _bound(run: machine.RunFunction, struct: LoopStruct) -> Callable[[], int]:
    def bound() -> int:
        return run(struct.address, 0, 0)

    return bound


def _bound_over(
    each: Any, function: int, structs: Sequence[LoopStruct]
) -> Callable[[NDArray[np.int64]], NDArray[np.int32]]:
    addresses = np.array([struct.address for struct in structs], dtype=np.uint64)
    held = tuple(structs)  # as long as the function

    def bound(which: NDArray[np.int64]) -> NDArray[np.int32]:
        assert held
        given, results = addresses[which], np.empty(len(which), dtype=np.int32)
        each(function, given.ctypes.data, results.ctypes.data, len(which))
        return results

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
        yield repr((f.__name__, f.__annotations__, fields, numbers, _mark_of(f.__code__)))


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
