"""Small oscillations: against analytic answers, and against the equations in time."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sgsolve import InputError, Problem, ShapeError, ad

R, C = 1e3, 1e-6


def ladder(n):
    """n resistors in series from a source u, a capacitor to ground behind each."""

    def residual(v, u):
        current = (ad.hstack([np.ones(1) * u, v[:-1]]) - v) / R
        return current - ad.hstack([current[1:], np.zeros(1)])

    return Problem(residual, params={"u": 1.0}, storage=lambda v: -C * v)


def test_an_rc_ladder_is_its_matrix_of_chains():
    n, frequencies = 30, np.logspace(-1, 4, 6)
    problem = ladder(n)
    rest = problem.solve(np.zeros(n))
    assert rest.x == pytest.approx(np.ones(n))
    response = problem.small_signal(
        rest,
        "u",
        frequencies,
        outputs={"input": lambda v, u: (u - v[0]) / R, "end": lambda v: v[-1]},
    )
    for k, f in enumerate(frequencies):
        shunt = np.array([[1, 0], [2j * np.pi * f * C, 1]])
        chain = np.linalg.matrix_power(np.array([[1, R], [0, 1]]) @ shunt, n)
        assert response["end"][k] == pytest.approx(1 / chain[0, 0], rel=1e-11)
        assert response["input"][k] == pytest.approx(chain[1, 0] / chain[0, 0], rel=1e-11)
    assert response.states is None


def test_a_damped_oscillator_resonates():
    mass, damping, spring = 2.0, 0.3, 5.0

    def residual(y, force):  # position and velocity
        return ad.stack([y[1], force - damping * y[1] - spring * y[0]])

    problem = Problem(
        residual, params={"force": 0.0}, storage=lambda y: y * np.array([-1.0, -mass])
    )
    frequencies = np.linspace(0.0, 1.0, 11)
    states = problem.small_signal(np.zeros(2), "force", frequencies).states
    w = 2 * np.pi * frequencies
    expected = 1 / (spring - mass * w**2 + 1j * w * damping)
    assert states[:, 0] == pytest.approx(expected, rel=1e-13)
    assert states[:, 1] == pytest.approx(1j * w * expected, rel=1e-13, abs=1e-15)


def test_one_analysis_for_all_frequencies_and_steady_states():
    problem = ladder(300)
    counts = [
        problem.small_signal(problem.at(u=u).solve(np.zeros(300)), "u", [1.0, 1e2, 1e4]).stats
        for u in (0.5, 1.0, 2.0)
    ]
    assert [c.n_analyze for c in counts] == [1, 0, 0]
    assert [c.n_factor for c in counts] == [3, 3, 3]


def diode_and_capacitor(v, u, bend=1.0):
    """A source u charges, through a resistor, a diode beside a capacitor that depends on v."""
    return (u - v) / R - 1e-12 * np.expm1(v / 0.025)


def stored(v, u, bend=1.0):
    return -C * (v + bend * v**3) - 1e-7 * (v - u)  # and a part of it lies between v and u


def test_nonlinear_storage_that_depends_on_the_parameter_too():
    problem = Problem(diode_and_capacitor, params={"u": 1.0}, storage=stored)
    rest = problem.solve([0.5])
    v, f = rest.x[0], 300.0
    outputs = {"source": (lambda v, u: (u - v[0]) / R, lambda v, u: 1e-7 * (u - v[0]))}
    response = problem.small_signal(rest, "u", f, outputs=outputs)
    w = 2j * np.pi * f
    into = 1 / R + w * 1e-7
    load = 1e-12 / 0.025 * np.exp(v / 0.025) + w * C * (1 + 3 * v**2)
    assert response["source"][0] == pytest.approx(into * load / (into + load), rel=1e-12)
    assert problem.mass_matrix(rest)[0, 0] == pytest.approx(-C * (1 + 3 * v**2) - 1e-7)


def test_it_is_what_the_equations_do_in_time():
    problem = Problem(diode_and_capacitor, params={"u": 0.6}, storage=stored)
    rest = problem.solve([0.5])
    f, small = 200.0, 1e-5
    w = 2 * np.pi * f

    def rate(t, v):
        u, du = 0.6 + small * np.sin(w * t), small * w * np.cos(w * t)
        flow = diode_and_capacitor(v, u) + 1e-7 * du
        return flow / (C * (1 + 3 * v**2) + 1e-7)

    period = np.linspace(0.0, 1.0, 65)[:-1]
    t = (40 + period) / f
    v = solve_ivp(rate, (0, 41 / f), rest.x, t_eval=t, rtol=1e-11, atol=1e-14, method="Radau").y[0]
    amplitude = 2 * np.mean((v - v.mean()) * np.exp(-2j * np.pi * period)) / (-1j * small)
    expected = problem.small_signal(rest, "u", f).states[0, 0]
    assert amplitude == pytest.approx(expected, rel=1e-4)


def test_a_residual_that_takes_its_own_rate():
    def residual(v, u, rate):
        return (u - v) / R - C * (1 + v**2) * rate

    problem = Problem(residual, params={"u": 1.0, "rate": np.zeros(3)}, storage="rate")
    rest = problem.solve(np.zeros(3))
    assert problem.mass_matrix(rest).toarray() == pytest.approx(np.diag([-2 * C] * 3))
    response = problem.small_signal(
        rest, "u", [50.0], outputs={"capacitor": lambda v, rate: C * (1 + v[0] ** 2) * rate[0]}
    )
    w = 2j * np.pi * 50.0 * 2 * C
    assert response["capacitor"][0] == pytest.approx(w / (1 + w * R), rel=1e-12)
    assert response.frequencies.tolist() == [50.0]


def test_at_no_frequency_it_is_the_sensitivity():
    problem = Problem(diode_and_capacitor, params={"u": 1.0}, storage=stored)
    rest = problem.solve([0.5])
    state = problem.small_signal(rest, "u", 0.0).states[0]
    assert state == pytest.approx(problem.sensitivity(rest, "u"), rel=1e-13)


def test_wrong_use_is_refused():
    problem = Problem(diode_and_capacitor, params={"u": 1.0})
    rest = problem.solve([0.5])
    with pytest.raises(InputError, match=r"Pass Problem\(..., storage=Q\)"):
        problem.small_signal(rest, "u", 1.0)
    problem = Problem(diode_and_capacitor, params={"u": 1.0}, storage=stored)
    for wrong in ([-1.0], [np.inf], np.nan, [[1.0, 2.0]], []):
        with pytest.raises(InputError, match="frequencies"):
            problem.small_signal(rest, "u", wrong)
    with pytest.raises(InputError, match="no parameter 'f'"):
        problem.small_signal(rest, "f", 1.0)
    with pytest.raises(InputError, match="no output 'i'; there are j"):
        problem.small_signal(rest, "u", 1.0, outputs={"j": lambda v: v[0]})["i"]
    short = Problem(diode_and_capacitor, params={"u": 1.0}, storage=lambda v: np.zeros(2))
    with pytest.raises(ShapeError, match=r"storage returned shape \(2,\)"):
        short.small_signal(rest, "u", 1.0)
    wrong_name = Problem(diode_and_capacitor, params={"u": 1.0}, storage="u")
    with pytest.raises(InputError, match="'u' that is dx/dt must be an array of 1 zeros"):
        wrong_name.small_signal(rest, "u", 1.0)


def test_mass_matrix_of_a_named_rate_with_a_given_jacobian():
    problem = Problem(
        lambda x, rate: x * rate + x**2,
        params={"rate": np.zeros(2)},
        jacobian=lambda x, rate: np.diag(rate + 2.0 * x),
        storage="rate",
    )
    assert problem.mass_matrix([3.0, 5.0]).toarray() == pytest.approx(np.diag([3.0, 5.0]))


def test_a_response_is_drawn_over_its_frequencies():
    plt = pytest.importorskip("matplotlib.pyplot")
    rc = Problem(lambda v, u: v - u, params={"u": 0.0}, storage=lambda v: 1.0 * v)
    found, frequencies = rc.solve([0.0]), [0.01, 1.0]
    response = rc.small_signal(found, "u", frequencies, outputs={"v": lambda v: v[0]})
    axes = response.plot("v")
    line = axes.lines[0]
    np.testing.assert_array_equal(line.get_xdata(), frequencies)
    exact = 1.0 / np.hypot(1.0, 2.0 * np.pi * np.array(frequencies))
    np.testing.assert_allclose(line.get_ydata(), exact, rtol=1e-12)
    assert axes.get_yscale() == "log"
    assert len(rc.small_signal(found, "u", frequencies).plot(ax=axes).lines) == 2
    with pytest.raises(InputError, match="no output 'w'"):
        response.plot("w")
    plt.close(axes.figure)


@pytest.mark.parametrize("constant", [lambda v: 0.0, lambda v, u: u])
def test_one_of_a_pair_may_be_constant(constant):
    rc = Problem(lambda v, u: v - u, params={"u": 0.0}, storage=lambda v: 1.0 * v)
    pairs = {
        "stored": (constant, lambda v: v[0] + v[0] ** 2),
        "through": (lambda v, u: u - v[0], constant),
    }
    omega = np.array([0.0, 0.5, 2.0])
    response = rc.small_signal([0.0], "u", omega / (2.0 * np.pi), outputs=pairs)
    voltage = 1.0 / (1.0 + 1j * omega)
    by_u = constant(0.0, 1.0) if constant.__code__.co_argcount == 2 else 0.0
    np.testing.assert_allclose(response["stored"], by_u + 1j * omega * voltage, atol=1e-14)
    expected = 1.0 - voltage + 1j * omega * by_u
    np.testing.assert_allclose(response["through"], expected, atol=1e-14)


def test_a_single_output_that_is_constant_is_refused():
    rc = Problem(lambda v, u: v - u, params={"u": 0.0}, storage=lambda v: 1.0 * v)
    with pytest.raises(InputError, match="does not depend on x"):
        rc.small_signal([0.0], "u", [1.0], outputs={"u": lambda v, u: u})
