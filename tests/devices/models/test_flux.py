"""Fluxes over densities: the same values and derivatives as of the single factors."""

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.devices.models.flux import Drift, absolute, relative

RNG = np.random.default_rng(3)
M = 7
W = np.array([-600.0, -30.0, -0.1, 0.0, 1e-9, 2.0, 650.0])
DROP = np.array([-400.0, -1e-8, 0.0, 3.0, 1e-12, -20.0, 80.0])


def factors(weight, ahead, back, drop):
    return weight * ahead * np.expm1(drop), -weight * back * np.expm1(-drop)


@pytest.mark.parametrize("carrying", ["all", "drift", "drop", "weight"])
@pytest.mark.parametrize("given", [False, True])
def test_relative_fluxes_are_products_of_their_factors(carrying, given):
    plain = {"weight": np.linspace(1.0, 2.0, M), "drift": W, "drop": DROP}
    z = ad.seed(np.concatenate(list(plain.values())))
    parts = {name: z[k * M : (k + 1) * M] for k, name in enumerate(plain)}
    parts = {k: v if carrying in ("all", k) else plain[k] for k, v in parts.items()}
    w, expected = parts["drift"], factors
    ahead, back = ad.bernoulli(w), ad.bernoulli(-1.0 * w)
    drift = Drift(w, (ahead, back) if given else None)
    found = relative(parts["weight"], drift, parts["drop"])
    for ours, theirs in zip(
        found, expected(parts["weight"], ahead, back, parts["drop"]), strict=True
    ):
        np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-14)
        slopes, reference = ours.jacobian.toarray(), theirs.jacobian.toarray()
        np.testing.assert_allclose(slopes, reference, rtol=1e-13, atol=1e-300)


def test_relative_fluxes_without_derivatives():
    drift = Drift(W)
    for ours, theirs in zip(
        relative(2.0, drift, DROP),
        factors(2.0, ad.bernoulli(W), ad.bernoulli(-W), DROP),
        strict=True,
    ):
        assert type(ours) is np.ndarray
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


@pytest.mark.parametrize("volts", [1.0, 13.0])
def test_relative_fluxes_are_absolute_ones_over_the_densities(volts):
    """13 V along one edge at 300 K are a drop of 503, beyond which another formula serves."""
    drop = np.array([volts, -volts]) / 0.0258520
    log_far = np.array([3.0, -2.0])
    density = np.exp(np.concatenate([[1.0, 1.5], log_far]))
    near, far = slice(0, 2), slice(2, 4)
    drift = Drift(np.log(density[near] / density[far]) + drop)
    whole = absolute(density, near, far, drift, drop)
    over_near, over_far = relative(1.0, drift, drop)
    np.testing.assert_allclose(over_near, whole / density[near], rtol=1e-12)
    np.testing.assert_allclose(over_far, whole / density[far], rtol=1e-12)
