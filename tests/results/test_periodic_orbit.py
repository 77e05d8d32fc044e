"""Pictures of a periodic orbit."""

import numpy as np
import pytest

from sgsolve import InputError, PeriodicOrbit
from tests.periodic.oscillators import van_der_pol


@pytest.fixture(scope="module")
def orbit():
    problem = van_der_pol(0.5)
    return problem.periodic_orbit(problem.transient([2.0, 0.0], (0.0, 50.0), rtol=1e-5))


def test_pictures_of_an_orbit_and_its_multipliers(orbit):
    plt = pytest.importorskip("matplotlib.pyplot")
    over_time = orbit.plot()
    assert over_time.get_xlabel() == "time"
    assert len(over_time.lines) == 2
    assert over_time.lines[0].get_xdata()[-1] == pytest.approx(orbit.period)
    plane = orbit.plot(unknowns=(0, 1))
    x, y = plane.lines[0].get_data()
    assert (x[0], y[0]) == pytest.approx((x[-1], y[-1]))
    assert np.abs(x).max() == pytest.approx(2.0, abs=0.05)
    axes = plt.figure().add_subplot()
    assert orbit.plot_multipliers(axes) is axes
    values = axes.lines[-1].get_xdata()
    assert np.sort(values) == pytest.approx(np.sort(orbit.multipliers.real))
    plt.close("all")


def test_an_orbit_without_multipliers():
    problem = van_der_pol(0.5)
    course = problem.transient([2.0, 0.0], (0.0, 50.0), rtol=1e-5)
    orbit = problem.periodic_orbit(course, multipliers=False)
    assert orbit.multipliers is None
    assert np.isnan(orbit.accuracy)
    assert "multipliers" not in repr(orbit)


def test_the_multipliers_are_drawn_into_a_new_figure(orbit):
    plt = pytest.importorskip("matplotlib.pyplot")
    axes = orbit.plot_multipliers()
    assert axes.lines[-1].get_ydata() == pytest.approx(orbit.multipliers.imag)
    plt.close("all")


def test_an_orbit_without_multipliers_says_how_to_get_them():
    """Such as that of a special point of a branch."""
    t = np.linspace(0.0, 2.0 * np.pi, 6)
    states = np.column_stack([np.cos(t), np.sin(t)])
    orbit = PeriodicOrbit(t, states, np.array([0.0, 1.0]), 4, False, {}, None, None)
    assert np.isnan(orbit.accuracy)
    for ask in (lambda: orbit.unstable, lambda: orbit.stable, orbit.plot_multipliers):
        with pytest.raises(InputError, match="periodic_orbit"):
            ask()
