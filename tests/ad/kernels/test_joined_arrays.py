"""Operations on joined arrays and on chosen elements: same bits, no memory without need."""

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.drivers.traced_evaluation import trace_function
from sgsolve.ad.kernels.printing.code_writer import CodeWriter
from tests.ad.kernels.compiled_help import assert_same_bits, needs_llvmlite

pytestmark = needs_llvmlite
N = 300
X = np.linspace(-1.3, 1.7, N)
X[[0, 7, -1]] = 0.0, -0.0, 0.0
EDGE = np.array([0.25])
W = np.cos(np.arange(N + 2.0))
NEXT = np.roll(np.arange(N // 2), -1)


def share(s):
    return s * s / (s * s + 0.5 * (1.0 - s) ** 2)


def flow(x):
    left, right = np.concatenate([EDGE, x]), np.concatenate([x, x[-1:]])
    flux = 0.5 * (share(left) + share(right)) - 0.55 * (right - left)
    return x + (flux[1:] - flux[:-1])


def species(x):
    u, v = x[: N // 2], x[N // 2 :]
    return (x - W[:N]) * 2.0 - np.concatenate([u[NEXT] - u * v * v, v[NEXT] + u * v * v])


FUNCTIONS = {
    "shifted": flow,
    "two fields": species,
    "both ends": lambda x: np.exp(np.concatenate([EDGE, x, -x[:1]]) * W)[1:-1] * x,
    "four parts": lambda x: np.sqrt(np.abs(np.concatenate([EDGE, x[:9], x[9:], EDGE])) + W**2)[:N],
    "parts of two layouts": lambda x: np.concatenate([x[:5], -x[5:]]) / (
        2.0 + np.concatenate([x[7:], x[:7]])
    ),
    "a mask": lambda x: np.where(
        np.concatenate([EDGE, x[1:]]) > 0.0, x, np.concatenate([x[1:], EDGE])
    ),
    "zeros of both signs": lambda x: np.concatenate([x[:10] * 0.0, -0.0 * x[10:]]) + -0.0 * x,
    "every second": lambda x: np.stack([x[::2], x[1::2] ** 2], axis=1).ravel() * x,
    "nothing from one part": lambda x: np.log(np.concatenate([EDGE, x[1:] ** 2 + 0.1]))[1:] + x[1:],
    "one element": lambda x: x * x + np.tanh(x * x * x)[3] * x[5],
    "a side of a branch": lambda x: ad.branch(
        x > 0.0, lambda i: np.concatenate([x[:5], x[5:] * 2.0])[i] ** 2, lambda i: x[i]
    ),
    "neighbors of two fields": lambda x: x[NEXT] * x[NEXT + N // 2] + x[: N // 2],
    "neighbors in both orders": lambda x: x[NEXT + N // 2] - x[NEXT] * x[NEXT[::-1]],
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_joined_and_chosen_elements_have_the_same_bits(name):
    assert_same_bits(FUNCTIONS[name], [X, X[::-1].copy(), X * 1.25], evaluations=2)


def code(f, with_jacobian=False):
    return CodeWriter(trace_function(f, X), with_jacobian).code()


def buffers(code):
    return {k: size for k, (size, _) in code.memories.items() if k not in ("F", "data") and size}


def test_joined_arrays_need_no_memory():
    assert buffers(code(species)) == {}
    assert buffers(code(lambda x: np.exp(np.concatenate([x[:7], EDGE, x[8:]])) * x)) == {}


def test_a_function_of_shifted_arrays_is_computed_once():
    sizes = buffers(code(flow))
    assert sorted(sizes.values()) == [N, N + 1]  # share(x), and flux


def test_one_table_of_positions_serves_all_fields():
    f = FUNCTIONS["neighbors of two fields"]
    tables = [a for key, a in code(f).constants.items() if key[0] == "index"]
    assert [t.shape for t in tables] == [(N // 2, 1)]


def test_few_elements_are_computed_again_and_all_are_not_kept():
    assert buffers(code(lambda x: x * (1.0 / (x * x + 2.0) * x / 3.0 * x + x)[4])) == {}
    many = code(lambda x: (1.0 / (x * x + 2.0) * x / 3.0 * x + x)[::-1])
    assert list(buffers(many).values()) == [N]


def test_determinants_and_inverses_of_small_matrices_are_compiled():
    def f(x):
        F = np.eye(3) + 0.1 * x.reshape(-1, 3, 3)
        sign, size = np.linalg.slogdet(F)
        inverse = np.linalg.inv(F)
        return (inverse @ F * F + (size * sign)[:, None, None] * inverse).ravel()

    assert_same_bits(f, [X[:99] + 0.001 * k for k in range(3)], evaluations=2)
