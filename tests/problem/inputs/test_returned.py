"""A residual that returns something else away from the start is refused whenever it happens."""

import numpy as np
import pytest

from sgsolve import DataTypeError, InputError, Problem, ShapeError, ad, root, solvers
from sgsolve.errors import DerivativeError, SgsolveError
from sgsolve.problem.inputs.returned import real_vector, seeded_vector

SPOILED = {
    "complex": (lambda F: F + 0.0j, "real numbers"),
    "complex part": (lambda F: F * (1.0 + 1e-3j), "real numbers"),
    "column": (lambda F: F[:, None], r"shape \(3, 1\).*ravel"),
    "shorter": (lambda F: F[:-1], r"shape \(2,\)"),
    "longer": (lambda F: np.append(F, F[:1]), r"shape \(4,\)"),
    "scalar": (lambda F: F[0], r"shape \(\)"),
    "none": (lambda F: None, "None"),
    "constant": (lambda F: np.ones(3), "does not depend on x|singular"),
}


class Spoiled:
    """x^2 = a, spoiled from one evaluation on."""

    def __init__(self, spoil, after):
        self.spoil, self.after, self.count = spoil, after, 0

    def __call__(self, x, a=2.0):
        self.count += 1
        F = x**2 - a * np.array([1.0, 2.0, 3.0])
        return self.spoil(F) if self.count > self.after else F


START = np.array([9.0, 9.0, 9.0])
RUNS = {
    "solve": lambda f: Problem(f).solve(START),
    "newton": lambda f: Problem(f).solve(START, solvers.Newton()),
    "damped": lambda f: Problem(f).solve(START, solvers.DampedNewton()),
    "trust region": lambda f: Problem(f).solve(START, solvers.TrustRegion()),
    "krylov": lambda f: Problem(f).solve(START, solvers.NewtonKrylov()),
    "own Jacobian": lambda f: Problem(
        f, jacobian=lambda x, a=2.0: np.diag(2.0 * x)
    ).solve(START),
    "root": lambda f: root(f, START),
    "sweep": lambda f: Problem(f).sweep(START, "a", [1.0, 2.0, 3.0, 4.0]),
    "continuation": lambda f: Problem(f).at(a=2.0).continuation(START, "a", (0.5, 8.0)),
}  # fmt: skip


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("kind", SPOILED)
def test_every_evaluation_is_checked(kind, run):
    spoil, words = SPOILED[kind]
    if kind == "constant" and run in ("krylov", "own Jacobian"):
        return  # a residual may be constant somewhere; without its derivatives nobody can tell
    for after in (0, 1, 2, 3, 5, 8, 13):
        f = Spoiled(spoil, after)
        try:
            result = RUNS[run](f)
        except SgsolveError as error:
            caught = error
        else:
            assert f.count <= after or not result.success
            continue
        if kind != "constant":
            with pytest.raises((DataTypeError, ShapeError), match=words):
                raise caught


def test_what_serves_as_a_vector():
    for value in (np.arange(3), [1, 2, 3], np.array([True, False, True]), np.float32([1, 2, 3])):
        F = real_vector(value, 3)
        assert F.dtype == np.float64
        assert F.shape == (3,)
    given = np.ones(3)
    assert real_vector(given, 3) is not given  # a residual may write into its own array again
    np.testing.assert_array_equal(real_vector(np.ma.masked_array(np.ones(3)), 3), 1.0)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (np.ma.masked_array(np.ones(3), [0, 1, 0]), DataTypeError, "masked.*equation 1"),
        (np.array(["a", "b", "c"]), DataTypeError, "dtype <U1"),
        (np.array([1, None, 2], dtype=object), DataTypeError, "dtype object"),
        (np.ones(3) * 1j, DataTypeError, "DomainError"),
        ([[1.0], [1.0, 2.0]], ShapeError, "regular"),
    ],
)
def test_what_does_not(value, error, words):
    with pytest.raises(error, match=words):
        real_vector(value, 3)


def test_seeded_vectors():
    x = ad.seed(np.ones(3))
    assert seeded_vector(x, 3) is x
    with pytest.raises(DerivativeError, match="does not depend on x"):
        seeded_vector(np.ones(3), 3)
    with pytest.raises(DataTypeError, match="None"):
        seeded_vector(None, 3)
    with pytest.raises(InputError, match=r"shape \(2,\)"):
        seeded_vector(x[:2], 3)
