"""np.einsum of one AD array with constants: finite elements as they are written."""

import numpy as np
import pytest

from sgsolve import Problem, ad
from sgsolve.ad.functions.linear_algebra import contractions
from sgsolve.ad.structures import large_products
from sgsolve.solvers import DampedNewton, Shamanskii
from tests.ad.differences import check, numeric_jacobian

RNG = np.random.default_rng(4)
A, B, W = RNG.normal(size=(3, 4)), RNG.normal(size=(2, 3, 4)), RNG.uniform(1, 2, 2)
U, M, T = RNG.normal(size=4), RNG.normal(size=(2, 4)), RNG.normal(size=(2, 4, 4))

CASES = {
    "matrix": (U, lambda u: np.einsum("ij,j->i", A, u)),
    "two constants": (U, lambda u: np.einsum("qij,j,q->i", B, u, W)),
    "batches": (M, lambda m: np.einsum("qij,qj->qi", B, m)),
    "outer": (M, lambda m: np.einsum("qj,ij->iq", m, A)),
    "all": (M, lambda m: np.einsum("qij,qj", B, m**2)),
    "diagonal": (T, lambda t: np.einsum("qjj,qij->qi", t, B)),
    "dots": (M, lambda m: np.einsum("...j,ij->...i", m, A)),
    "axes": (U, lambda u: np.einsum(A, [0, 1], u, [1], [0])),
    "complex": (U, lambda u: np.einsum("ij,j->i", A * 1j + 1.0, u).imag),
    "stretched": (U, lambda u: np.einsum("ij,j->i", A[:, :1], u)),
    "summed constant": (U, lambda u: np.einsum("qij,j->j", B, u)),
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_slopes(name):
    x, call = CASES[name]
    check(call, x)


def test_constants_that_change():
    """A matrix would be made in every evaluation; the factors are coefficients instead."""
    for k in range(6):
        factor = A * (1.0 + k)
        J = ad.jacobian(lambda u, factor=factor: np.einsum("ij,j->i", factor, u**2), U)
        np.testing.assert_allclose(J.toarray(), factor * (2.0 * U), rtol=1e-14)


def neo_hooke(nx, ny):
    """A block of rubber that is stretched: quadrilaterals with four points each."""
    grid = np.meshgrid(np.linspace(0, 2, nx + 1), np.linspace(0, 1, ny + 1), indexing="ij")
    nodes = np.stack(grid, -1).reshape(-1, 2)
    number = np.arange(len(nodes)).reshape(nx + 1, ny + 1)
    corners = number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]
    elements = np.stack(corners, -1).reshape(-1, 4)
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    slopes = np.array([signs * (1 + signs * p / 3**0.5)[:, ::-1] / 4 for p in signs])
    J = np.einsum("qai,eaj->eqij", slopes, nodes[elements])
    volumes, slopes = np.linalg.det(J), np.einsum("qai,eqji->eqaj", slopes, np.linalg.inv(J))

    def residual(x, stretch):
        u = x.reshape(-1, 2)
        F = np.eye(2) + np.einsum("eai,eqaj->eqij", u[elements], slopes)
        inverse = np.linalg.inv(F).transpose(0, 1, 3, 2)
        P = F - inverse + 2.0 * np.log(np.linalg.det(F))[..., None, None] * inverse
        forces = np.zeros_like(u)
        np.add.at(forces, elements, np.einsum("eqij,eqaj,eq->eai", P, slopes, volumes))
        forces[number[0]] = u[number[0]]
        forces[number[-1]] = u[number[-1]] - [stretch, 0.0]
        return forces.reshape(-1)

    return residual, 2 * len(nodes)


@pytest.mark.parametrize("limit", [large_products.LARGE, 0])
def test_finite_elements(limit, monkeypatch):
    monkeypatch.setattr(large_products, "LARGE", limit)
    monkeypatch.setattr("sgsolve.ad.structures.operations.LARGE", limit)
    ad.clear_cache()
    residual, n = neo_hooke(5, 3)
    x = 0.02 * np.sin(np.arange(n))
    J = ad.jacobian(residual, x, stretch=0.1).toarray()
    np.testing.assert_allclose(J, numeric_jacobian(lambda x: residual(x, 0.1), x), atol=1e-8)
    problem = Problem(residual, params={"stretch": 0.2})
    branch = problem.sweep(np.zeros(n), "stretch", np.linspace(0.0, 1.0, 6))
    assert branch.success
    assert np.abs(residual(branch.states[-1], 1.0)).max() < 1e-12
    ad.clear_cache()


def test_rounding_of_symmetric_displacements_is_no_tail():
    """Displacements of 1e-18 on the axis of symmetry cost 80 residuals to prove the solution."""
    residual, n = neo_hooke(8, 4)
    solver = DampedNewton(reuse=Shamanskii(4))
    result = Problem(residual, params={"stretch": 0.2}).solve(np.zeros(n), solver)
    assert result.success
    assert result.stats.nfev <= 3 * result.stats.nit


def test_one_matrix_serves_all_evaluations():
    made = []
    original = contractions._matrix_of

    def counted(*arguments):
        made.append(original(*arguments))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contractions, "_matrix_of", counted)
        for k in range(3):
            ad.jacobian(lambda u: np.einsum("ij,j->i", A, np.exp(u)), U + k)
    assert len({id(m) for m in made}) == 1
