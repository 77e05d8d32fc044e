"""Derivatives of the solution: forward and adjoint, against differences."""

import numpy as np
import pytest

from sgsolve import DerivativeError, InputError, Problem, SingularMatrixError, ad
from tests.families import bratu
from tests.flow import cavity


def own_jacobian(u, strength=1.0):
    return Problem(bratu).at(strength=strength).jacobian(u)


@pytest.mark.parametrize("options", [{}, {"jacobian": own_jacobian}])
def test_forward_and_adjoint(options):
    problem = Problem(bratu, params={"strength": 1.0}, **options)
    result = problem.solve(np.zeros(40))
    h = 1e-4
    up, down = (problem.at(strength=1.0 + s).solve(result.x).x for s in (h, -h))
    difference = (up - down) / (2.0 * h)
    forward = problem.sensitivity(result, "strength")
    assert np.allclose(forward, difference, rtol=1e-6)
    adjoint = problem.sensitivity(result, "strength", functional=lambda u: np.sum(u**2))
    assert abs(adjoint - 2.0 * result.x @ forward) < 1e-9
    by_gradient = problem.sensitivity(result, "strength", functional=2.0 * result.x)
    assert abs(adjoint - by_gradient) < 1e-12


def test_parameter_without_effect():
    problem = Problem(lambda x, a, b: x**2 - a, params={"a": 4.0, "b": 1.0})
    assert problem.sensitivity(problem.solve([1.0]), "b").tolist() == [0.0]


def test_refused_for_a_failure():
    problem = Problem(lambda x, a: x**2 + a, params={"a": 1.0})
    result = problem.solve([1.0], raise_on_failure=False)
    with pytest.raises(InputError, match="no solution"):
        problem.sensitivity(result, "a")


def test_check_jacobian_finds_an_error():
    good = Problem(bratu)
    assert good.check_jacobian(np.linspace(0.0, 1.0, 10))
    bad = Problem(bratu, jacobian=lambda u, strength=1.0: 1.1 * own_jacobian(u, strength))
    assert not bad.check_jacobian(np.linspace(0.0, 1.0, 10))


def test_one_factorization_serves_every_parameter_and_functional():
    problem = Problem(lambda x, a, b: x**3 + b * x - a, params={"a": 2.0, "b": 1.0})
    result = problem.solve(np.ones(3))
    with problem._definition.workspaces.lend() as workspace:
        before = workspace.counts().n_factor
    slope = 1.0 / (3.0 * result.x**2 + 1.0)
    np.testing.assert_allclose(problem.sensitivity(result, "a"), slope, rtol=1e-12)
    np.testing.assert_allclose(problem.sensitivity(result, "b"), -slope * result.x, rtol=1e-12)
    total = problem.sensitivity(result, "a", functional=np.sum)
    np.testing.assert_allclose(total, slope.sum(), rtol=1e-12)
    with problem._definition.workspaces.lend() as workspace:
        assert workspace.counts().n_factor == before + 1


def field_residual(u, source, conductivity, level=0.0):
    """-(k u')' + u^3 = source on (0, 1), u = level at both ends; k on edges, source at nodes."""
    h = 1.0 / (len(u) + 1)
    ends = np.ones(1) * level
    full = ad.hstack([ends, u, ends])
    flux = conductivity * (full[1:] - full[:-1]) / h
    return (flux[1:] - flux[:-1]) / h - u**3 + source


@pytest.fixture(scope="module")
def field():
    n = 12
    params = {
        "source": np.linspace(1.0, 2.0, n),
        "conductivity": 1.0 + 0.1 * np.sin(np.arange(n + 1.0)),
        "level": 0.3,
    }
    problem = Problem(field_residual, params=params)
    return problem, problem.solve(np.zeros(n))


def moved(problem, result, name, k, h):
    value = np.array(problem.params[name], dtype=float)
    value.flat[k] += h
    return problem.at(**{name: value if value.ndim else float(value)}).solve(result.x).x


