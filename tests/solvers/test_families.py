"""Scalable systems and published references."""

import numpy as np
import pytest

from sgsolve import Problem, solvers
from tests import families
from tests.problems import broyden_banded, broyden_tridiagonal, brusselator, discrete_boundary_value

N = 100_000


@pytest.mark.parametrize(
    ("residual", "start", "most"),
    [
        (families.extended_rosenbrock, np.tile([-1.2, 1.0], N // 2), 5),
        (broyden_tridiagonal, -np.ones(N), 8),
        (broyden_banded, -np.ones(N), 10),
        (discrete_boundary_value, np.zeros(N), 5),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_hundred_thousand_unknowns(residual, start, most):
    result = Problem(residual).solve(start)
    assert np.abs(residual(result.x)).max() < 1e-9
    assert result.nit <= most
    assert result.stats.n_analyze == 1


def test_extended_powell_converges_linearly_and_says_so():
    result = Problem(families.extended_powell).solve(np.tile([3.0, -1, 0, 1], 250))
    assert result.status.name == "CONVERGED_SLOWLY"
    assert np.abs(result.x).max() < 1e-10


@pytest.mark.parametrize(
    ("c", "last"),
    [
        (0.5, 1.2508065527),
        (0.9, 1.8477217179),
        (0.99, 2.4670969411),
        (0.9999, 2.8497774710),
        (1.0 - 1e-8, 2.8984732133),
    ],
)
def test_h_equation(c, last):
    result = Problem(families.h_equation(100)).at(c=c).solve(np.ones(100))
    assert abs(result.x[-1] - last) < 1e-9


def test_driven_cavity_has_the_norm_that_petsc_prints():
    residual, start = families.driven_cavity(25)
    norms = []
    Problem(residual).solve(
        start, solvers.Newton(), callback=lambda it: norms.append(np.linalg.norm(it.F))
    )
    assert abs(norms[0] - 0.0406612) < 1e-7
    assert norms[2] < 1e-11
    assert len(norms) <= 4


def test_buckled_beam_by_pseudo_time():
    residual, start = families.beam(99)
    direction = solvers.PseudoTransientDirection(initial=0.01, mass=1.0)
    result = Problem(residual).solve(start, solvers.PseudoTransient(direction=direction))
    assert 2.1 < result.x.max() < 2.3  # the buckled state, not the straight one
    assert np.abs(residual(result.x)).max() < 1e-6


def test_two_point_problem():
    residual, start = families.two_point(801)
    result = Problem(residual).solve(start)
    assert np.abs(residual(result.x)).max() < 1e-10
    assert result.x[0] > 1.0  # not the trivial solution


def test_convection_diffusion_is_second_order():
    errors = []
    for n in (31, 63, 127):
        residual, exact = families.convection_diffusion(n)
        errors.append(np.abs(Problem(residual).solve(np.zeros(n * n)).x - exact).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(np.abs(orders - 2.0) < 0.25)


def test_brusselator_needs_three_steps():
    residual, start = brusselator(32)
    method = solvers.Newton(termination=solvers.ResidualTolerance(relative=0.0, absolute=1e-6))
    result = Problem(residual).solve(start, method)
    assert result.nit == 3
    assert result.stats.n_analyze == 1
    assert abs(result.x[:1024].max() - 1.150313) < 1e-6
    assert abs(result.x[1024:].max() - 2.965597) < 1e-6


@pytest.mark.parametrize(
    ("residual", "start"),
    [
        (families.scipy_f, np.ones(5)),
        (families.powell_f4, np.array([-1.0, -2.0])),
        (families.pressure_network, np.array([2.0, 0.0, 2.0, 0.0])),
        (families.scipy_f6, np.array([-0.5, 1.4])),
        (families.diode_circuit, np.array([5.0])),
        (families.equilibrium_chemistry, np.ones(3)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_small_systems(residual, start):
    result = Problem(residual).solve(start)
    assert np.abs(residual(result.x)).max() < 1e-9
