"""Slips of the pen that an unprepared user makes: each is refused by name, none is passed over."""

import numpy as np
import pytest

import sgsolve
from sgsolve import Problem


def square(x, a=2.0):
    return x**2 - a


def any_keyword(x, **p):
    return x - p["strength"] - p.get("offset", 0.0)


def solved(start=(1.0, 2.0), **settings):
    return Problem(square, **settings).solve(start)


F = np.zeros(2)


def assigned(x):
    F[0] = x[0] - 1.0
    F[1] = x[1] - 2.0
    return F


CASES = {
    "parameter among any keywords": (
        lambda: Problem(any_keyword, params={"strength": 2.0}).at(strengh=3.0).solve([1.0]),
        sgsolve.ParameterError,
        "no parameter 'strengh' in the params of this problem, which has 'strength'",
    ),
    "sweep among any keywords": (
        lambda: Problem(any_keyword, params={"strength": 2.0}).sweep([1.0], "strengh", [3.0]),
        sgsolve.ParameterError,
        "no parameter 'strengh'",
    ),
    "parameter list": (
        lambda: Problem(square).at(a=[1.0, 2.0]).solve([1.0, 2.0]),
        sgsolve.ParameterError,
        r"'a' must be a number, not \[1.0, 2.0\]; np.array",
    ),
    "elements assigned": (
        lambda: Problem(assigned).solve([3.0, 1.0]),
        sgsolve.DerivativeError,
        r"writes AD arrays into an ndarray \(F\[i\] = .*return the list of equations",
    ),
    "jacobian returns nothing": (
        lambda: solved(jacobian=lambda x, a: None),
        sgsolve.DataTypeError,
        "jacobian returned None",
    ),
    "jacobian without the parameters": (
        lambda: solved(params={"a": 2.0}, jacobian=lambda x: np.diag(2.0 * x)),
        sgsolve.ParameterError,
        "jacobian does not take 'a'",
    ),
    "jacobian with others": (
        lambda: solved(jacobian=lambda x, b: np.diag(2.0 * x)),
        sgsolve.ParameterError,
        "jacobian needs 'b'",
    ),
    "jacobian without x": (
        lambda: solved(jacobian=lambda *, a: np.eye(2)),
        sgsolve.InputError,
        "jacobian must take the unknowns",
    ),
    "scale of wrong length": (
        lambda: solved(scale=[1.0, 2.0, 3.0]),
        sgsolve.ShapeError,
        r"scale has shape \(3,\); give one number, or one for each of 2 unknowns",
    ),
    "scale in words": (
        lambda: solved(scale="big"),
        sgsolve.DataTypeError,
        "scale must be a number or numbers, not 'big'",
    ),
    "scale of a block of wrong length": (
        lambda: solved(blocks={"u": [0]}, scale={"u": [1.0, 2.0]}),
        sgsolve.ShapeError,
        r"scale\['u'\] has shape \(2,\); .* 1 unknowns",
    ),
    "blocks as a list": (
        lambda: solved(blocks=[("u", slice(0, 2))]),
        sgsolve.DataTypeError,
        "blocks must map names",
    ),
    "blocks by number": (
        lambda: solved(blocks={3: slice(0, 2)}),
        sgsolve.DataTypeError,
        "blocks must map names",
    ),
    "result as a start": (
        lambda: Problem(square).solve(Problem(square).solve([1.0])),
        sgsolve.DataTypeError,
        r"x0 is a whole Result; give its \.x",
    ),
    "frequencies in words": (
        lambda: Problem(square, storage=lambda x: x).small_signal([1.4, 1.4], "a", "dc"),
        sgsolve.DataTypeError,
        "frequencies: need numbers, not 'dc'",
    ),
    "block that ends beyond the unknowns": (
        lambda: solved(blocks={"u": slice(0, 1), "v": slice(1, 4)}),
        sgsolve.InputError,
        r"'v' reaches outside the unknowns 0\.\.1",
    ),
    "start that is too short for a block": (
        lambda: solved(blocks={"u": slice(0, 2), "v": slice(2, 4)}),
        sgsolve.InputError,
        r"'v' is empty: slice\(2, 4, None\) of 2 unknowns",
    ),
    "callback": (
        lambda: Problem(square).solve([1.0, 2.0], callback=3),
        sgsolve.DataTypeError,
        "callback must be a function of the iterate, not 3",
    ),
    "functional of an unknown parameter": (
        lambda: Problem(square).sensitivity([1.4, 1.4], "a", functional=lambda u, b: b * u[0]),
        sgsolve.ParameterError,
        "takes 'b', which is no parameter of the problem; its parameters are 'a'",
    ),
    "functional in words": (
        lambda: Problem(square).sensitivity([1.4, 1.4], "a", functional="top"),
        sgsolve.DataTypeError,
        "a functional is a function",
    ),
    "outputs as a list": (
        lambda: Problem(square, storage=lambda x: x).small_signal(
            [1.4, 1.4], "a", [1.0], outputs=[np.sum]
        ),
        sgsolve.DataTypeError,
        "outputs must map names to functions",
    ),
    "jacobian of complex numbers": (
        lambda: Problem(square, jacobian=lambda x, a: 1j * np.eye(2)).solve([1.0, 2.0]),
        sgsolve.DataTypeError,
        "jacobian returned dtype complex128; it must be real",
    ),
    "residual without the unknowns": (
        lambda: Problem(lambda x: 0.0 * x[:0].sum() + np.ones(2)).sparsity([1.0, 2.0]),
        sgsolve.InputError,
        "the residual does not depend on x",
    ),
    "sensitivity to a parameter without value": (
        lambda: Problem(
            lambda x, **p: x - p.get("a", 1.0), storage=lambda x: x
        ).transient_sensitivity([1.0], (0.0, 1.0), "a"),
        sgsolve.ParameterError,
        r"parameter 'a' has no value; give it by at\(a=...\)",
    ),
    "no solutions": (
        lambda: Problem(square).find_solutions([1.0, 2.0], max_solutions=0),
        sgsolve.InputError,
        "max_solutions must be a whole number of at least 1, not 0",
    ),
    "no solutions at any value": (
        lambda: Problem(square).deflated_continuation([1.0], "a", [1.0], max_solutions=0),
        sgsolve.InputError,
        "max_solutions must be a whole number of at least 1, not 0",
    ),
    "output that was not asked for": (
        lambda: Problem(square, storage=lambda x: x).small_signal([1.4, 1.4], "a", [1.0])["top"],
        sgsolve.InputError,
        "no output 'top'; there are none; ask for outputs",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_message(case):
    call, error, text = CASES[case]
    with pytest.raises(error, match=text):
        call()


def test_any_keyword_is_taken_where_the_problem_names_none():
    assert Problem(any_keyword).at(strength=2.0, offset=1.0).solve([1.0]).x[0] == 3.0


def test_own_value_error_of_a_residual_is_handed_on():
    def residual(x):
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        Problem(residual).solve([1.0])


def test_jacobian_gets_the_defaults_of_the_residual():
    seen = []

    def jacobian(x, a=5.0):
        seen.append(a)
        return np.diag(2.0 * x)

    assert Problem(square, jacobian=jacobian).solve([1.0, 2.0]).success
    assert set(seen) == {2.0}
