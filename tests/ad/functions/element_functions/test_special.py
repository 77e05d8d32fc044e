import functools

import mpmath as mp
import numpy as np
import pytest
from scipy import special

from sgsolve import ad
from sgsolve.ad.functions.element_functions.bernoulli import bernoulli_of_both, slopes_of_both
from sgsolve.errors import DerivativeError, InputError
from tests.selection import slow


@pytest.fixture(autouse=True)
def forty_digits():
    with mp.workdps(40):
        yield


ORDERS = (-1, -0.5, 0, 0.5, 1, 1.5, 2.5)
ETA = [-700.0, -40.0, -7.3, -1.0, -1e-3, 0.0, 1e-9, 0.7, 1.49, 1.5, 3.5, 4.2, 6.0, 9.99, 13.0, 16.0,
       21.0, 26.0, 40.0, 41.999, 42.0, 42.001, 60.0, 500.0]  # fmt: skip


@functools.cache
def exact(order, eta):
    """-Li_{j+1}(-exp(eta)) (DLMF 25.12.16)."""
    eta, s = mp.mpf(eta), mp.mpf(order) + 1
    if order == -2:
        return 1 / (1 + mp.exp(-eta)) / (1 + mp.exp(eta))
    if order == -1:
        return 1 / (1 + mp.exp(-eta))
    if order == 0:
        return mp.log1p(mp.exp(eta))
    if eta > 60:  # the series of 25.12.15, whose error there is exp(-eta)
        terms = [
            2 * mp.altzeta(2 * k) * mp.rgamma(s + 1 - 2 * k) * eta ** (s - 2 * k)
            for k in range(1, 30)
        ]
        return eta**s * mp.rgamma(s + 1) + mp.fsum(terms)
    return -mp.re(mp.polylog(s, -mp.exp(eta)))


@pytest.mark.parametrize("order", [-0.5, 0, 0.5, *slow(-1, 1, 1.5, 2.5)])
def test_fermi_dirac_to_rounding(order):
    eta = np.array(ETA)
    y = ad.fermi_dirac(order, ad.seed(eta))
    slope = y.jacobian.diagonal()
    for k, x in enumerate(ETA):
        value, derivative = exact(order, x), exact(order - 1, x)
        # exp(eta) itself is no better than |eta| units in the last place
        tolerance = 1e-14 + 4e-16 * max(-x, 0)
        assert abs(y.value[k] - value) <= tolerance * value, x
        assert abs(slope[k] - derivative) <= 4 * tolerance * abs(derivative), x


def test_fermi_dirac_on_plain_arrays_of_any_shape_and_dtype():
    eta = np.linspace(-3.0, 50.0, 12).reshape(3, 4)
    assert ad.fermi_dirac(0.5, eta).shape == (3, 4)
    assert ad.fermi_dirac(0.5, eta.astype(np.float32)).dtype == np.float32
    assert np.isscalar(ad.fermi_dirac(0.5, 1.0))
    assert np.isnan(ad.fermi_dirac(0.5, np.nan))
    np.testing.assert_allclose(ad.fermi_dirac(0.5, 1), ad.fermi_dirac(0.5, 1.0))


def test_fermi_dirac_refuses_what_it_cannot_do():
    with pytest.raises(InputError, match=r"order 0\.3 is not one of"):
        ad.fermi_dirac(0.3, np.zeros(2))
    with pytest.raises(DerivativeError, match="real"):
        ad.fermi_dirac(0.5, np.array([1j]))


@pytest.mark.parametrize("k", [0, -1])
def test_lambertw(k):
    points = [-0.36, -0.2, -1e-3, -1e-9] + ([0.0, 1e-9, 0.3, 1.0, 30.0, 1e100] if k == 0 else [])
    y = ad.lambertw(ad.seed(points), k)
    for x, w, slope in zip(points, y.value, y.jacobian.diagonal(), strict=True):
        exact_w = mp.re(mp.lambertw(mp.mpf(x), k))
        exact_slope = mp.exp(-exact_w) / (1 + exact_w)
        # near the branch point the value itself loses 1 / (1 + w)
        tolerance = 2e-15 * (1 + 20 / abs(1 + exact_w) ** 2)
        assert abs(w - exact_w) <= tolerance * max(abs(exact_w), 1e-300)
        assert abs(slope - exact_slope) <= 30 * tolerance * (1 + abs(exact_w)) * abs(exact_slope)


