"""Runs the functions of a kernel for many members in one call: a loop in machine code.

A kernel finds all its arrays by a table of addresses. Members differ in some of them: their x and
results, and the values that depend on their parameters. The loop puts these addresses into the
table for one member after the other.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import machine

NAME = "members"
# P, N, S: the tables of a kernel. `places`: where in P the addresses of a member go.
TEXT = """
define void @members(ptr %P, ptr %N, ptr %S, ptr %functions, i64 %n_functions,
                     ptr %places, i64 %width, ptr %pointers, ptr %flags, i64 %count) {
entry:
  %any = icmp sgt i64 %count, 0
  br i1 %any, label %member, label %end
member:
  %m = phi i64 [ 0, %entry ], [ %m1, %done ]
  %begin = mul i64 %m, %width
  %row = getelementptr i64, ptr %pointers, i64 %begin
  %some = icmp sgt i64 %width, 0
  br i1 %some, label %address, label %call
address:
  %j = phi i64 [ 0, %member ], [ %j1, %address ]
  %from = getelementptr i64, ptr %row, i64 %j
  %value = load i64, ptr %from
  %at = getelementptr i64, ptr %places, i64 %j
  %place = load i64, ptr %at
  %to = getelementptr i64, ptr %P, i64 %place
  store i64 %value, ptr %to
  %j1 = add i64 %j, 1
  %more = icmp slt i64 %j1, %width
  br i1 %more, label %address, label %call
call:
  %f = phi i64 [ 0, %member ], [ 0, %address ], [ %f1, %call ]
  %sum = phi i32 [ 0, %member ], [ 0, %address ], [ %both, %call ]
  %slot = getelementptr ptr, ptr %functions, i64 %f
  %function = load ptr, ptr %slot
  %now = call i32 %function(ptr %P, ptr %N, ptr %S)
  %both = or i32 %sum, %now
  %f1 = add i64 %f, 1
  %again = icmp slt i64 %f1, %n_functions
  br i1 %again, label %call, label %done
done:
  %out = getelementptr i32, ptr %flags, i64 %m
  store i32 %both, ptr %out
  %m1 = add i64 %m, 1
  %next = icmp slt i64 %m1, %count
  br i1 %next, label %member, label %end
end:
  ret void
}
"""
_PROTOTYPE = ctypes.CFUNCTYPE(
    None,
    *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64),
    *(ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64),
)


@functools.cache
def _compiled_loop() -> tuple[machine.Code, Any]:
    """Return the loop, and its code, which has to live as long."""
    code = machine.code_of(TEXT, [NAME])
    return code, code.at(NAME, _PROTOTYPE)


def run_members(
    tables: tuple[int, int, int],
    functions: NDArray[np.uint64],
    places: NDArray[np.int64],
    pointers: NDArray[np.uint64],
) -> NDArray[np.int32]:
    """Run functions for all members.

    Parameters
    ----------
    tables : tuple of int
        Addresses of the kernel's tables: addresses, integers, numbers.
    functions : ndarray, shape (n_functions,)
        Their addresses; at least one.
    places : ndarray, shape (width,)
        Places in the table of addresses that change from member to member.
    pointers : ndarray, shape (k, width)
        What is put there.

    Returns
    -------
    ndarray, shape (k,)
        Floating point flags of each member.
    """
    flags = np.zeros(len(pointers), dtype=np.int32)
    pointers = np.ascontiguousarray(pointers)
    _, loop = _compiled_loop()
    loop(
        *tables, functions.ctypes.data, len(functions), places.ctypes.data, len(places),
        pointers.ctypes.data, flags.ctypes.data, len(pointers),
    )  # fmt: skip
    return flags
