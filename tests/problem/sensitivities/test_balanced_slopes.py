"""Equations that leave a level open: what follows a parameter, at rest and at a frequency."""

import numpy as np
import pytest

from sgsolve import Problem, SingularMatrixError

N = 6
SOURCES = np.array([1.0, -1.0, 2.0, -2.0, 0.5, -0.5])  # balanced
J = np.diag([-1.0, -2.0, -2.0, -2.0, -2.0, -1.0]) + np.eye(N, k=1) + np.eye(N, k=-1)
FREQUENCIES = [0.0, 1e-3, 1.0]


def conduction(unit, s_slope, **options):
    """Insulated at both ends; the sources change by s_slope with s."""

    def residual(u, s):
        v = u / unit
        flux = v[1:] - v[:-1]
        kept = np.concatenate([flux[:1], flux[1:] - flux[:-1], -flux[-1:]])
        return kept + SOURCES + (s - 1.0) * s_slope

    return Problem(residual, params={"s": 1.0}, storage=lambda u: u / unit, **options)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e12])
@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize("functional", [None, lambda u: u[0] - u[1]])
def test_no_solution_follows_what_is_not_balanced(unit, declared, functional):
    """Its derivative was rounding: what the equations cannot balance was left out."""
    problem = conduction(unit, np.ones(N), null_space=np.ones(N) if declared else None)
    result = problem.solve(np.full(N, unit))
    for at in (result, result.x):
        with pytest.raises(SingularMatrixError, match="no solution follows the parameter 's'"):
            problem.sensitivity(at, "s", functional)
    balanced = conduction(unit, SOURCES, null_space=np.ones(N) if declared else None)
    slope = balanced.sensitivity(balanced.solve(np.full(N, unit)), "s") / unit
    np.testing.assert_allclose(J @ slope, -SOURCES, atol=1e-12)


@pytest.mark.parametrize("slope", [SOURCES, np.eye(N)[2]], ids=["balanced", "not balanced"])
def test_a_level_that_stores_moves_at_a_frequency(slope):
    """At rest the level is open; where it stores, it follows."""
    problem = conduction(1.0, slope, null_space=np.ones(N))
    result = problem.solve(np.ones(N))
    for frequency in FREQUENCIES[1:]:
        found = problem.small_signal(result, "s", frequency).states[0]
        matrix = J + 2j * np.pi * frequency * np.eye(N)
        np.testing.assert_allclose(found, np.linalg.solve(matrix, -slope), rtol=1e-9)
    if slope.sum() == 0.0:
        found = problem.small_signal(result, "s", FREQUENCIES).states[0]
        np.testing.assert_allclose(found, np.linalg.lstsq(J, -slope)[0], atol=1e-12)
    else:
        with pytest.raises(SingularMatrixError, match="no solution follows the parameter 's'"):
            problem.small_signal(result, "s", FREQUENCIES)


def test_a_level_that_stores_nothing_stays_open_at_a_frequency():
    """Potentials beside temperatures, of which only these store; the mean of the first is kept."""

    def residual(y, s):
        u, T = y[:N], y[N:]
        return np.concatenate([J @ u + s * SOURCES * T, T - 1.0 - 0.1 * s])

    def balanced(y, s):
        r = residual(y, s)
        return np.concatenate([r[:N] - r[:N].mean(), r[N:]])

    level = np.concatenate([np.ones(N), np.zeros(N)])
    problem = Problem(
        balanced, params={"s": 1.0}, storage=lambda y: y * (1.0 - level), null_space=level
    )
    result = problem.solve(np.ones(2 * N))
    for frequency in FREQUENCIES:
        found = problem.small_signal(result, "s", frequency).states[0]
        T = 0.1 / (1.0 + 2j * np.pi * frequency)
        driven = SOURCES * (1.1 + T)
        np.testing.assert_allclose(found[N:], T, rtol=1e-12)
        np.testing.assert_allclose(J @ found[:N], -driven, atol=1e-11)
        assert abs(found[:N].sum()) <= 1e-11


def test_elements_of_an_array_balance_each_other():
    """A change of one source alone has no solution, and changes that balance each other have."""
    problem = Problem(lambda u, f: J @ u + f, params={"f": SOURCES})
    result = problem.solve(np.ones(N))
    slopes = problem.sensitivity(result, "f", lambda u: u[0] - u[-1])
    change = np.array([1.0, 0.0, 0.0, -3.0, 0.0, 2.0])
    moved = np.linalg.lstsq(J, -change)[0]
    assert slopes @ change == pytest.approx(moved[0] - moved[-1], rel=1e-10)


LINES = {  # rows of sources that an array of parameters gives, and elements that none can balance
    "one": (np.ones((N, 1)), [0]),
    "two": (np.ones((N, 2)), []),
    "one beside a balanced one": (np.stack([SOURCES, np.ones(N)], axis=1), [1]),
    "two in other units": (np.stack([np.ones(N), 1e-9 * np.eye(N)[0]], axis=1), []),
    "each": (np.eye(N), []),
}


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("functional", [None, lambda u: u[0] - u[1]])
def test_each_element_of_an_array_is_asked_for_its_balance(kind, functional):
    """An element that no other can balance was answered by rounding."""
    sources, alone = LINES[kind]
    m = sources.shape[1]
    problem = Problem(lambda u, f: J @ u + SOURCES + sources @ f, params={"f": np.zeros(m)})
    result = problem.solve(np.ones(N))
    if alone:
        which = "the parameter" if m == 1 else f"element {alone[0]} of the parameter"
        with pytest.raises(SingularMatrixError, match=f"no solution follows {which} 'f'"):
            problem.sensitivity(result, "f", functional)
        return
    slopes = problem.sensitivity(result, "f", functional)
    for change in np.linalg.svd(sources.sum(axis=0)[None, :])[2][1:]:  # those without a net source
        moved = np.linalg.lstsq(J, -sources @ change)[0]
        expected = moved if functional is None else functional(moved)
        np.testing.assert_allclose(slopes @ change, expected, rtol=1e-8, atol=1e-12)


def test_two_open_levels_take_an_element_each():
    """Three elements feed two tanks: only the third, alone in the second, is never balanced."""
    blocks = np.block([[J, np.zeros((N, N))], [np.zeros((N, N)), J]])
    sources = np.zeros((2 * N, 3))
    sources[0, 0], sources[3, 1], sources[N + 2, 2] = 1.0, -2.0, 1.0
    balanced = np.concatenate([SOURCES, SOURCES])
    problem = Problem(lambda u, f: blocks @ u + balanced + sources @ f, params={"f": np.zeros(3)})
    result = problem.solve(np.ones(2 * N))
    with pytest.raises(SingularMatrixError, match="element 2 of the parameter 'f'"):
        problem.sensitivity(result, "f")
    two = Problem(
        lambda u, f: blocks @ u + balanced + sources[:, :2] @ f, params={"f": np.zeros(2)}
    )
    slopes = two.sensitivity(two.solve(np.ones(2 * N)), "f")
    moved = np.linalg.lstsq(blocks, -sources[:, :2] @ [2.0, 1.0])[0]
    np.testing.assert_allclose(slopes @ [2.0, 1.0], moved, rtol=1e-9, atol=1e-12)
