"""Machine code: compiles LLVM IR, and keeps what was compiled.

Compiled functions are kept by their text, in this process and on disk (`object_cache`).
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import platform
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ...errors import InputError
from . import object_cache

RunFunction = Callable[[int, int, int], int]
_SIGNATURE = ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
PROTOTYPE = ctypes.CFUNCTYPE(*_SIGNATURE)
HOLDING = ctypes.PYFUNCTYPE(*_SIGNATURE)  # keeps the interpreter's lock: for calls of Python

_lock = threading.Lock()
_compiled: dict[str, Code] = {}
_found: tuple[str, bytes] = "", b""  # what `is_known` read from disk last, by its key


class LlvmError(Exception):
    """LLVM makes no machine code of a text."""


class Code:
    """Compiled functions; the machine code lives as long as this object.

    Attributes
    ----------
    functions : list of callable
        ``function(addresses, integers, numbers) -> flags``; they release the interpreter's lock.
    addresses : list of int
        Where they are.
    """

    def __init__(self, engine: Any, names: list[str]) -> None:
        self._engine = engine
        self.addresses = [int(engine.get_function_address(name)) for name in names]
        self.functions: list[RunFunction] = [PROTOTYPE(address) for address in self.addresses]

    def at(self, name: str, prototype: Any) -> Any:
        """Return a function of another prototype."""
        return prototype(int(self._engine.get_function_address(name)))


def is_arm() -> bool:
    """Whether the processor is one of ARM's."""
    return platform.machine().lower() in ("aarch64", "arm64")


def is_available() -> bool:
    """Return whether llvmlite is installed, which `compiled` needs.

    Returns
    -------
    bool
        True if it is.

    See Also
    --------
    compiled : Needs it.

    Examples
    --------
    A program that runs with and without llvmlite:

    >>> import numpy as np
    >>> from sgsolve import Problem, ad
    >>> def residual(x):
    ...     return np.exp(x) - 2.0
    >>> fast = ad.compiled(residual) if ad.compiled_is_available() else residual
    >>> Problem(fast).solve([0.0]).x.round(6)
    array([0.693147])
    """
    # To load LLVM takes as long as a hundred evaluations: that is left to the first kernel.
    with suppress(ImportError, ValueError):  # of a module without a specification
        return importlib.util.find_spec("llvmlite") is not None
    return False


def is_started() -> bool:
    """Whether LLVM was loaded in this process."""
    return "llvmlite.binding" in sys.modules


def require_llvmlite() -> None:
    """Raise `InputError` if llvmlite is not installed."""
    if not is_available():
        raise InputError(
            "compiled evaluation needs llvmlite, which is not installed: "
            "pip install 'sgsolve[compiled]', or leave compiled out"
        )


def _llvm() -> Any:
    try:
        import llvmlite.binding
    except (ImportError, OSError) as error:  # a damaged installation
        raise LlvmError(f"llvmlite cannot be loaded: {error}") from error
    return llvmlite.binding


def code_of(mark: str, names: list[str], text: Callable[[], str] | None = None) -> Code:
    """Return the functions of a text, compiled if they are not known; raises `LlvmError`.

    The mark is the text, or stands for it where that has to be written first.
    """
    with _lock:
        known = _compiled.get(mark)
        if known is None:
            known = _compiled[mark] = _new_code(mark, names, text or (lambda: mark))
        return known


def is_known(mark: str) -> bool:
    """Whether a text was compiled before, in this process or one that shares the cache."""
    global _found
    if mark in _compiled:
        return True
    try:
        key = _key(mark)
    except LlvmError:  # `code_of` raises it too
        return False
    stored = object_cache.stored_code(key)
    if stored is not None:
        _found = key, stored
    return stored is not None


@functools.cache
def _host() -> tuple[str, str, str]:
    """Return the name and the features of the processor, and the system; asked for once."""
    llvm = _llvm()

    features = llvm.get_host_cpu_features().flatten()
    return llvm.get_host_cpu_name(), features, llvm.get_process_triple()


def _key(mark: str) -> str:
    llvm = _llvm()

    return object_cache.key(mark.encode(), (llvm.llvm_version_info, *_host()))


@functools.cache
def _target() -> Any:
    llvm = _llvm()

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple()


def _new_code(mark: str, names: list[str], text: Callable[[], str]) -> Code:
    llvm = _llvm()

    key = _key(mark)
    try:
        found, code = _found
        stored = code if found == key else object_cache.stored_code(key)
        if stored is None:
            stored = _compiled_text(text())
            object_cache.store_code(key, stored)
        # What is compiled already needs no features of the processor: to read them takes as long
        # as all that follows.
        machine = _target().create_target_machine(jit=True)
        empty = llvm.parse_assembly("")
        engine = llvm.create_mcjit_compiler(empty, machine)
        engine.remove_module(empty)  # to compile it takes longer than all else
        engine.add_object_file(llvm.ObjectFileRef.from_data(stored))
        engine.finalize_object()
    except RuntimeError as error:  # what llvmlite raises for all that fails in LLVM
        raise LlvmError(str(error)) from error
    return Code(engine, names)


def _compiled_text(text: str) -> bytes:
    """Return machine code for this processor."""
    llvm = _llvm()

    cpu, features, _ = _host()
    machine = _target().create_target_machine(cpu=cpu, features=features, opt=2, jit=True)
    module = llvm.parse_assembly(text)
    module.verify()
    # Nothing is left for LLVM's passes to improve: they take three times as long as the code
    # generator, for the same speed.
    code: bytes = machine.emit_object(module)
    return code


def clear() -> None:
    """Drop what was compiled in this process; what runs keeps its functions."""
    global _found
    with _lock:
        _compiled.clear()
        _found = "", b""
