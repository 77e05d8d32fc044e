"""Coefficients at generalized Hopf, zero-Hopf and double-Hopf points, from exact normal forms."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem
from sgsolve.bifurcation.normal_forms.center_manifold import center_flow
from sgsolve.bifurcation.normal_forms.codimension_two_forms import (
    double_hopf_form,
    second_lyapunov,
    zero_hopf_form,
)
from sgsolve.bifurcation.normal_forms.critical_modes import CriticalModes
from sgsolve.errors import LinearSolveError
from tests.families import lorenz_84
from tests.periodic.oscillators import one
from tests.selection import slow


def rotation(n):
    return np.linalg.qr(np.random.default_rng(3).standard_normal((n, n)))[0]


def by_storage(flow, n):
    """dx/dt = flow(x) as the balance of charges S x + 0.2 (S x)^2, shifted by one place."""
    S = rotation(n)

    def residual(x):
        f, y = S @ np.stack(flow(x)), S @ x
        return -(f + 0.4 * np.roll(y, 1) * np.roll(f, 1))

    def storage(x):
        y = S @ x
        return y + 0.2 * np.roll(y, 1) ** 2

    return Problem(residual), Problem(storage)


def by_coordinates(flow, n):
    """The same seen in z = S y with y_0 = x_0 and x_k = y_k + 0.3 y_0^2 - 0.2 y_0 y_(k-1)."""
    S = rotation(n)

    def residual(z):
        y = S.T @ z
        x = [y[0]] + [y[k] + 0.3 * y[0] ** 2 - 0.2 * y[0] * y[k - 1] for k in range(1, n)]
        f = flow(x)
        rates = [f[0]]
        for k in range(1, n):
            mixed = rates[0] * y[k - 1] + y[0] * rates[k - 1]
            rates.append(f[k] - 0.6 * y[0] * rates[0] + 0.2 * mixed)
        return -(S @ np.stack(rates))

    return Problem(residual), Problem(lambda z: 1.0 * z)


HIDDEN = pytest.mark.parametrize("hidden", [by_storage, by_coordinates])


def pencil_of(problems):
    equations, storage = problems
    return lambda x: (equations.jacobian(x), storage.jacobian(x))


def duffing(x):
    """u'' + u + u^2 + u^3 = -(u + u^2) u': a Lyapunov function gives r' = -(5 / 48) r^5."""
    u, v = x
    return [v, -(u + u**2 + u**3) - (u + u**2) * v]


def lyapunov_function_of_duffing(u, v):
    """With dV/dt = -(5 / 24) (u^2 + v^2)^3 up to the sixth order, in rational numbers."""
    sixth = 15 * u**5 - 120 * u**4 * v + 24 * u**3 * v**2 - 48 * u**2 * v**3 - 15 * u * v**4
    fifth = 5 * u**5 + 5 * u**3 * v**2 + 10 * u**2 * v**3 + 4 * v**5
    return (
        u**2
        + v**2
        + 2.0 / 3.0 * (u**3 + v**3)
        - u**2 * v**2
        - 2.0 / 15.0 * fifth
        - v / 72.0 * (sixth + 16 * v**5)
    )


def test_the_reference_of_the_second_lyapunov_coefficient():
    """dV/dt over its leading term, which is known, on small circles."""
    V = Problem(lambda x: [lyapunov_function_of_duffing(x[0], -x[1]), 0.0 * x[1]])
    for angle in np.linspace(0.0, 6.0, 7):
        x = 1e-2 * np.array([np.cos(angle), np.sin(angle)])
        slope = V.jacobian(x).toarray()[0] @ np.array(duffing(x))
        assert slope / 1e-12 == pytest.approx(-5.0 / 24.0, abs=0.05)


@HIDDEN
def test_the_second_lyapunov_coefficient(hidden):
    """A critical vector of length 1 makes r^2 = 2 |z|^2, and r^4 four times |z|^4."""
    pencil, calls = pencil_of(hidden(duffing, 2)), []
    found = second_lyapunov(lambda x: (calls.append(1), pencil(x))[1], np.zeros(2), 1.0)
    assert found["l2"] == pytest.approx(-4.0 * 5.0 / 48.0, abs=1e-8)
    assert len(calls) < 320  # Jacobians: one length will do


@pytest.mark.parametrize("omega", [0.3, *slow(2.0)])
def test_the_second_lyapunov_coefficient_of_a_circle(omega):
    def flow(x):
        r4 = (x[0] ** 2 + x[1] ** 2) ** 2
        return [-0.7 * r4 * x[0] - omega * x[1], -0.7 * r4 * x[1] + omega * x[0]]

    found = second_lyapunov(pencil_of(by_storage(flow, 2)), np.zeros(2), omega)
    assert found["l2"] == pytest.approx(-0.7 * 4.0 / omega, abs=1e-8)


def fold_and_oscillation(b, c, d, e):
    def flow(x):
        r2, w = x[0] ** 2 + x[1] ** 2, x[2]
        growth, omega = d * w + e * w**2, 1.5 + 0.3 * w
        rotating = [growth * x[0] - omega * x[1], growth * x[1] + omega * x[0]]
        return [*rotating, b * w**2 + c * r2]

    return flow


@pytest.mark.parametrize("hidden", [by_coordinates, *slow(by_storage)])
@pytest.mark.parametrize("b", [0.7, *slow(-0.7)])
def test_a_zero_hopf_point(hidden, b):
    """The form itself, behind a change of coordinates: what can be removed is removed."""
    c, d, e = -1.2, 0.4, 0.9
    found = zero_hopf_form(pencil_of(hidden(fold_and_oscillation(b, c, d, e), 3)), np.zeros(3), 1.5)
    assert found["theta"] == pytest.approx(d / b, abs=1e-8)
    assert found["s"] == np.sign(b * c)
    assert found["e"] == pytest.approx(e, abs=1e-8)
    # r^2 = 2 |z|^2, and w has one sign or the other
    signs = np.array([found["b"], found["c"], found["d"]]) * np.sign(b) * np.sign(found["b"])
    assert signs == pytest.approx([b, 2.0 * c, d], abs=1e-8)


@pytest.mark.slow
def test_a_time_that_depends_on_the_state_does_not_change_e():
    """Multiplied by 1 + 0.5 w the flow has other terms of the third order, which are removed."""
    plain = fold_and_oscillation(0.7, 1.2, -0.4, -0.9)

    def flow(x):
        return [(1.0 + 0.5 * x[2] + 0.2 * x[0]) * f for f in plain(x)]

    found = zero_hopf_form(pencil_of(by_coordinates(flow, 3)), np.zeros(3), 1.5)
    assert found["e"] == pytest.approx(-0.9, abs=1e-8)
    assert found["theta"] == pytest.approx(-0.4 / 0.7, abs=1e-8)


def test_a_reflection_leaves_no_quadratic_terms():
    def flow(x):
        r2, w = x[0] ** 2 + x[1] ** 2, x[2]
        return [-r2 * x[0] - 1.5 * x[1], -r2 * x[1] + 1.5 * x[0], -(w**3) - r2 * w]

    found = zero_hopf_form(pencil_of(by_storage(flow, 3)), np.zeros(3), 1.5)
    assert set(found) == {"b", "c", "d"}
    assert list(found.values()) == pytest.approx([0.0] * 3, abs=1e-10)


def two_oscillations(x, second=2.7):
    p = np.array([[-0.6, 0.5], [-0.8, -0.4]])
    squares = [x[0] ** 2 + x[1] ** 2, x[2] ** 2 + x[3] ** 2]
    one, two = (row[0] * squares[0] + row[1] * squares[1] for row in p)
    return [
        one * x[0] - x[1],
        one * x[1] + x[0],
        two * x[2] - second * x[3],
        two * x[3] + second * x[2],
    ]


@pytest.mark.parametrize("hidden", [by_storage, *slow(by_coordinates)])
def test_a_double_hopf_point(hidden):
    """The higher frequency, 2.7, comes first."""
    pencil = pencil_of(hidden(two_oscillations, 4))
    for frequencies in ((1.0, 2.7), (2.7, 1.0)):
        found = double_hopf_form(pencil, np.zeros(4), frequencies)
        quartet = [found[name] for name in ("p11", "p12", "p21", "p22")]
        assert quartet == pytest.approx([-0.8, -1.6, 1.0, -1.2], abs=1e-8)
        assert found["theta"] == pytest.approx(1.6 / 1.2, abs=1e-8)
        assert found["delta"] == pytest.approx(-1.0 / 0.8, abs=1e-8)


@pytest.mark.parametrize("second", [2.0, *slow(3.0)])
def test_a_strong_resonance_has_no_such_form(second):
    pencil = pencil_of(by_storage(lambda x: two_oscillations(x, second), 4))
    with pytest.raises(ArithmeticError, match="strong resonance"):
        double_hopf_form(pencil, np.zeros(4), (1.0, second))


def test_where_the_model_ends():
    def pencil(x):
        near = np.abs(x).max() == 0.0
        return (sp.csr_array([[0.0, -1.0], [1.0, 0.0]]), sp.eye_array(2).tocsr()) if near else None

    with pytest.raises(ArithmeticError, match="not finite around the point"):
        second_lyapunov(pencil, np.zeros(2), 1.0)
    with pytest.raises(ArithmeticError, match="the Jacobian is not finite"):
        second_lyapunov(lambda x: None, np.zeros(2), 1.0)


def test_the_frequency_must_be_that_of_a_simple_pair():
    def pencil(x):
        return sp.csr_array(np.zeros((2, 2))), sp.eye_array(2).tocsr()

    with pytest.raises((LinearSolveError, ArithmeticError)):
        second_lyapunov(pencil, np.zeros(2), 0.0)


def test_the_flow_to_the_third_order_gives_the_first_lyapunov_coefficient():
    """Of the feedback loop at a = 1: l1 = -3 / 10."""

    def flow(x):
        return [x[1], x[2], -x[2] - x[1] - x[0] + x[0] ** 2]

    pencil = pencil_of((Problem(lambda x: [-f for f in flow(x)]), Problem(one)))
    modes = CriticalModes.of(*pencil(np.zeros(3)), [1.0])
    assert center_flow(pencil, np.zeros(3), modes, 3)[0, (2, 1)].real == pytest.approx(-0.3)


@pytest.mark.slow
def test_the_points_of_the_extended_lorenz_84_model():
    """The places and coefficients that the tests of BifurcationKit.jl have, to their tolerances."""
    problem = Problem(lorenz_84, params={"F": 3.0, "T": 0.04}, storage=one)
    start = [2.9787, -0.0387, 0.0582, -0.0211]
    branch = problem.continuation(start, "F", (1.5, 3.0), step=-0.02, max_step=0.05, stability=True)
    hopf = min(branch.hopf_points, key=lambda point: abs(point.parameter - 2.46722))
    up = problem.hopf_curve(branch, "T", (0.0, 0.06), hopf, step=0.001, max_step=0.01)
    found = {point.kind: point for point in up.special_points}
    bautin = found["generalized hopf"]
    assert bautin.frequency == pytest.approx(0.6903636672622595, abs=1e-5)
    assert bautin.coefficients["l2"] * bautin.frequency == pytest.approx(0.155553326, abs=1e-3)
    double = found["bogdanov-takens"].coefficients
    assert double["a"] == pytest.approx(0.2144233509273467, abs=1e-8)
    assert double["b"] == pytest.approx(0.6065145518280868, abs=1e-8)
    folds = problem.fold_curve(branch, "T", (-0.1, 0.06), step=-0.001, max_step=0.005)
    kinds = [point.kind for point in folds.special_points]
    ends = ["bogdanov-takens", "zero hopf", "cusp", "zero hopf", "bogdanov-takens"]
    assert kinds == ends
    # the equations are symmetric under T -> -T, U -> -U
    one_side, other = folds.special_points_of("zero hopf")
    for name in ("e", "s", "theta"):
        assert one_side.coefficients[name] == pytest.approx(other.coefficients[name], rel=1e-7)


@pytest.mark.slow
def test_no_generalized_hopf_point_where_l1_has_a_pole():
    """At a zero-Hopf point l1 is infinite and changes its sign; both coefficients are listed."""

    def residual(x, p, q):
        r2, w = x[0] ** 2 + x[1] ** 2, x[2]
        growth = p + 0.5 * w
        f = [growth * x[0] - x[1], growth * x[1] + x[0], q * w - w**2 + 0.7 * r2]
        return -(rotation(3) @ np.stack(f))

    problem = Problem(residual, params={"p": -0.5, "q": -0.7}, storage=lambda x: rotation(3) @ x)
    branch = problem.continuation(np.zeros(3), "p", (-0.5, 0.5), stability=True)
    curve = problem.hopf_curve(branch, "q", (-0.7, 0.6))
    (point,) = curve.special_points
    assert point.kind == "zero hopf"
    assert point.parameter == pytest.approx(0.0, abs=1e-9)
    assert abs(point.coefficients["theta"]) == pytest.approx(0.5, abs=1e-8)
    assert np.sign(curve["l1"][0]) == -np.sign(curve["l1"][-1])