def test_lambertw_outside_its_branch_is_nan():
    assert np.isnan(ad.lambertw(np.array([-0.5]))).all()
    assert np.isnan(ad.lambertw(np.array([0.5]), -1)).all()
    with pytest.raises(InputError, match="k = 1"):
        ad.lambertw(1.0, 1)


def test_logsumexp_is_scipys():
    x = np.array([[1.0, -2.0, 800.0], [0.5, 0.25, -1e4]])
    for axis, keepdims in ((None, False), (0, False), (1, True), (-1, False)):
        y = ad.logsumexp(ad.seed(x), axis, keepdims)
        np.testing.assert_allclose(
            y.value, special.logsumexp(x, axis, keepdims=keepdims), rtol=1e-15
        )
        shares = np.exp(x - special.logsumexp(x, axis, keepdims=True))
        total = y.jacobian.toarray().sum(axis=0).reshape(x.shape)
        np.testing.assert_allclose(total, shares, rtol=1e-12)
    assert ad.logsumexp(np.array([-np.inf, -np.inf])) == -np.inf


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 0.2, 0.3, 1.0, 30.0, 700.0, 745.0, 1e4])
@pytest.mark.parametrize("sign", [1, -1])
def test_bernoulli_to_rounding(scale, sign):
    x = mp.mpf(sign * scale)
    y = ad.bernoulli(ad.seed([float(x), float(x)]))
    value = x / mp.expm1(x)
    slope = (1 - value * mp.exp(x)) / mp.expm1(x)
    assert abs(y.value[0] - value) <= 4e-16 * (1 + abs(x)) * abs(value) + mp.mpf("1e-300")
    assert abs(y.jacobian.data[0] - slope) <= 3e-15 * (1 + abs(x)) * abs(slope) + mp.mpf("1e-300")


def test_bernoulli_at_zero_and_its_symmetry():
    y = ad.bernoulli(ad.seed([0.0, 2.0]))
    assert y.value[0] == 1.0
    assert y.jacobian[0, 0] == -0.5
    x = np.linspace(0, 30, 41)
    np.testing.assert_allclose(ad.bernoulli(-x), ad.bernoulli(x) + x, rtol=1e-14)


@pytest.mark.parametrize("scale", [0.0, 1e-200, 1e-12, 0.2, 0.3, 1.0, 30.0, 700.0, 1e4, np.inf])
def test_bernoulli_of_both_directions_is_that_of_each(scale):
    x = scale * np.array([1.0, -1.0])
    for sign, value, slope in zip(
        (1.0, -1.0), bernoulli_of_both(x), slopes_of_both(x, *bernoulli_of_both(x)), strict=True
    ):
        y = ad.bernoulli(sign * ad.seed(x))
        np.testing.assert_allclose(value, y.value, rtol=4e-16)
        if np.isfinite(scale):
            np.testing.assert_allclose(slope, y.jacobian.diagonal(), rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_slope_of_the_exponential_integrals(n):
    """E_n' = -E_(n-1), also for n = 0, where E_(-1)(x) = exp(-x) (1 + x) / x^2."""
    x = np.array([0.3, 1.0, 4.0])
    below = {0: np.exp(-x) * (1 + x) / x**2, 1: np.exp(-x) / x}.get(n)
    exact = -(special.expn(n - 1, x) if below is None else below)
    J = ad.jacobian(lambda u: special.expn(n, u), x)
    np.testing.assert_allclose(J.diagonal(), exact, rtol=1e-13)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda y: special.zeta(y), "zeta has no derivative rule"),
        (lambda y: special.zeta(y, 2.0), "zeta has no derivative rule for its argument 0"),
        (lambda y: special.jv(y, 2.0), "jv has no derivative rule for its argument 0"),
        (lambda y: special.hyp2f1(y, 1.0, 2.0, 0.3), "hyp2f1 has no derivative rule for its arg"),
    ],
)
def test_the_error_names_the_function_that_was_called(call, name):
    with pytest.raises(DerivativeError, match=rf"^scipy\.special\.{name}"):
        call(ad.seed([2.0]))
