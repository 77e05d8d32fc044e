"""Random programs compiled: the questions asked of each, and counts over many.

``python -m tests.ad.compiled_programs 20000`` asks twenty thousand; ``--first`` continues. Each is
evaluated three times at both of its points, in double precision. Asked: does the kernel give the
bits of the evaluation that is not compiled; is the pattern the same; is an error of the program an
error of its compiled form.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import warnings
from collections import Counter

import numpy as np

from sgsolve import ad
from sgsolve.ad.kernels import machine, variant
from sgsolve.ad.kernels.stats import CompiledStats
from sgsolve.errors import ImpureFunctionWarning, KernelWarning, SgsolveError

from .random_programs import Program

FAILS = (SgsolveError, ValueError, IndexError, TypeError, ZeroDivisionError, AttributeError)
WRONG = (
    "LLVM failed",
    variant.IMPURE,
    variant.FAULT,
    variant.OTHER_PATTERN,
)  # reasons of a faulty kernel
KEPT = 100  # programs after which memory and machine code are given back


def points(program):
    """Return the points of a program in double precision, the only one that is compiled."""
    return [np.real(x).astype(np.float64) for x in program.points]


def result(program, x, call=0):
    """F and J; None where the result is constant, or the program does not fit this x."""
    try:
        y = program.run(ad.seed(x), call=call)[-1]
        return (np.asarray(y.value), y.jacobian) if isinstance(y, ad.ADArray) else None
    except FAILS:
        return None  # other elements are chosen there, or other integers, and do not fit


def fails(program, x, call):
    """Whether the program ends in an error at x."""
    try:
        program.run(ad.seed(x), call=call)
    except FAILS:
        return True
    return False


def same(found, expected):
    """Whether results have the same bits."""
    F, J = found
    return (
        np.array_equal(F, expected[0], equal_nan=True)
        and np.array_equal(J.indices, expected[1].indices)
        and np.array_equal(J.data, expected[1].data, equal_nan=True)
    )


def ask(program):
    """Compare both points of a program, three times; return the counts of what was compiled."""
    name = f"program {program.number}"
    compiled = ad.compiled(lambda x, call=0: program.run(x, call=call)[-1], at_once=True)
    for call in range(3):
        for x in points(program):
            expected = result(program, x, call)
            if expected is None:
                if fails(program, x, call):
                    _fails_as_well(compiled, x, call, name)
                continue
            before = compiled.stats.compiled
            with warnings.catch_warnings():
                warnings.simplefilter("error", ImpureFunctionWarning)  # a kernel with other bits
                warnings.simplefilter("error", KernelWarning)
                found = compiled.value_and_jacobian(x, call)
            if compiled.stats.compiled == before or same(found, expected):
                continue
            # The order of products may depend on what was evaluated before.
            ad.clear_cache()
            fresh = result(program, x, call)
            np.testing.assert_array_equal(found[0], fresh[0], err_msg=name)
            assert same(found, fresh), name
    reasons = "".join(compiled.stats.reasons)
    assert not any(wrong in reasons for wrong in WRONG), f"{name}: {reasons}"
    return compiled.stats


def _fails_as_well(compiled, x, call, name):
    try:
        compiled.value_and_jacobian(x, call)
    except FAILS:
        return
    raise AssertionError(f"{name}: a result where the program ends in an error")


def find(first, count, report=None):
    """Ask programs; return the failures as (number, message), and counts.

    The counts are the `CompiledStats` of all, how many programs had a kernel, and how many did not,
    by the first reason.
    """
    failures, total, kernels, without = [], CompiledStats(), 0, Counter()
    for number in range(first, first + count):
        if number % KEPT == 0:
            ad.clear_cache()
            machine.clear()
        try:
            stats = ask(Program(number))
        except Exception as error:  # any error at all is a failure of the program
            failures.append((number, f"{type(error).__name__}: {error}"))
            if report is not None:
                report(number, failures[-1][1])
            continue
        total.add(stats)
        kernels += stats.compiled > 0
        if not stats.compiled:
            without[next(map(_kind, stats.reasons), "nothing to evaluate")] += 1
    return failures, total, kernels, without


def _kind(reason):
    """Return a reason without the place in the code."""
    return re.sub(r" in \S+, \S+:\d+$|v\[\d+\]", "", reason)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    os.environ["SGSOLVE_CACHE_DIR"] = ""
    warnings.simplefilter("ignore")
    with np.errstate(all="ignore"):
        failures, total, kernels, without = find(
            options.first, options.count, lambda n, m: print(f"{n}: {m[:300]}", flush=True)
        )
    print(f"{len(failures)} failures in {options.count} programs, {kernels} of which were compiled")
    print(f"{total.kernels} kernels; {total.compiled} evaluations by them, {total.uncompiled} not")
    for reason, times in without.most_common():
        print(f"{times:6d} programs not compiled: {reason}")
    print(f"{total.reasons[variant.ROUNDED]} evaluations: {variant.ROUNDED}")
    return min(len(failures), 1)


if __name__ == "__main__":
    sys.exit(main())