@pytest.mark.parametrize("name", ["source", "conductivity", "level"])
def test_fields_forward_and_adjoint_against_differences(field, name):
    problem, result = field
    shape = np.shape(problem.params[name])

    def energy(u, conductivity, source):
        return ad.stack([np.sum(u**2) * conductivity[0], np.sum(u * source)])

    dx = problem.sensitivity(result, name)
    assert dx.shape == (12, *shape)
    forward, adjoint = (
        problem.sensitivity(result, name, functional=energy, mode=mode)
        for mode in ("forward", "adjoint")
    )
    assert forward.shape == adjoint.shape == (2, *shape)
    np.testing.assert_allclose(forward, adjoint, rtol=1e-12, atol=1e-14)
    for k in range(np.size(problem.params[name])):
        h = 1e-5
        ends = []
        for step in (h, -h):
            value = np.array(problem.params[name], dtype=float)
            value.flat[k] += step
            other = {**problem.params, name: value}
            x = moved(problem, result, name, k, step)
            g = energy(x, np.asarray(other["conductivity"]), np.asarray(other["source"]))
            ends.append((x, np.asarray(g)))
        by_x = (ends[0][0] - ends[1][0]) / (2 * h)
        by_g = (ends[0][1] - ends[1][1]) / (2 * h)
        np.testing.assert_allclose(dx.reshape(12, -1)[:, k], by_x, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(adjoint.reshape(2, -1)[:, k], by_g, rtol=1e-6, atol=1e-8)


def test_several_parameters_at_once_and_at_a_solution_given_as_an_array(field):
    problem, result = field
    every = problem.sensitivity(result, ["source", "level"], functional=np.sum)
    assert every["source"].shape == (12,)
    assert isinstance(every["level"], float)
    x = problem.at(level=0.5).solve(result.x).x
    there = problem.at(level=0.5).sensitivity(x, "level", functional=np.sum)
    h = 1e-5
    up, down = (problem.at(level=0.5 + s).solve(x).x.sum() for s in (h, -h))
    assert there == pytest.approx((up - down) / (2 * h), rel=1e-7)


def test_a_table_of_parameters_keeps_its_shape():
    problem = Problem(lambda x, a: x**2 - np.sum(a, axis=0), params={"a": np.ones((2, 3))})
    slope = problem.sensitivity(problem.solve(np.ones(3)), "a")
    expected = np.zeros((3, 2, 3))
    expected[np.arange(3), :, np.arange(3)] = 0.5 / np.sqrt(2.0)
    np.testing.assert_allclose(slope, expected, atol=1e-14)


def test_fields_of_a_problem_with_its_own_jacobian():
    problem = Problem(
        lambda x, a: x**3 - a,
        params={"a": np.array([1.0, 8.0])},
        jacobian=lambda x, a: np.diag(3 * x**2),
    )
    result = problem.solve([1.0, 2.0])
    np.testing.assert_allclose(
        problem.sensitivity(result, "a"), np.diag([1 / 3, 1 / 12]), rtol=1e-8, atol=1e-10
    )


def test_what_cannot_be_differentiated_is_refused(field):
    problem, result = field
    with pytest.raises(InputError, match="no parameter 'x0'"):
        problem.sensitivity(result, "x0")
    with pytest.raises(InputError, match="needs a functional"):
        problem.sensitivity(result, "level", mode="adjoint")
    with pytest.raises(InputError, match="forward, adjoint"):
        problem.sensitivity(result, "level", functional=np.sum, mode="backward")
    with pytest.raises(InputError, match="does not depend on x"):
        problem.sensitivity(result, "level", functional=lambda u: 1.0)
    with pytest.raises(
        InputError, match=r"the result has level = .*, but this problem is at level = 2"
    ):
        problem.at(level=2.0).sensitivity(result, "level")
    with pytest.raises(InputError, match=r"shape \(12,\)"):
        problem.sensitivity(result, "level", functional=np.ones(11))
    named = Problem(lambda x, a, kind="square": x**2 - a, params={"a": 4.0})
    with pytest.raises(InputError, match="parameter 'kind': it must be a number"):
        named.sensitivity(named.solve([1.0]), "kind")
    power = Problem(lambda x, S: x - [S.real, S.imag], params={"S": 1.0 + 2.0j})
    with pytest.raises(InputError, match=r"it is complex; make its real part .* two parameters"):
        power.sensitivity(power.solve([0.0, 0.0]), "S")


def test_a_parameter_in_a_list_beside_the_unknowns():
    """NumPy converts the list [left] to plain numbers unless another argument is an AD array."""

    def rod(T, left):
        full = np.concatenate([[left], T, [0.0]])
        return -(full[2:] - 2.0 * full[1:-1] + full[:-2])

    def mean(T, left):
        return np.mean(np.concatenate([[left], T]))

    def charge(T, left):
        return np.concatenate([T[:-1], [T[-1] * left]])

    problem = Problem(rod, params={"left": 1.0}, storage=charge)
    result = problem.solve(np.zeros(4))
    exact = np.array([0.8, 0.6, 0.4, 0.2])
    assert np.allclose(problem.sensitivity(result, "left"), exact, rtol=1e-12)
    assert np.isclose(problem.sensitivity(result, "left", functional=mean), 3.0 / 5.0)
    slow = problem.small_signal(result, "left", [0.0]).states[0]
    assert np.allclose(slow, exact, rtol=1e-12)
    found = problem.transient_sensitivity(result.x + 0.1, (0.0, 50.0), "left", rtol=1e-8)
    assert np.allclose(found.derivative, exact, atol=1e-6)


def test_a_parameter_that_is_made_a_plain_number_is_still_an_error():
    problem = Problem(lambda x, a: x - float(a), params={"a": 1.0})
    with pytest.raises(DerivativeError, match="float"):
        problem.sensitivity(problem.solve([0.0]), "a")


@pytest.mark.parametrize("backend", ["auto", "superlu", "dense"])
def test_a_level_that_no_equation_determines_stays_and_need_not_be_declared(backend):
    """Factors of a singular matrix gave an error or any level at all, as rounding chose."""
    problem = cavity(8, backend=backend)
    result = problem.solve({"u": 0.0, "v": 0.0, "p": 0.0})
    again = problem.solve(result.x)  # a solution at once: it looks for no null space
    reference = cavity(8, null_space=lambda u, v, p: {"u": 0.0 * u, "v": 0.0 * v, "p": 1.0 + 0 * p})
    expected = reference.sensitivity(result.x, "Re")
    moved = [problem.at(Re=100.0 + change).solve(result.x).x for change in (0.1, -0.1)]
    np.testing.assert_allclose(expected, (moved[0] - moved[1]) / 0.2, atol=1e-8)
    for at in (result, again, result.x):
        np.testing.assert_allclose(problem.sensitivity(at, "Re"), expected, rtol=0, atol=1e-13)
        corner = problem.sensitivity(at, "Re", functional=lambda x: x[-1], mode="adjoint")
        assert corner == pytest.approx(expected[-1], rel=1e-9)


def test_the_second_call_at_a_fold_names_the_singular_matrix_too():
    """It said that nothing was factorized."""
    problem = Problem(lambda x, p: x**2 - p, params={"p": 0.0})
    for _ in range(2):
        with pytest.raises(SingularMatrixError):
            problem.sensitivity([0.0], "p")
