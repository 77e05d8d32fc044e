"""Kernels for many members: the bits of single evaluations, whatever differs between members."""

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.kernels.compiled_evaluation import CompiledEvaluation, CompiledResult
from sgsolve.ad.kernels.member_evaluation import MemberEvaluation
from sgsolve.pattern import Pattern
from tests.ad.kernels.compiled_help import needs_llvmlite

pytestmark = needs_llvmlite
K, N = 40, 7


def exponential(x, a):
    return np.exp(a * x) - x[::-1]


def scaled(x, a, w):
    return w * np.sqrt(np.abs(x)) + np.log1p(a**2) * np.roll(x, 1)


def coefficients(x, a):
    return (1.0 + a) * x - 3.0 * a * x[::-1] + a


def branched(x, a):
    return np.where(x > a, x * x, np.sin(x)) - a


def conditional(x, a):
    return x**2 - a if a > 0.0 else np.exp(x) * x[::-1] + a


def summed(x, a):
    return x * np.sum(x) - np.cumsum(x) * a


def table(x, a, kind):
    return x**2 - a * x if kind == "square" else x**3 + a


CASES = [
    (exponential, {"a": "numbers"}), (scaled, {"a": "numbers", "w": "arrays"}),
    (coefficients, {"a": "numbers"}), (branched, {"a": "numbers"}),
    (conditional, {"a": "numbers"}), (summed, {"a": "numbers"}),
    (table, {"a": "numbers", "kind": "texts"}),
]  # fmt: skip


def arguments(kinds):
    random = np.random.default_rng(0)
    made = {
        "numbers": lambda: random.normal(size=K).tolist(),
        "arrays": lambda: list(random.uniform(1.0, 2.0, (K, N))),
        "texts": lambda: ["square", "cube"] * (K // 2),
    }
    columns = {name: made[kind]() for name, kind in kinds.items()}
    return [{name: column[m] for name, column in columns.items()} for m in range(K)]


@pytest.mark.parametrize(("f", "kinds"), CASES)
def test_bits_are_those_of_single_evaluations(f, kinds):
    given = arguments(kinds)
    evaluation = CompiledEvaluation(f, at_once=True)
    members = MemberEvaluation(evaluation, given, set(kinds))
    target = Pattern.of(np.ones((N, N)))
    order = np.random.default_rng(1).permutation(K)

    def plain(x, m):
        y = f(ad.seed(x), **given[m])
        return CompiledResult(np.array(ad.value(y)), ad.jacobian_values(y, target), target)

    def compared(round_):
        x = np.random.default_rng(round_).normal(size=(K, N))
        some = order[: K - 5 * round_]
        rows = np.ascontiguousarray(x[some])
        found = members.linearized(rows, some, target, lambda j: plain(rows[j], some[j]))
        values = members.values(rows, some, lambda j: f(rows[j], **given[some[j]]))
        for j, m in enumerate(some.tolist()):
            expected = plain(rows[j], m)
            assert np.array_equal(found.F[j], expected.F, equal_nan=True)
            assert np.array_equal(found.data[j], expected.data, equal_nan=True)
            assert np.array_equal(values[j], expected.F, equal_nan=True)

    for round_ in range(4):
        compared(round_)
    assert evaluation.stats.compiled > 2 * K


def test_a_kernel_is_made_for_the_evaluations_that_follow():
    """Many members pay for a kernel at once; a few do not."""
    evaluation = CompiledEvaluation(exponential)
    given = arguments({"a": "numbers"}) * 100
    members = MemberEvaluation(evaluation, given, {"a"})
    x = np.ones((len(given), N))
    members.values(x, np.arange(len(given)), lambda j: exponential(x[j], **given[j]))
    assert evaluation.stats.compiled > 0.5 * len(given)
    few = CompiledEvaluation(exponential)
    members = MemberEvaluation(few, given[:3], {"a"})
    members.values(x[:3], np.arange(3), lambda j: exponential(x[j], **given[j]))
    assert few.stats.compiled == 0


def test_a_grown_pattern_is_said():
    given = arguments({"a": "numbers"})
    members = MemberEvaluation(CompiledEvaluation(exponential), given, {"a"})
    x, small = np.ones((2, N)), Pattern.of(np.eye(N))

    def plain(j):
        y = exponential(ad.seed(x[j]), **given[j])
        return CompiledResult(ad.value(y), y.jacobian.data, ad.sparsity_pattern(y))

    assert members.linearized(x, np.arange(2), small, plain) is None


def test_constants_that_differ_between_members_make_no_kernel_for_each():
    """A whole number is a constant of a kernel, so a kernel would serve one member."""
    evaluation = CompiledEvaluation(lambda x, n: x**n - n)
    given = [{"n": n} for n in range(2, 402)]
    members = MemberEvaluation(evaluation, given, {"n"})
    x = np.ones((len(given), N))
    members.values(x, np.arange(len(given)), lambda j: x[j] ** given[j]["n"] - given[j]["n"])
    assert evaluation.stats.kernels <= 2


def test_values_come_from_the_kernel_with_jacobian_once_it_is_there():
    members = arguments({"a": "numbers"})
    evaluation = CompiledEvaluation(exponential, at_once=True)
    evaluated = MemberEvaluation(evaluation, members, ["a"])
    x = np.random.default_rng(2).normal(size=(K, N))
    F, J = ad.value_and_jacobian(exponential, x[0], **members[0])
    target = Pattern(J.indptr, J.indices, J.shape)

    def plain(j):
        F, J = ad.value_and_jacobian(exponential, x[j], **members[j])
        return CompiledResult(F, J.data, target)

    every = np.arange(K)
    for _ in range(2):
        evaluated.linearized(x, every, target, plain)
    kernels, before = evaluation.stats.kernels, evaluation.stats.compiled
    F = evaluated.values(x, every, lambda j: pytest.fail("by NumPy"))
    np.testing.assert_array_equal(F, [exponential(x[m], **members[m]) for m in range(K)])
    assert evaluation.stats.kernels == kernels
    assert evaluation.stats.compiled == before + K
