"""What compiled loops call by its address: kernels, and functions of the mathematical library.

These functions are written in LLVM IR and once more in Python, which is what the tests compare
with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..machine import PROTOTYPE
from .loop_struct import Addresses

# The texts of the functions below.
WRITTEN: dict[Callable[..., Any], str] = {}


def run_kernel(plan: Addresses) -> int:
    """Run a kernel; return the floating point flags.

    Parameters
    ----------
    plan : ndarray of int64
        How many functions there are, the addresses of their three tables, and of themselves.
    """
    flags, tables = 0, plan[1:4].tolist()
    for address in plan[4 : 4 + plan[0]].tolist():
        flags |= PROTOTYPE(address)(*tables)
    return flags


def libm_power(table: Addresses, x: float, y: float) -> float:
    """Return x to the power y; `table` holds the address of ``pow``."""
    return float(x**y)


WRITTEN[run_kernel] = """define i64 @run_kernel(ptr %plan) {
entry:
  %count = load i64, ptr %plan
  %p1 = getelementptr i64, ptr %plan, i64 1
  %p2 = getelementptr i64, ptr %plan, i64 2
  %p3 = getelementptr i64, ptr %plan, i64 3
  %t1 = load ptr, ptr %p1
  %t2 = load ptr, ptr %p2
  %t3 = load ptr, ptr %p3
  br label %head
head:
  %k = phi i64 [0, %entry], [%next, %body]
  %flags = phi i32 [0, %entry], [%more, %body]
  %going = icmp slt i64 %k, %count
  br i1 %going, label %body, label %after
body:
  %place = add i64 %k, 4
  %at = getelementptr i64, ptr %plan, i64 %place
  %function = load ptr, ptr %at
  %new = call i32 %function(ptr %t1, ptr %t2, ptr %t3)
  %more = or i32 %flags, %new
  %next = add i64 %k, 1
  br label %head
after:
  %result = sext i32 %flags to i64
  ret i64 %result
}
"""
WRITTEN[libm_power] = """define double @libm_power(ptr %table, double %x, double %y) {
entry:
  %function = load ptr, ptr %table
  %result = call double %function(double %x, double %y)
  ret double %result
}
"""
