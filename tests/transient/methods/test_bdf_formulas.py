"""The formulas are exact for polynomials of their degree; errors are those of the next one."""

from math import factorial

import numpy as np
import pytest

from sgsolve.transient.methods.bdf_formulas import Formulas

H = 0.25
ORDERS = range(1, 6)


def past(power, count):
    """Values of t ** power at 0, -h, -2 h, ...; the next step ends at h."""
    return (-H * np.arange(count)) ** power


@pytest.mark.parametrize("ndf", [False, True])
@pytest.mark.parametrize("k", ORDERS)
def test_slopes_and_predictions_of_polynomials_are_exact(ndf, k):
    formulas = Formulas.of(ndf)
    for power in range(k + 1):
        values = past(power, k + 1)
        slope = formulas.alpha[k] / H * (H**power - formulas.known[k] @ values)
        assert slope == pytest.approx(power * H ** (power - 1), abs=1e-12)
        assert formulas.ahead[k] @ values == pytest.approx(H**power, abs=1e-12)


@pytest.mark.parametrize("k", ORDERS)
def test_the_error_is_that_of_the_next_power(k):
    """Of BDF 1 / (k + 1) times the next difference; NDF is the formula of table 1."""
    bdf, ndf = Formulas.of(False), Formulas.of(True)
    assert bdf.next_difference[k] @ past(k + 1, k + 2) == pytest.approx(
        factorial(k + 1) * H ** (k + 1)
    )
    assert bdf.error[k] == pytest.approx(1.0 / (k + 1))
    slope = bdf.alpha[k] / H * (H ** (k + 1) - bdf.known[k] @ past(k + 1, k + 1))
    lost = (k + 1) * H**k - slope
    assert abs(lost) == pytest.approx(bdf.error[k] * factorial(k + 1) * H**k)
    assert ndf.error[k] < bdf.error[k] or k == 5
    table = [0.0, -0.1850, -1 / 9, -0.0823, -0.0415, 0.0]
    harmonic = sum(1.0 / j for j in range(1, k + 1))
    assert ndf.alpha[k] == pytest.approx((1.0 - table[k]) * harmonic)
