"""Orbits of discretized fields: the Brusselator on an interval of length L."""

import numpy as np
import pytest
import scipy.sparse.linalg

from sgsolve import Problem

A, B, DX, DY = 2.0, 5.45, 0.008, 0.004


def brusselator(n):
    """M. Holodniok, M. Kubicek (1984); n inner points, both concentrations fixed at the ends."""

    def curvature(u, end):
        full = np.concatenate([[end], u, [end]])
        return (full[2:] - 2.0 * u + full[:-2]) * (n + 1) ** 2

    def residual(X, Y, L):
        reaction = X**2 * Y
        return {
            "X": -(DX / L**2 * curvature(X, A) + reaction - (B + 1.0) * X + A),
            "Y": -(DY / L**2 * curvature(Y, B / A) + B * X - reaction),
        }

    return Problem(
        residual,
        params={"L": 0.48},
        blocks={"X": (n,), "Y": (n,)},
        fields=True,
        storage=lambda X, Y: {"X": 1.0 * X, "Y": 1.0 * Y},
    )


def curvatures(n):
    """The eigenvalues of minus the second difference."""
    k = np.arange(1, n + 1)
    return 4.0 * (n + 1) ** 2 * np.sin(0.5 * k * np.pi / (n + 1)) ** 2


def hopf_lengths(n):
    """Mode k oscillates from L_k on: the trace of its 2 x 2 matrix vanishes."""
    return np.sqrt((DX + DY) * curvatures(n) / (B - 1.0 - A**2))


def rates(n, L):
    """All eigenvalues of the uniform state, largest real part first."""
    found = []
    for kappa in curvatures(n) / L**2:
        block = [[B - 1.0 - DX * kappa, A**2], [-B, -(A**2) - DY * kappa]]
        found += list(np.linalg.eigvals(block))
    return np.array(sorted(found, key=lambda value: -value.real))


def first_orbits(n, count, intervals):
    problem = brusselator(n)
    start = problem.pack(X=A, Y=B / A)
    steady = problem.continuation(start, "L", (0.48, 0.55), step=0.04, stability=True)
    orbits = problem.orbit_continuation(
        steady, bounds=(0.48, 0.8), max_points=count, intervals=intervals
    )
    return steady, orbits


@pytest.mark.slow
def test_the_brusselator_with_a_thousand_unknowns():
    n = 500
    steady, orbits = first_orbits(n, 2, 20)
    (hopf,) = steady.hopf_points
    assert hopf.parameter == pytest.approx(hopf_lengths(n)[0], abs=1e-8)
    at_hopf = rates(n, hopf.parameter)
    assert hopf.frequency == pytest.approx(abs(at_hopf[0].imag), abs=1e-8)
    assert hopf.nature == "supercritical"
    assert orbits["accuracy"].max() < 1e-6
    assert (orbits["unstable"] == 0).all()
    small = orbits["multipliers"][0]
    # beside the Hopf point the multipliers are those of the steady state
    exact = np.exp(at_hopf[2:6] * 2.0 * np.pi / hopf.frequency)
    assert np.abs(np.sort_complex(small[2:6]) - np.sort_complex(exact)).max() < 5e-3
    # of fewer points all multipliers are computed, by the product of the maps
    coarse = first_orbits(40, 2, 20)[1]
    assert coarse["L"] == pytest.approx(orbits["L"], abs=1e-3)
    assert np.abs(coarse["multipliers"][:, :4] - orbits["multipliers"][:, :4]).max() < 5e-3


def test_time_and_memory_are_linear_in_the_intervals_and_in_the_unknowns():
    """Elements of the Jacobian for each state, and of its factors where PARDISO counts them."""
    from sgsolve.periodic.discretization import Discretization
    from sgsolve.periodic.scheme import collocation_scheme
    from sgsolve.problem.orbits.orbit_equations import OrbitEquations

    per_state = []
    for n, N in ((100, 8), (100, 16), (200, 8)):
        problem = brusselator(n)
        x = problem.pack(X=A, Y=B / A)
        system, x, _ = problem._definition.started(x, {})
        states = np.array([x + 0.01 * k for k in range(9)])
        equations = OrbitEquations(system, problem._definition.storage, "L", states, 0.5)
        grid = Discretization(equations, collocation_scheme(4, True), N)
        J = grid.pattern.matrix(np.ones(grid.pattern.nnz))
        per_state.append(J.nnz / grid.size)
        assert scipy.sparse.linalg.norm(J) > 0.0
    assert per_state == pytest.approx([per_state[0]] * 3, rel=0.02)
