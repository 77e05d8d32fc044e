"""Names of back ends, registration, and what back ends declare."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem, linear
from sgsolve.errors import BackendError, DataTypeError, InputError
from sgsolve.linear.methods import choose
from sgsolve.linear.methods.direct.pardiso import available
from sgsolve.linear.structure.ordering import narrow_order
from sgsolve.pattern import Pattern
from tests.linear.matrices import drift_diffusion, five_point


class Toy:
    """A dense solver in three methods."""

    def analyze(self, A):
        pass

    def factorize(self, A):
        self.inverse = np.linalg.inv(A.toarray())

    def solve(self, b, transpose):
        return (self.inverse.T if transpose else self.inverse) @ b


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(choose, "REGISTRY", dict(choose.REGISTRY))


@pytest.mark.usefixtures("registry")
def test_a_registered_back_end_is_known_by_name_everywhere():
    linear.register("toy", Toy)
    linear.register("toy", Toy)  # once more is no harm
    assert "toy" in linear.backends()
    A = five_point(6)
    solver = linear.LinearSolver(Pattern.of(A), "toy")
    solver.factorize(A)
    np.testing.assert_allclose(A @ solver.solve(np.ones(36)), 1.0)
    result = Problem(lambda x: x**3 - 8.0, backend="toy").solve(np.ones(3))
    assert result.stats.backend == "Toy"
    np.testing.assert_allclose(result.x, 2.0)


@pytest.mark.usefixtures("registry")
def test_a_name_that_is_taken_is_refused():
    for name in ("auto", "superlu"):
        with pytest.raises(InputError, match=f"'{name}' is taken"):
            linear.register(name, Toy)
    with pytest.raises(DataTypeError, match="must make back end 'toy'"):
        linear.register("toy", Toy())


def test_an_unknown_name_lists_the_known_ones():
    known = ", ".join(repr(name) for name in linear.backends())
    assert {"auto", "banded", "dense", "superlu"} <= set(linear.backends())
    with pytest.raises(BackendError, match=f"known are {known}, or an object"):
        linear.LinearSolver(Pattern.of(five_point(3)), "cholmod")


@pytest.mark.parametrize("kind", [linear.Banded, linear.Dense, linear.SuperLU])
def test_an_object_with_settings_serves_many_patterns(kind):
    backend = kind()
    for side in (3, 5):
        A = five_point(side)
        solver = linear.LinearSolver(Pattern.of(A), backend)
        solver.factorize(A)
        np.testing.assert_allclose(A @ solver.solve(np.ones(side * side)), 1.0)
        assert solver._driver.active is not backend


@pytest.mark.parametrize(
    ("name", "whole"), [("dense", True), ("banded", False), ("superlu", False)]
)
def test_back_ends_declare_whether_dense_borders_cost_nothing(name, whole):
    assert linear.LinearSolver(Pattern.of(five_point(3)), name).dense_borders is whole
    assert linear.LinearSolver(Pattern.of(five_point(3)), Toy).dense_borders is False


def answer(solver, A, b=None):
    solver.factorize(A)
    return solver.solve(np.ones(A.shape[0]) if b is None else b)


@pytest.mark.parametrize("blocks", [True, False])
def test_one_dimensional_devices_are_banded_in_any_order(blocks):
    A = drift_diffusion((200,), 0.0, blocks)
    solver = linear.LinearSolver(Pattern.of(A))
    answer(solver, A)
    assert solver.name == "banded"
    assert narrow_order(Pattern.of(A)).width <= 12


@pytest.mark.parametrize(
    ("A", "name"),
    [
        (five_point(5), "dense"),
        (drift_diffusion((50,), 0.0), "banded"),
        (five_point(60), "pardiso" if available() else "banded"),
        (drift_diffusion((40, 40), 0.0), "pardiso" if available() else "superlu"),
    ],
)
def test_choice_by_size_and_band(A, name):
    solver = linear.LinearSolver(Pattern.of(A))
    assert solver.name == name
    assert np.isfinite(answer(solver, A)).all()
    assert solver.name == name


def test_a_full_matrix_is_dense_at_every_size():
    """Blocks that do not touch each other are another case: their share of entries is small."""
    n = 240
    full = np.ones((n, n))
    assert linear.LinearSolver(Pattern.of(sp.csr_array(full))).name == "dense"
    blocks = sp.csr_array(np.kron(np.eye(2), full[: n // 2, : n // 2]))
    assert linear.LinearSolver(Pattern.of(blocks)).name != "dense"
    kernel = np.exp(-np.abs(np.subtract.outer(np.arange(n), np.arange(n)) / n)) / n
    result = Problem(lambda u: u - 0.2 * kernel @ np.exp(u)).solve(np.zeros(n))
    assert result.stats.backend == "dense"
