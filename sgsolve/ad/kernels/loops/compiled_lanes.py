"""Compiled loops over many structs, several of which share the instructions of a processor."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import lane_expressions, lane_kinds, lane_loops
from .compiled_loops import HEADER, CompiledLoops
from .lane_kinds import LANES
from .lane_loops import LaneLoopPrinter
from .lane_structs import LaneStructs

DECLARED = f"""declare <{LANES} x double> @llvm.fabs.v{LANES}f64(<{LANES} x double>)
declare <{LANES} x double> @llvm.sqrt.v{LANES}f64(<{LANES} x double>)
declare i64 @llvm.vector.reduce.smax.v{LANES}i64(<{LANES} x i64>)
"""
ENTRY = f"""define i32 @entry_{{0}}(ptr %struct, ptr %which, ptr %results) {{{{
  %bytes = load <{LANES} x i8>, ptr %which, align 1
  %mask = icmp ne <{LANES} x i8> %bytes, zeroinitializer
  %result = call <{LANES} x i64> @lanes_{{0}}_s(<{LANES} x i1> %mask, ptr %struct)
  %short = trunc <{LANES} x i64> %result to <{LANES} x i32>
  store <{LANES} x i32> %short, ptr %results, align 4
  ret i32 0
}}}}
"""
# Groups without a lane that is asked for are left out.
EACH = f"""define void @each(ptr %function, ptr %structs, ptr %which, ptr %results, i64 %count) {{
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %following, %done ]
  %more = icmp slt i64 %k, %count
  br i1 %more, label %one, label %end
one:
  %lanes = getelementptr <{LANES} x i8>, ptr %which, i64 %k
  %bits = load i{8 * LANES}, ptr %lanes, align 1
  %any = icmp ne i{8 * LANES} %bits, 0
  br i1 %any, label %run, label %done
run:
  %at = getelementptr ptr, ptr %structs, i64 %k
  %struct = load ptr, ptr %at
  %to = getelementptr <{LANES} x i32>, ptr %results, i64 %k
  %0 = call i32 %function(ptr %struct, ptr %lanes, ptr %to)
  br label %done
done:
  %following = add i64 %k, 1
  br label %next
end:
  ret void
}}
"""
_EACH = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4, ctypes.c_int64)
Run = Callable[[NDArray[np.int64]], NDArray[np.int32]]


class CompiledLanes(CompiledLoops):
    """Several functions, compiled for `LaneStructs`; see `CompiledLoops`."""

    frame = HEADER + DECLARED, ENTRY, EACH
    printing = *CompiledLoops.printing, lane_expressions, lane_kinds, lane_loops

    printer = LaneLoopPrinter

    def _called(self) -> list[Any]:
        return [(f, ("ptr",)) for f in self.entries]

    def over(self, structs: LaneStructs) -> list[Run]:
        """Return the functions that take such structs, each for many of them in one call.

        They take the numbers of structs, and return the results.
        """
        assert self.are_made(), "the loops cannot be compiled"
        assert self._code is not None
        each = self._code.at("each", _EACH)
        return [
            _over_groups(each, function, structs)
            for function in self._chosen(self._code.addresses, structs.kind)
        ]


def _over_groups(each: Callable[..., None], function: int, structs: LaneStructs) -> Run:
    groups = len(structs.addresses)
    lanes, results = np.zeros(groups * LANES, dtype=np.uint8), np.zeros(groups * LANES, np.int32)
    pointers = function, *(a.ctypes.data for a in (structs.addresses, lanes, results))

    def bound(which: NDArray[np.int64]) -> NDArray[np.int32]:
        assert structs  # as long as the function
        lanes[...] = 0
        lanes[which] = 1
        each(*pointers, groups)
        return results[which]

    return bound
