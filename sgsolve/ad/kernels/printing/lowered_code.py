"""The code of the kernels of a trace, kept on disk: to lower a trace takes as long as tracing it.

It is found by the mark of the trace (`trace_mark`), the versions of what made it, and the files of
this package. Nodes and guards are kept as their numbers in the trace, and loops of ufuncs by name.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import pickle
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from ...assembly.plan import Plan
from ...drivers.traced_evaluation import Trace
from ...programs.graph import Guard, Node
from .. import object_cache
from ..lowering.ufunc_loops import UfuncLoop, loop_with
from .code_writer import CodeWriter
from .kernel_code import KernelCode
from .trace_mark import UFUNCS, TraceMark, UnmarkedError

# A file of a Jacobian with so many entries takes a megabyte.
MOST_ENTRIES = 100_000
NAMED = {name: ufunc for ufunc, name in UFUNCS.items()}


class LoweredCode:
    """The code of the kernels of a trace."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._code: dict[bool, KernelCode] = {}
        self._new: set[bool] = set()
        self._mark: TraceMark | None = None
        if trace.plan.layout.pattern.nnz <= MOST_ENTRIES and object_cache.folder() is not None:
            with suppress(UnmarkedError):
                self._mark = TraceMark(trace)

    def of(self, with_jacobian: bool) -> KernelCode:
        """Return the code for F, or for F and the Jacobian; from disk if it is there."""
        code = self._code.get(with_jacobian) or self._stored(with_jacobian)
        if code is None:
            code = CodeWriter(self._trace, with_jacobian).code()
            self._new.add(with_jacobian)
        self._code[with_jacobian] = code
        return code

    def keep(self, with_jacobian: bool) -> None:
        """Store code on disk that was not there."""
        if self._mark is None or with_jacobian not in self._new:
            return
        self._new.remove(with_jacobian)
        file = io.BytesIO()
        with suppress(UnmarkedError):
            if TraceMark(self._trace).content != self._mark.content:
                return  # an array was changed in place before it was lowered
            _Writer(file, self._trace, self._mark).dump(self._code[with_jacobian])
            object_cache.store_code(self._key(with_jacobian), file.getvalue())

    def _stored(self, with_jacobian: bool) -> KernelCode | None:
        if self._mark is None:
            return None
        content = object_cache.stored_code(self._key(with_jacobian))
        if content is None:
            return None
        code: KernelCode = _Reader(content, self._trace, self._mark).load()
        return code

    def _key(self, with_jacobian: bool) -> str:
        assert self._mark is not None
        return object_cache.key(self._mark.content, (with_jacobian, _versions()))


class _Writer(pickle.Pickler):
    """Writes code without the trace that it belongs to."""

    def __init__(self, file: io.BytesIO, trace: Trace, mark: TraceMark) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._number = mark.number
        self._guards = {id(guard): k for k, guard in enumerate(trace.graph.guards)}

    def persistent_id(self, item: Any) -> Any:
        """Return what stands for a part of the trace, or for a loop; None for all else."""
        if isinstance(item, Node):
            return self._number.get(item)  # one that lowering has added is written itself
        if isinstance(item, UfuncLoop):
            if item.ufunc not in UFUNCS:
                raise UnmarkedError
            return UFUNCS[item.ufunc], item.signature
        if isinstance(item, Guard):
            return "guard", self._guards[id(item)]
        if isinstance(item, Plan):
            return "plan"
        return "trace" if isinstance(item, Trace) else None


class _Reader(pickle.Unpickler):
    """Reads code as that of a trace with the same mark."""

    def __init__(self, content: bytes, trace: Trace, mark: TraceMark) -> None:
        super().__init__(io.BytesIO(content))
        self._trace, self._nodes = trace, mark.nodes

    def persistent_load(self, stands_for: Any) -> Any:
        """Return the part of the trace, or the loop."""
        if isinstance(stands_for, int):
            return self._nodes[stands_for]
        if stands_for == "trace":
            return self._trace
        if stands_for == "plan":
            return self._trace.plan
        first, second = stands_for
        if first == "guard":
            return self._trace.graph.guards[second]
        return _loop(first, second)


@functools.cache
def _loop(name: tuple[str, str], signature: str) -> UfuncLoop | None:
    return loop_with(NAMED[name], signature)


@functools.cache
def _versions() -> str:
    """Return what lowering depends on beside the trace: the files of `ad` among them."""
    state = []
    for folder, _, files in os.walk(Path(__file__).parents[1]):
        for file in files:
            if file.endswith(".py"):
                found = os.stat(os.path.join(folder, file))
                state.append((folder, file, found.st_mtime_ns, found.st_size))
    versions = sys.version, platform.machine(), np.__version__, scipy.__version__
    everything = repr((versions, sorted(state)))
    return hashlib.sha256(everything.encode()).hexdigest()
