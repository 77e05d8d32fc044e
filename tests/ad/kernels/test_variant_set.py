"""Variants of a function: traced where none fits and it pays, the latest first, a few at a time."""

from types import SimpleNamespace

import numpy as np
import pytest

from sgsolve.ad.kernels.account import Account
from sgsolve.ad.kernels.stats import CompiledStats
from sgsolve.ad.kernels.trace_attempts import NotCompiledError
from sgsolve.ad.kernels.variant_set import MOST_FAILURES, MOST_VARIANTS, VariantSet
from tests.ad.kernels.compiled_help import needs_llvmlite

pytestmark = needs_llvmlite
X = np.array([0.5, 2.0])


def power(x, n):
    return x**n


def made(f, at_once=True):
    return VariantSet(f, Account(at_once), CompiledStats())


def first(known, **arguments):
    return next(known.candidates(X, arguments, None, False), None)


def test_a_variant_serves_its_constants_again():
    known = made(power)
    square, cube = first(known, n=2), first(known, n=3)
    assert known.variants == [cube, square]
    assert first(known, n=2) is square
    known.put_first(square)
    assert known.variants == [square, cube]


def test_variants_for_other_constants_make_way():
    known = made(power)
    for n in range(2, 2 + MOST_VARIANTS):
        first(known, n=n)
    assert len(known.variants) == MOST_VARIANTS
    latest = first(known, n=100)
    assert known.variants == [latest]


def test_nothing_is_traced_before_it_pays():
    known = made(power, at_once=False)
    assert first(known, n=2) is None
    known._account.saved = 1e3
    assert first(known, n=2) is known.variants[0]


def test_vain_attempts_end_tracing():
    def untraceable(x, n):
        return np.array([float(v) for v in x.tolist()]) if n else x

    known = made(untraceable)
    for _ in range(MOST_FAILURES):
        assert not known.stopped
        with pytest.raises(NotCompiledError):
            first(known, n=1)
    assert known.stopped
    with pytest.raises(NotCompiledError, match=known.stopped):
        first(known, n=0)


def test_after_a_stop_there_are_no_kernels_and_none_is_made():
    known = made(power)
    variant = first(known, n=2)
    assert known.kernel(variant, False).run(X, {}).F.tolist() == [0.25, 4.0]
    known.stop("no more")
    assert known.variants == []
    with pytest.raises(NotCompiledError, match="no more"):
        first(known, n=2)


def test_who_is_at_fault_is_asked_of_a_new_trace():
    """The function reads what has changed since the trace: the kernel is not wrong."""
    factor = [2.0]

    def scaled(x):
        return factor[0] * x

    known = made(scaled)
    variant = first(known)
    known.kernel(variant, False)
    factor[0] = 3.0
    now, other = SimpleNamespace(F=scaled(X)), SimpleNamespace(F=7.0 * X)
    assert not known.is_at_fault(variant, X, {}, now, lambda: now)
    assert not known.is_at_fault(variant, X, {}, other, lambda: now)  # it does not repeat itself
    assert known.is_at_fault(variant, X, {}, other, lambda: other)
