"""Random programs over all that `ad` can do, and the questions asked of each of them.

``python -m tests.ad.random_programs 1000000`` runs a million; ``--first`` continues, ``--show``
prints one. A program is a list of expressions over earlier results, made from its number alone.
Asked: is the value NumPy's, to the last bit; is the Jacobian that of a dense forward mode in
extended precision; does the pattern from `seed_sparsity` hold it, here and at another x; does the
second evaluation on a used cache agree with one on an empty cache.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from unittest import mock

import numpy as np

from sgsolve import ad
from sgsolve.ad.programs import computation as evaluation
from sgsolve.ad.programs.element_loops import row_tables

from . import dense, judge
from .writer import LARGEST, Writer, evaluate


class Program:
    def __init__(self, number, length=8):
        writer = Writer(number, length)
        self.number, self.fixed, self.points = number, writer.fixed, writer.points
        self.sources, self.constants = writer.sources, writer.constants
        self.moving = writer.moving

    def run(self, x, module=ad, call=0):
        """All results, the last of which is the answer."""
        env, constants = [x], list(self.constants)
        for k, arrays in self.moving.items():
            constants[k] = arrays[call % len(arrays)]
        if module is judge:
            constants = [dense.Constant(c) if hasattr(c, "toarray") else c for c in constants]
        for source in self.sources:
            env.append(evaluate(source, env, constants, module))
        return env

    def __str__(self):
        lines = [f"# program {self.number}: x = {self.points[0]!r} {self.points[0].dtype}"]
        lines += [f"v[{k + 1}] = {source}" for k, source in enumerate(self.sources)]
        used = " ".join(self.sources)
        lines += [f"c[{k}] = {c!r}" if not hasattr(c, "toarray") else
                  f"c[{k}] = {type(c).__name__}({c.toarray().tolist()!r})"
                  for k, c in enumerate(self.constants) if f"c[{k}]" in used]  # fmt: skip
        return "\n".join(lines)


class MismatchError(AssertionError):
    pass


def close(J, exact, scale, eps):
    with np.errstate(all="ignore"):
        error = np.abs(J - exact)
        known = np.isfinite(exact)
        return bool(np.all(error[known] <= eps * scale))


def tolerance(values, constants):
    """1e-12 where everything is double; single precision anywhere limits all that follows."""
    parts = [*values, *[c for c in constants if hasattr(c, "dtype")]]
    single = any(np.asarray(v).dtype in (np.float32, np.complex64) if not hasattr(v, "toarray")
                 else v.dtype == np.float32 for v in parts)  # fmt: skip
    return 2e-4 if single else 1e-12


# Complex numbers inside a function, and products of arrays of objects, differ in the last bit.
ROUNDED = ("spun", "1j", "nested(")
# Loops over more elements than these are no longer recorded, see `row_tables`.
FEW_READS = (0, 10, row_tables.FEW_READS)


def reads_before_rows(number):
    """Return how many elements a program reads before numbers are rows."""
    few = FEW_READS[number % len(FEW_READS)]
    return mock.patch.object(row_tables, "FEW_READS", few)


def ask(program, fresh=False):
    """Raise MismatchError where ad and the judge disagree on any result of the program."""
    with reads_before_rows(program.number):
        _ask(program, fresh)


def _ask(program, fresh):
    sparsity = program.run(ad.seed_sparsity(program.points[0]))
    for x in program.points:
        first = x is program.points[0]
        try:
            plain = program.run(x)
            judged = program.run(dense.seed(x), judge)
        except Exception:
            if first:
                raise
            continue  # other elements are chosen there, or other integers, and do not fit
        latest = None
        # The second or third time, what was recorded has become a program.
        for k in range(6 if program.moving else 3):
            call = k + 6 * (not first)
            if program.moving and call:
                try:
                    plain = program.run(x, call=call)
                    judged = program.run(dense.seed(x), judge, call)
                except Exception:
                    continue  # as above
            got = program.run(ad.seed(x), call=call)
            _compare(program, plain, judged, got, sparsity, first and not call)
            latest = call, got[-1]
        if fresh and latest is not None and not first:
            ad.clear_cache()
            eps = 0.1 * tolerance(plain, program.constants)
            _agree(latest[1], program.run(ad.seed(x), call=latest[0])[-1], eps)


def _compare(program, plain, judged, got, sparsity, first):
    eps = tolerance(plain, program.constants)
    scale = dense.Steepness.largest
    rounded = any(any(word in source for word in ROUNDED) for source in program.sources)
    for k, (p, j, g, s) in enumerate(zip(plain, judged, got, sparsity, strict=True)):
        p = np.asarray(p)
        if p.dtype.kind in "ifc" and np.abs(value_of(p)).max(initial=0) > 1e3 * LARGEST:
            return  # about to overflow: integers wrap around, single precision is infinite
        rounded = rounded or p.dtype.kind == "c"
        _same_value(k, p, j, g, s if first else None, eps, rounded)
        if isinstance(j, dense.Dense):
            size = np.abs(j.t[np.isfinite(j.t)]).max(initial=0.0)
            scale = max(scale, float(size), float(np.abs(value_of(p)).max(initial=0.0)))
            if scale > 1e10:
                return
            if k == len(plain) - 1 and isinstance(g, ad.ADArray):
                _same_jacobian(k, j, g, s if first or program.fixed else None, scale, eps)


def value_of(p):
    p = np.asarray(p)
    return p[np.isfinite(p)]


def _same_value(k, p, j, g, s, eps, rounded):
    for name, other in (("ad", ad.value(g)), ("judge", dense.value(j)),
                        ("sparsity", p if s is None else ad.value(s))):  # fmt: skip
        other = np.asarray(other)
        if other.shape != np.shape(p) or not _same_type(other.dtype, np.asarray(p).dtype, rounded):
            raise MismatchError(f"v[{k}] {name}: {other.dtype}{other.shape} is not "
                           f"{np.asarray(p).dtype}{np.shape(p)}")  # fmt: skip
        if not np.array_equal(other, p, equal_nan=True) and not (
            rounded and _same_complex(other, p, eps)
        ):
            raise MismatchError(f"v[{k}] {name}: value {other!r} is not {p!r}")
    if isinstance(j, dense.Dense) and np.nan_to_num(j.t).any() and not isinstance(g, ad.ADArray):
        raise MismatchError(f"v[{k}]: the derivative was lost")


def _same_type(found, plain, rounded):
    """1j times a NumPy number is a number of Python, and takes the precision of what it meets.

    A number with derivatives keeps its own precision, which is no less.
    """
    single = rounded and plain in (np.float32, np.complex64)
    return found == plain or (single and found == np.result_type(plain, np.float64))


def _same_complex(a, b, eps):
    """NumPy multiplies complex scalars and complex arrays with different rounding."""
    scale = np.abs(value_of(b)).max(initial=1.0)
    return np.allclose(a, b, rtol=eps, atol=eps * scale, equal_nan=True)


def _same_jacobian(k, j, g, s, scale, eps):
    exact = j.t.reshape(len(j.t), j.size).T.copy()
    exact[np.isnan(np.ravel(j.v))] = np.nan  # there is no slope of what is no number
    J = g.jacobian
    if J.shape != exact.shape or not J.has_canonical_format:
        raise MismatchError(
            f"v[{k}]: Jacobian of shape {J.shape}, canonical {J.has_canonical_format}"
        )
    if J.dtype != np.result_type(np.asarray(g.value).dtype, np.float32) and g.dtype.kind in "fc":
        raise MismatchError(f"v[{k}]: Jacobian of dtype {J.dtype}, value {g.dtype}")
    if not close(J.toarray(), exact, scale, eps):
        raise MismatchError(f"v[{k}]: Jacobian\n{J.toarray()}\nis not\n{exact}")
    if s is None:
        return
    pattern = ad.sparsity_pattern(s)
    data = ad.jacobian_values(g, pattern)  # raises if the pattern does not hold the derivative
    if not close(pattern.matrix(data).toarray(), exact, scale, eps):
        raise MismatchError(f"v[{k}]: assembled on the pattern of seed_sparsity it differs")


def _agree(a, b, eps):
    if isinstance(a, ad.ADArray):
        A, B = a.jacobian, b.jacobian
        scale = max(1.0, np.abs(B.data[np.isfinite(B.data)]).max(initial=0.0))
        same = A.shape == B.shape and close(A.toarray(), B.toarray(), scale, eps)
        if not same:
            raise MismatchError("a used cache and an empty one disagree")


def find(first, count, fresh_every=20, seconds=np.inf, report=None):
    """Run programs; return the failures as (number, message)."""
    failures = []
    begin = time.monotonic()
    with mock.patch.object(evaluation, "COMPILE_AFTER", 2):  # instead of waiting for the sixth time
        for number in range(first, first + count):
            if time.monotonic() - begin > seconds:
                break
            try:
                ask(Program(number), fresh=number % fresh_every == 0)
            except Exception as error:  # any error at all is a failure of the program
                failures.append((number, f"{type(error).__name__}: {error}"))
                if report is not None:
                    report(number, failures[-1][1])
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--show", type=int)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.show is not None:
        program = Program(options.show)
        print(program)
        ask(program, fresh=True)
        return 0
    failures = find(options.first, options.count,
                    report=lambda n, m: print(f"{n}: {m[:300]}", flush=True))  # fmt: skip
    print(f"{len(failures)} failures in {options.count} programs")
    return min(len(failures), 1)


if __name__ == "__main__":
    sys.exit(main())
