"""Bad input and slips of the pen: each is refused by name, and none is passed over."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import (
    BackendError,
    DataTypeError,
    DerivativeError,
    InputError,
    NotFiniteError,
    ParameterError,
    Problem,
    ShapeError,
    StructureError,
    solvers,
)


def square(x, a=2.0):
    return x**2 - a


def needs(x, *, a, mesh=None):
    return x**2 - a


def good(x0=(1.0, 2.0), solver=None, **params):
    return Problem(square).at(**params).solve(x0, solver)


def sweep(values, name="a", x0=(1.0, 2.0), **options):
    return Problem(square).sweep(x0, name, values, **options)


def doubled(x):
    x *= 2.0
    return x


def inplace(x):
    x[0] = 1.0
    return x


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
    "x0 scalar": (lambda: good(1.0), ShapeError, r"use \[value\]"),
    "x0 matrix": (lambda: good(np.ones((2, 2))), ShapeError, "ravel"),
    "x0 empty": (lambda: good([]), ShapeError, "empty"),
    "x0 ragged": (lambda: good([[1.0], [1.0, 2.0]]), ShapeError, "regular"),
    "x0 nan": (lambda: good([1.0, np.nan]), NotFiniteError, r"x0\[1\] = nan"),
    "x0 inf": (lambda: good([np.inf, 1.0]), NotFiniteError, r"x0\[0\] = inf"),
    "x0 text": (lambda: good(["a", "b"]), DataTypeError, "real numbers"),
    "x0 none": (lambda: good(None), DataTypeError, "real numbers"),
    "x0 complex": (lambda: good([1j, 1.0]), DataTypeError, "complex"),
    "x0 sparse": (lambda: good(sp.eye_array(2)), DataTypeError, "sparse"),
    "residual no function": (lambda: Problem(3.0), DataTypeError, "function of x"),
    "residual without x": (lambda: Problem(lambda: 1), InputError, "first positional"),
    "residual keyword x": (lambda: Problem(lambda *, x: x), InputError, "first positional"),
    "residual too long": (
        lambda: Problem(lambda x: np.ones(3) * x[0]).solve([1.0, 2.0]),
        ShapeError,
        r"shape \(3,\) for 2 unknowns",
    ),
    "residual scalar": (
        lambda: Problem(lambda x: x.sum()).solve([1.0, 2.0]),
        ShapeError,
        r"shape \(\)",
    ),
    "residual none": (
        lambda: Problem(lambda x: None).solve([1.0]),
        DataTypeError,
        "return statement",
    ),
    "residual text": (lambda: Problem(lambda x: "no").solve([1.0]), DataTypeError, "dtype <U2"),
    "residual complex": (
        lambda: Problem(lambda x: x * 1j).solve([1.0]),
        DataTypeError,
        "complex128",
    ),
    "residual ragged": (
        lambda: Problem(lambda x: [[1.0], [1.0, 2.0]]).solve([1.0]),
        ShapeError,
        r"shape \(3,\)",
    ),
    "residual nan at start": (
        lambda: Problem(lambda x: np.log(x), blocks={"n": slice(1, 2)}).solve([1.0, -1.0]),
        NotFiniteError,
        r"n\[0\] = nan",
    ),
    "residual without x inside": (
        lambda: Problem(lambda x: np.ones(2)).solve([1.0, 2.0]),
        InputError,
        "does not depend on x",
    ),
    "residual changes x": (lambda: Problem(inplace).solve([3.0]), InputError, "in place"),
    "jacobian changes x": (
        lambda: Problem(lambda x: x**2 - 2.0, jacobian=lambda x: np.diag(doubled(x))).solve([3.0]),
        InputError,
        "jacobian changed x in place",
    ),
    "unknown parameter": (lambda: good(b=1.0), ParameterError, "no parameter 'b'; it has 'a'"),
    "unknown parameter in params": (
        lambda: Problem(square, params={"c": 1.0}),
        ParameterError,
        "no parameter 'c'",
    ),
    "missing parameter": (lambda: Problem(needs).solve([1.0]), ParameterError, "needs 'a'"),
    "parameter text": (lambda: good(a="2"), ParameterError, "must be a number"),
    "parameter nan": (lambda: good(a=np.nan), NotFiniteError, "'a' is nan"),
    "parameter array nan": (lambda: good(a=np.array([1.0, np.inf])), NotFiniteError, "'a' holds"),
    "params no mapping": (lambda: Problem(square, params=[("a", 1.0)]), DataTypeError, "map names"),
    "unknown back end": (
        lambda: Problem(square, backend="magic"),
        BackendError,
        "unknown back end 'magic'; known",
    ),
    "empty row": (
        lambda: Problem(
            lambda x: np.concatenate([x[:1] ** 2 + x[1:], np.ones(1) + 0.0 * x[:0].sum()]),
            blocks={"u": slice(0, 1), "v": slice(1, 2)},
        ).solve([1.0, 2.0]),
        StructureError,
        r"equation v\[0\]",
    ),
    "empty column": (
        lambda: Problem(
            lambda x: np.stack([x[0], x[0] + 1.0]), blocks={"u": slice(0, 1), "v": slice(1, 2)}
        ).solve([1.0, 2.0]),
        StructureError,
        r"unknown v\[0\] appears in no equation",
    ),
    "blocks overlap": (
        lambda: Problem(square, blocks={"u": slice(0, 2), "v": [1]}).solve([1.0, 2.0]),
        InputError,
        "'v' overlaps",
    ),
    "block outside": (
        lambda: Problem(square, blocks={"u": [5]}).solve([1.0, 2.0]),
        InputError,
        "outside",
    ),
    "block empty": (
        lambda: Problem(square, blocks={"u": slice(5, 9)}).solve([1.0, 2.0]),
        InputError,
        "'u' is empty",
    ),
    "block text": (
        lambda: Problem(square, blocks={"u": "all"}).solve([1.0, 2.0]),
        InputError,
        "slice or integers",
    ),
    "block mask": (
        lambda: Problem(square, blocks={"u": [True]}).solve([1.0, 2.0]),
        InputError,
        "mask",
    ),
    "scale zero": (lambda: Problem(square, scale=0.0).solve([1.0, 2.0]), InputError, "positive"),
    "scale of unknown block": (
        lambda: Problem(square, scale={"v": 1.0}).solve([1.0, 2.0]),
        InputError,
        "no block 'v'",
    ),
    "jacobian no function": (
        lambda: Problem(square, jacobian=np.eye(2)),
        DataTypeError,
        "jacobian must be a function",
    ),
    "jacobian wrong shape": (
        lambda: Problem(square, jacobian=lambda x, a=2.0: np.ones((3, 3))).solve([1.0, 2.0]),
        ShapeError,
        r"\(3, 3\)",
    ),
    "solver class": (lambda: good(solver=solvers.Newton), InputError, r"Newton\(\)"),
    "solver text": (lambda: good(solver="newton"), InputError, "sgsolve.solvers"),
    "steps only": (
        lambda: solvers.Newton(termination=solvers.StepTolerance()),
        InputError,
        "small step is no solution",
    ),
    "steps or residual": (
        lambda: solvers.Newton(termination=solvers.StepTolerance() | solvers.ResidualTolerance()),
        InputError,
        "small step is no solution",
    ),
    "termination number": (
        lambda: solvers.Newton(termination=1e-8),
        InputError,
        "termination must be",
    ),
    "negative iterations": (
        lambda: solvers.Newton(max_iterations=-1),
        InputError,
        "max_iterations",
    ),
    "limit number": (lambda: solvers.Newton(limits=(0.1,)), InputError, "a limit must be"),
    "limit of wrong shape": (
        lambda: good(solver=solvers.Newton(limits=(lambda x, dx: dx[:1],))),
        ShapeError,
        "the limit",
    ),
    "bounds how": (lambda: solvers.Bounds(0.0, how="bounce"), InputError, "how must"),
    "sweep unknown": (lambda: sweep([1.0], "b"), ParameterError, "no parameter 'b'"),
    "sweep text": (lambda: sweep(["a"]), DataTypeError, "values must be real"),
    "sweep nothing": (lambda: sweep([]), ShapeError, "values must be a list"),
    "sweep nan": (lambda: sweep([1.0, np.nan]), NotFiniteError, "values are not all"),
    "sweep of an object": (
        lambda: Problem(needs).at(a=1.0).sweep([1.0], "mesh", [1.0]),
        ParameterError,
        "and a number is needed",
    ),
    "sweep output": (
        lambda: sweep([1.0], outputs={"top": 3}),
        InputError,
        "outputs: 'top' must be a function",
    ),
    "parameter among any keywords": (
        lambda: Problem(any_keyword, params={"strength": 2.0}).at(strengh=3.0).solve([1.0]),
        ParameterError,
        "no parameter 'strengh' in the params of this problem, which has 'strength'",
    ),
    "sweep among any keywords": (
        lambda: Problem(any_keyword, params={"strength": 2.0}).sweep([1.0], "strengh", [3.0]),
        ParameterError,
        "no parameter 'strengh'",
    ),
    "parameter list": (
        lambda: Problem(square).at(a=[1.0, 2.0]).solve([1.0, 2.0]),
        ParameterError,
        r"'a' must be a number, not \[1.0, 2.0\]; np.array",
    ),
    "elements assigned": (
        lambda: Problem(assigned).solve([3.0, 1.0]),
        DerivativeError,
        r"writes AD arrays into an ndarray \(F\[i\] = .*return the list of equations",
    ),
    "jacobian returns nothing": (
        lambda: solved(jacobian=lambda x, a: None),
        DataTypeError,
        "jacobian returned None",
    ),
    "jacobian without the parameters": (
        lambda: solved(params={"a": 2.0}, jacobian=lambda x: np.diag(2.0 * x)),
        ParameterError,
        "jacobian does not take 'a'",
    ),
    "jacobian with others": (
        lambda: solved(jacobian=lambda x, b: np.diag(2.0 * x)),
        ParameterError,
        "jacobian needs 'b'",
    ),
    "jacobian without x": (
        lambda: solved(jacobian=lambda *, a: np.eye(2)),
        InputError,
        "jacobian must take the unknowns",
    ),
    "scale of wrong length": (
        lambda: solved(scale=[1.0, 2.0, 3.0]),
        ShapeError,
        r"scale has shape \(3,\); give one number, or one for each of 2 unknowns",
    ),
    "scale in words": (
        lambda: solved(scale="big"),
        DataTypeError,
        "scale must be a number or numbers, not 'big'",
    ),
    "scale of a block of wrong length": (
        lambda: solved(blocks={"u": [0]}, scale={"u": [1.0, 2.0]}),
        ShapeError,
        r"scale\['u'\] has shape \(2,\); .* 1 unknowns",
    ),
    "blocks as a list": (
        lambda: solved(blocks=[("u", slice(0, 2))]),
        DataTypeError,
        "blocks must map names",
    ),
    "blocks by number": (
        lambda: solved(blocks={3: slice(0, 2)}),
        DataTypeError,
        "blocks must map names",
    ),
    "result as a start": (
        lambda: Problem(square).solve(Problem(square).solve([1.0])),
        DataTypeError,
        r"x0 is a whole Result; give its \.x",
    ),
    "frequencies in words": (
        lambda: Problem(square, storage=lambda x: x).small_signal([1.4142, 1.4142], "a", "dc"),
        DataTypeError,
        "frequencies: need numbers, not 'dc'",
    ),
    "block that ends beyond the unknowns": (
        lambda: solved(blocks={"u": slice(0, 1), "v": slice(1, 4)}),
        InputError,
        r"'v' reaches outside the unknowns 0\.\.1",
    ),
    "start that is too short for a block": (
        lambda: solved(blocks={"u": slice(0, 2), "v": slice(2, 4)}),
        InputError,
        r"'v' is empty: slice\(2, 4, None\) of 2 unknowns",
    ),
    "callback": (
        lambda: Problem(square).solve([1.0, 2.0], callback=3),
        DataTypeError,
        "callback must be a function of the iterate, not 3",
    ),
    "functional of an unknown parameter": (
        lambda: Problem(square).sensitivity(
            [1.4142, 1.4142], "a", functional=lambda u, b: b * u[0]
        ),
        ParameterError,
        "takes 'b', which is no parameter of the problem; its parameters are 'a'",
    ),
    "functional in words": (
        lambda: Problem(square).sensitivity([1.4142, 1.4142], "a", functional="top"),
        DataTypeError,
        "a functional is a function",
    ),
    "outputs as a list": (
        lambda: Problem(square, storage=lambda x: x).small_signal(
            [1.4142, 1.4142], "a", [1.0], outputs=[np.sum]
        ),
        DataTypeError,
        "outputs must map names to functions",
    ),
    "sensitivity to a parameter without value": (
        lambda: Problem(
            lambda x, **p: x - p.get("a", 1.0), storage=lambda x: x
        ).transient_sensitivity([1.0], (0.0, 1.0), "a"),
        ParameterError,
        r"parameter 'a' has no value; give it by at\(a=...\)",
    ),
    "no solutions": (
        lambda: Problem(square).find_solutions([1.0, 2.0], max_solutions=0),
        InputError,
        "max_solutions must be a whole number of at least 1, not 0",
    ),
    "no solutions at any value": (
        lambda: Problem(square).deflated_continuation([1.0], "a", [1.0], max_solutions=0),
        InputError,
        "max_solutions must be a whole number of at least 1, not 0",
    ),
    "output that was not asked for": (
        lambda: Problem(square, storage=lambda x: x).small_signal([1.4142, 1.4142], "a", [1.0])[
            "top"
        ],
        InputError,
        "no output 'top'; there are none; ask for outputs",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_message(case):
    call, error, text = CASES[case]
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize("name", ["compiled", "fields"])
@pytest.mark.parametrize("value", ["yes", "no", 1, None])
def test_a_switch_is_true_or_false(name, value):
    """A text counts as true, "no" as well."""
    with pytest.raises(DataTypeError, match=f"{name}: must be True or False, not {value!r}"):
        Problem(lambda x: x, **{name: value})


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
