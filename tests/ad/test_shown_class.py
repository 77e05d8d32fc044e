"""Code that asks ``isinstance(x, np.ndarray)`` goes the way of the plain evaluation."""

import functools
import math
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pytest
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre, polynomial

from sgsolve import Problem, ad
from sgsolve.errors import DerivativeError

from .differences import check

X = np.array([0.3, 0.5, -0.7])
C2 = np.arange(12.0).reshape(4, 3) - 4.5
EVALUATED = [polynomial.polyval, chebyshev.chebval, hermite.hermval, hermite_e.hermeval,
             laguerre.lagval, legendre.legval, polynomial.polyvalfromroots]  # fmt: skip


@pytest.mark.parametrize("f", EVALUATED, ids=lambda f: f.__name__)
def test_polynomials_with_coefficients_of_several_axes(f):
    for c in (C2, C2[:, 0], C2.reshape(3, 2, 2)):
        check(lambda x, c=c: f(x, c), X)
        check(lambda x, c=c: f(x.reshape(3, 1), c), X)
    check(lambda x: f(x[0], C2), X)
    check(lambda x: f(x, C2, tensor=False), X)


@pytest.mark.parametrize("kind", ["Polynomial", "Chebyshev", "Legendre", "Hermite", "HermiteE",
                                  "Laguerre"])  # fmt: skip
def test_objects_of_polynomials_name_the_function_to_write(kind):
    p = getattr(np.polynomial, kind).fit(np.linspace(2.0, 5.0, 9), np.cos(np.arange(9.0)), 4)
    with pytest.raises(DerivativeError, match=rf"np\.polynomial\.{kind} takes") as caught:
        ad.jacobian(lambda x: p(x), X)
    written = re.search(r"use (.*\.coef\))", str(caught.value))[1]
    np.testing.assert_allclose(eval(written, {"np": np, "y": X, "p": p}), p(X), rtol=1e-8)


@functools.singledispatch
def flux(x):
    return 0.0 * x


@flux.register
def _(x: np.ndarray):
    return x**2


@flux.register
def _(x: float):
    return 3.0 * x


BRANCHING = {
    "vector or number": lambda x: x**2 if isinstance(x, np.ndarray) else 2.0 * x,
    "float": lambda x: np.stack([v**3 if isinstance(v, float) else v for v in x]),
    "abstract": lambda x: np.stack([v * v if isinstance(v, numbers.Real) else v for v in x]),
    "np.isscalar": lambda x: x[0] * x if np.isscalar(x[1]) else x,
    "class": lambda x: x * x if x.__class__ is np.ndarray else x,
    "singledispatch": flux,
    "singledispatch of numbers": lambda x: np.stack([flux(v) for v in x]),
    "neither": lambda x: x if isinstance(x, (list, Sequence, Mapping)) else x * np.sin(x),
}


@pytest.mark.parametrize("name", BRANCHING)
def test_the_way_of_the_plain_evaluation_is_taken(name):
    check(BRANCHING[name], X)


def test_parameters_of_compiled_functions_are_numbers():
    pytest.importorskip("llvmlite")

    def residual(x, p):
        return x * p if isinstance(p, float) else x - 7.0

    compiled = ad.compiled(residual, at_once=True)
    for p in (2.0, 3.0, 4.0):
        F, J = compiled.value_and_jacobian(X, p)
        np.testing.assert_array_equal(F, X * p)
        np.testing.assert_array_equal(J.toarray(), p * np.eye(3))
    assert compiled.stats.compiled


def test_own_and_abstract_classes_are_told():
    x = ad.seed(X)
    assert isinstance(x, ad.ADArray)
    assert isinstance(x, Iterable)
    assert not isinstance(x, numbers.Number)


def test_coefficients_that_are_unknowns_are_refused_in_words():
    with pytest.raises(DerivativeError, match=r"np\.stack"):
        ad.jacobian(lambda x: polynomial.polyval(0.5, x), X)


def test_a_solution_is_that_of_the_plain_function():
    def residual(x):
        rates = [math.e * v - 1.0 if isinstance(v, float) else v - 9.0 for v in x]
        return np.stack(rates)

    np.testing.assert_allclose(Problem(residual).solve(X).x, 1.0 / math.e)
