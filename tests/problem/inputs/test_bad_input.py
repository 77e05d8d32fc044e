"""Every kind of bad input has its own message, before any work."""

import numpy as np
import pytest
import scipy.sparse as sp

import sgsolve
from sgsolve import Problem, solvers


def square(x, a=2.0):
    return x**2 - a


def needs(x, *, a, mesh=None):
    return x**2 - a


def good(x0=(1.0, 2.0), solver=None, **params):
    return Problem(square).at(**params).solve(x0, solver)


def sweep(values, name="a", x0=(1.0, 2.0), **options):
    return Problem(square).sweep(x0, name, values, **options)


def inplace(x):
    x[0] = 1.0
    return x


CASES = {
    "x0 scalar": (lambda: good(1.0), sgsolve.ShapeError, r"use \[value\]"),
    "x0 matrix": (lambda: good(np.ones((2, 2))), sgsolve.ShapeError, "ravel"),
    "x0 empty": (lambda: good([]), sgsolve.ShapeError, "empty"),
    "x0 ragged": (lambda: good([[1.0], [1.0, 2.0]]), sgsolve.ShapeError, "regular"),
    "x0 nan": (lambda: good([1.0, np.nan]), sgsolve.NotFiniteError, r"x0\[1\] = nan"),
    "x0 inf": (lambda: good([np.inf, 1.0]), sgsolve.NotFiniteError, r"x0\[0\] = inf"),
    "x0 text": (lambda: good(["a", "b"]), sgsolve.DataTypeError, "real numbers"),
    "x0 none": (lambda: good(None), sgsolve.DataTypeError, "real numbers"),
    "x0 complex": (lambda: good([1j, 1.0]), sgsolve.DataTypeError, "complex"),
    "x0 sparse": (lambda: good(sp.eye_array(2)), sgsolve.DataTypeError, "sparse"),
    "residual no function": (lambda: Problem(3.0), sgsolve.DataTypeError, "function of x"),
    "residual without x": (lambda: Problem(lambda: 1), sgsolve.InputError, "first positional"),
    "residual keyword x": (lambda: Problem(lambda *, x: x), sgsolve.InputError, "first positional"),
    "residual too long": (
        lambda: Problem(lambda x: np.ones(3) * x[0]).solve([1.0, 2.0]),
        sgsolve.ShapeError,
        r"shape \(3,\) for 2 unknowns",
    ),
    "residual scalar": (
        lambda: Problem(lambda x: x.sum()).solve([1.0, 2.0]),
        sgsolve.ShapeError,
        r"shape \(\)",
    ),
    "residual none": (
        lambda: Problem(lambda x: None).solve([1.0]),
        sgsolve.DataTypeError,
        "return statement",
    ),
    "residual text": (
        lambda: Problem(lambda x: "no").solve([1.0]),
        sgsolve.DataTypeError,
        "dtype <U2",
    ),
    "residual complex": (
        lambda: Problem(lambda x: x * 1j).solve([1.0]),
        sgsolve.DataTypeError,
        "complex128",
    ),
    "residual ragged": (
        lambda: Problem(lambda x: [[1.0], [1.0, 2.0]]).solve([1.0]),
        sgsolve.ShapeError,
        r"shape \(3,\)",
    ),
    "residual nan at start": (
        lambda: Problem(lambda x: np.log(x), blocks={"n": slice(1, 2)}).solve([1.0, -1.0]),
        sgsolve.NotFiniteError,
        r"n\[0\] = nan",
    ),
    "residual without x inside": (
        lambda: Problem(lambda x: np.ones(2)).solve([1.0, 2.0]),
        sgsolve.InputError,
        "does not depend on x",
    ),
    "residual changes x": (lambda: Problem(inplace).solve([3.0]), sgsolve.InputError, "in place"),
    "unknown parameter": (
        lambda: good(b=1.0),
        sgsolve.ParameterError,
        "no parameter 'b'; it has 'a'",
    ),
    "unknown parameter in params": (
        lambda: Problem(square, params={"c": 1.0}),
        sgsolve.ParameterError,
        "no parameter 'c'",
    ),
    "missing parameter": (lambda: Problem(needs).solve([1.0]), sgsolve.ParameterError, "needs 'a'"),
    "parameter text": (lambda: good(a="2"), sgsolve.ParameterError, "must be a number"),
    "parameter nan": (lambda: good(a=np.nan), sgsolve.NotFiniteError, "'a' is nan"),
    "parameter array nan": (
        lambda: good(a=np.array([1.0, np.inf])),
        sgsolve.NotFiniteError,
        "'a' holds",
    ),
    "params no mapping": (
        lambda: Problem(square, params=[("a", 1.0)]),
        sgsolve.DataTypeError,
        "map names",
    ),
    "unknown back end": (
        lambda: Problem(square, backend="magic"),
        sgsolve.BackendError,
        "unknown back end 'magic'; known",
    ),
    "empty row": (
        lambda: Problem(
            lambda x: np.concatenate([x[:1] ** 2 + x[1:], np.ones(1) + 0.0 * x[:0].sum()]),
            blocks={"u": slice(0, 1), "v": slice(1, 2)},
        ).solve([1.0, 2.0]),
        sgsolve.StructureError,
        r"equation v\[0\]",
    ),
    "empty column": (
        lambda: Problem(
            lambda x: np.stack([x[0], x[0] + 1.0]), blocks={"u": slice(0, 1), "v": slice(1, 2)}
        ).solve([1.0, 2.0]),
        sgsolve.StructureError,
        r"unknown v\[0\] appears in no equation",
    ),
    "blocks overlap": (
        lambda: Problem(square, blocks={"u": slice(0, 2), "v": [1]}).solve([1.0, 2.0]),
        sgsolve.InputError,
        "'v' overlaps",
    ),
    "block outside": (
        lambda: Problem(square, blocks={"u": [5]}).solve([1.0, 2.0]),
        sgsolve.InputError,
        "outside",
    ),
    "block empty": (
        lambda: Problem(square, blocks={"u": slice(5, 9)}).solve([1.0, 2.0]),
        sgsolve.InputError,
        "'u' is empty",
    ),
    "block text": (
        lambda: Problem(square, blocks={"u": "all"}).solve([1.0, 2.0]),
        sgsolve.InputError,
        "slice or integers",
    ),
    "block mask": (
        lambda: Problem(square, blocks={"u": [True]}).solve([1.0, 2.0]),
        sgsolve.InputError,
        "mask",
    ),
    "scale zero": (
        lambda: Problem(square, scale=0.0).solve([1.0, 2.0]),
        sgsolve.InputError,
        "positive",
    ),
    "scale of unknown block": (
        lambda: Problem(square, scale={"v": 1.0}).solve([1.0, 2.0]),
        sgsolve.InputError,
        "no block 'v'",
    ),
    "jacobian no function": (
        lambda: Problem(square, jacobian=np.eye(2)),
        sgsolve.DataTypeError,
        "jacobian must be a function",
    ),
    "jacobian wrong shape": (
        lambda: Problem(square, jacobian=lambda x, a=2.0: np.ones((3, 3))).solve([1.0, 2.0]),
        sgsolve.ShapeError,
        r"\(3, 3\)",
    ),
    "solver class": (lambda: good(solver=solvers.Newton), sgsolve.InputError, r"Newton\(\)"),
    "solver text": (lambda: good(solver="newton"), sgsolve.InputError, "sgsolve.solvers"),
    "steps only": (
        lambda: solvers.Newton(termination=solvers.StepTolerance()),
        sgsolve.InputError,
        "small step is no solution",
    ),
    "steps or residual": (
        lambda: solvers.Newton(termination=solvers.StepTolerance() | solvers.ResidualTolerance()),
        sgsolve.InputError,
        "small step is no solution",
    ),
    "termination number": (
        lambda: solvers.Newton(termination=1e-8),
        sgsolve.InputError,
        "termination must be",
    ),
    "negative iterations": (
        lambda: solvers.Newton(max_iterations=-1),
        sgsolve.InputError,
        "max_iterations",
    ),
    "limit number": (lambda: solvers.Newton(limits=(0.1,)), sgsolve.InputError, "a limit must be"),
    "limit of wrong shape": (
        lambda: good(solver=solvers.Newton(limits=(lambda x, dx: dx[:1],))),
        sgsolve.ShapeError,
        "the limit",
    ),
    "bounds how": (lambda: solvers.Bounds(0.0, how="bounce"), sgsolve.InputError, "how must"),
    "sweep unknown": (lambda: sweep([1.0], "b"), sgsolve.ParameterError, "no parameter 'b'"),
    "sweep text": (lambda: sweep(["a"]), sgsolve.DataTypeError, "values must be real"),
    "sweep nothing": (lambda: sweep([]), sgsolve.ShapeError, "values must be a list"),
    "sweep nan": (lambda: sweep([1.0, np.nan]), sgsolve.NotFiniteError, "values are not all"),
    "sweep of an object": (
        lambda: Problem(needs).at(a=1.0).sweep([1.0], "mesh", [1.0]),
        sgsolve.ParameterError,
        "only a number",
    ),
    "sweep output": (
        lambda: sweep([1.0], outputs={"top": 3}),
        sgsolve.InputError,
        "outputs: 'top' must be a function",
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
    with pytest.raises(
        sgsolve.DataTypeError, match=f"{name}: must be True or False, not {value!r}"
    ):
        Problem(lambda x: x, **{name: value})
