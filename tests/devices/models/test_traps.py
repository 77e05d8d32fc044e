"""Traps that hold charge and recombine, against closed forms."""

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.devices import acceptor_traps, beer_lambert, donor_traps
from sgsolve.devices.models.carrier_statistics import Blakemore
from sgsolve.devices.models.mobility import masetti
from sgsolve.devices.models.tabulated_statistics import gauss_fermi
from sgsolve.errors import InputError, ShapeError

TRAP = {"c_n": 1e-8, "c_p": 3e-9, "n_trap": 2e10, "p_trap": 5e9}


def test_in_equilibrium_traps_are_filled_as_fermi_says():
    """n p = n_trap p_trap: the occupation is 1 / (1 + n_trap / n), whatever the captures are."""
    n = np.array([1e4, 2e10, 1e16])
    p = TRAP["n_trap"] * TRAP["p_trap"] / n
    held = 1.0 / (1.0 + TRAP["n_trap"] / n)
    negative, positive = (f(n, p, N_trap=1e14, **TRAP) for f in (acceptor_traps, donor_traps))
    np.testing.assert_allclose(negative, -1e14 * held, rtol=1e-12)
    np.testing.assert_allclose(positive, 1e14 * (1.0 - held), rtol=1e-12, atol=1.0)


def test_charges_of_traps_have_derivatives():
    n = ad.seed([1e12])
    exact = (
        1e14 * TRAP["c_n"] * TRAP["c_p"] * (1e10 + TRAP["p_trap"])
        - 1e14 * TRAP["c_n"] * TRAP["c_p"] * TRAP["p_trap"]
    ) + 1e14 * TRAP["c_n"] ** 2 * TRAP["n_trap"]
    whole = TRAP["c_n"] * (1e12 + TRAP["n_trap"]) + TRAP["c_p"] * (1e10 + TRAP["p_trap"])
    slope = donor_traps(n, 1e10, N_trap=1e14, **TRAP).jacobian.toarray()[0, 0]
    assert slope == pytest.approx(-exact / whole**2, rel=1e-12)


def test_light_and_statistics_that_cannot_be_are_refused():
    with pytest.raises(ShapeError, match="need one shape"):
        beer_lambert(np.zeros(3), np.zeros(4), 1e4)
    with pytest.raises(InputError, match="absorption: must be positive, got -1"):
        beer_lambert(np.zeros(3), np.zeros(3), -1.0)
    with pytest.raises(InputError, match="gamma: must be positive"):
        Blakemore(0.0)
    with pytest.raises(InputError, match="sigma: must be in"):
        gauss_fermi(13.0)
    with pytest.raises(InputError, match="carrier: must be 'n' or 'p', got 'e'"):
        masetti(np.array([1e16]), "e")


def test_donors_that_are_nearly_all_full_keep_their_digits():
    """The quotient in exact arithmetic, where 1 - f is 1e-27."""
    from fractions import Fraction

    values = {"c_n": 1e-8, "c_p": 2e-8, "n_trap": 3e-11, "p_trap": 1e5}
    n, p, N = 1e16, 1e-12, 1e17
    c_n, c_p, n_trap, p_trap, electrons, holes = map(Fraction, (*values.values(), n, p))
    empty = (c_n * n_trap + c_p * holes) / (c_n * (electrons + n_trap) + c_p * (holes + p_trap))
    found = donor_traps(n, p, N_trap=N, **values)
    assert found == pytest.approx(float(N * empty), rel=1e-14)
    assert 0.0 < found < 1e-9
