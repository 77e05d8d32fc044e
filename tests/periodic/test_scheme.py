"""The building blocks of collocation: schemes, meshes, multipliers of products."""

import numpy as np
import pytest
import scipy.linalg

from sgsolve.periodic.multipliers import product_eigenvalues
from sgsolve.periodic.orbit_mesh import adapted_mesh, interpolated_at, mesh_error
from sgsolve.periodic.scheme import collocation_scheme


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("degree", [2, 3, 4, 7, 12])
def test_a_scheme_is_exact_for_polynomials_of_its_degree(degree, ends):
    scheme = collocation_scheme(degree, ends)
    power = np.arange(degree + 1)
    values = scheme.nodes[:, None] ** power
    slopes = power * scheme.nodes[1:, None] ** np.maximum(power - 1, 0)
    slope_error = (
        np.abs(scheme.slopes @ values - slopes) / np.abs(scheme.slopes).sum(axis=1)[:, None]
    )
    assert slope_error.max() < 1e-13
    assert scheme.last @ values == pytest.approx(np.ones(degree + 1), abs=1e-12)
    top_error = np.abs(scheme.top @ values - (power == degree)) / np.abs(scheme.top).sum()
    assert top_error.max() < 1e-13


@pytest.mark.parametrize(("ends", "order"), [(False, 8), (True, 7)])
def test_the_quadrature_has_the_order_of_its_points(ends, order):
    scheme = collocation_scheme(4, ends)
    errors = [
        abs(float(scheme.weights @ scheme.nodes[1:] ** k) - 1.0 / (k + 1)) for k in range(order + 1)
    ]
    assert max(errors[:order]) < 1e-15
    assert errors[order] > 1e-6


def test_a_mesh_is_fine_where_the_function_is_steep():
    scheme, mesh = collocation_scheme(4, False), np.linspace(0.0, 1.0, 41)
    sizes = np.ones(1)

    def nodes(mesh):
        return mesh[:-1, None] + np.diff(mesh)[:, None] * scheme.nodes

    def steep(t):
        return np.exp(20.0 * (np.cos(2.0 * np.pi * t) - 1.0))[..., None]

    errors = []
    for _ in range(4):
        errors.append(mesh_error(scheme, mesh, steep(nodes(mesh)), sizes))
        mesh = adapted_mesh(scheme, mesh, steep(nodes(mesh)), sizes, 40)
    assert np.all(np.diff(mesh) > 0.0)
    assert mesh[0] == 0.0
    assert mesh[-1] == 1.0
    assert errors[-1] < 0.1 * errors[0]
    t = np.linspace(0.0, 1.0, 999)
    true = np.abs(interpolated_at(scheme, mesh, steep(nodes(mesh)), t) - steep(t)).max()
    assert 0.1 * true < errors[-1] < 10.0 * true


def factors_with(values, count, seed=0):
    """Matrices whose product has these eigenvalues, in random coordinates between them."""
    n = len(values)
    rng = np.random.default_rng(seed)
    bases = [np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(count)]
    bases.append(bases[0])
    roots = np.abs(values) ** (1.0 / count)
    signs = np.sign(values)
    return np.array(
        [
            bases[k + 1] @ np.diag(roots * (signs if k == 0 else 1.0)) @ bases[k].T
            for k in range(count)
        ]
    )


@pytest.mark.parametrize("count", [1, 7, 60])
def test_multipliers_from_1e4_to_1e_8_have_all_their_digits(count):
    values = np.array([1e4, -30.0, 1.0, 0.5, -1e-3, 1e-8])
    found = product_eigenvalues(factors_with(values, count))
    tolerance = 1e-11 if count > 1 else 1e-3  # one matrix holds no more of the smallest
    assert np.abs(found / values - 1.0).max() < tolerance


def test_multipliers_far_beyond_the_range_of_a_product():
    values = np.array([1e60, 1.0, 1e-60, 1e-200])
    found = product_eigenvalues(factors_with(values, 300))
    assert np.abs(found / values - 1.0).max() < 1e-10


def test_of_many_multipliers_the_leading_ones_have_all_their_digits():
    """A field: most multipliers are far below the others."""
    values = np.concatenate([[1e3, 1.0, -0.9, 0.9, 0.5], 10.0 ** -np.linspace(1.0, 250.0, 75)])
    found = product_eigenvalues(factors_with(values, 120))
    exact = values[np.argsort(-np.abs(values), kind="stable")]
    large = np.abs(exact) > 1e-20
    assert np.abs(np.abs(found[large] / exact[large]) - 1.0).max() < 1e-9
    assert sorted(found[:5]) == pytest.approx([-0.9, 0.5, 0.9, 1.0, 1e3], rel=1e-11)
    assert len(found) == len(values)
    assert np.log(found[-1] / exact[-1]) == pytest.approx(0.0, abs=5.0)


def test_complex_pairs_and_zeros():
    pair = np.array([[0.3, -0.4], [0.4, 0.3]])
    blocks = scipy.linalg.block_diag(pair, 1e-6, 0.0)
    basis = np.linalg.qr(np.random.default_rng(1).standard_normal((4, 4)))[0]
    found = product_eigenvalues(np.array([blocks @ basis.T, basis]))
    assert sorted(found[:2], key=np.imag) == pytest.approx([0.3 - 0.4j, 0.3 + 0.4j], abs=1e-14)
    assert found[2] == pytest.approx(1e-6, rel=1e-8)
    assert abs(found[3]) < 1e-15
