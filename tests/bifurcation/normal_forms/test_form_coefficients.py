"""Normal forms at Hopf points: the first Lyapunov coefficient, for every form of the equations."""

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.bifurcation import Stability
from tests.periodic.oscillators import feedback, fitzhugh, one


def hopf_points(problem, x0, name, bounds, **options):
    branch = problem.continuation(x0, name, bounds, **{"stability": True, **options})
    return branch.hopf_points


def test_fitzhugh_nagumo_is_subcritical():
    problem = Problem(fitzhugh, params={"I": 0.2}, storage=one)
    start = problem.solve([-1.0, -0.5])
    points = hopf_points(problem, start.x, "I", (0.2, 1.6))
    found = [point.parameter for point in points]
    assert found == pytest.approx([0.331281337454746, 1.418718662545254], abs=1e-11)
    assert [p.frequency for p in points] == pytest.approx([0.275506805723561] * 2, rel=1e-10)
    assert [p.coefficients["l1"] for p in points] == pytest.approx(
        [0.971971081988999] * 2, rel=1e-8
    )
    assert str(points[0]).endswith("subcritical")


def test_a_predator_and_its_prey():
    def residual(x, K):
        eaten = x[0] * x[1] / (1.0 + x[0])
        return [-(x[0] * (1.0 - x[0] / K) - eaten), -(eaten - 0.5 * x[1])]

    problem = Problem(residual, params={"K": 2.0}, storage=one)
    (point,) = hopf_points(problem, [1.0, 1.0], "K", (2.0, 5.0))
    assert point.parameter == pytest.approx(3.0, abs=1e-11)
    assert point.frequency == pytest.approx(1.0 / np.sqrt(6.0), rel=1e-11)
    assert point.coefficients["l1"] == pytest.approx(-np.sqrt(6.0) / 10.0, rel=1e-8)
    assert str(point).endswith("supercritical")


def test_feedback_and_lorenz_84():
    problem = Problem(feedback, params={"a": 1.3}, storage=one)
    (point,) = hopf_points(problem, [0.0, 0.0, 0.0], "a", (0.3, 1.3), step=-0.05)
    assert point.coefficients["l1"] == pytest.approx(-0.3, abs=1e-10)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_normal_form_behind_a_change_of_coordinates(sign):
    """z' = (p + 2i) z + sign z |z|^2 by u = x + 0.3 y^2, v = y + 0.2 x^2; c1 does not change."""

    def flow(x, y, p):
        r2 = x**2 + y**2
        return p * x - 2.0 * y + sign * r2 * x, p * y + 2.0 * x + sign * r2 * y

    def residual(z, p):
        x, y = z  # the equations for x and y, with the charges u and v
        fx, fy = flow(x, y, p)
        return [-(fx + 0.6 * y * fy), -(fy + 0.4 * x * fx)]

    def storage(z):
        x, y = z
        return [x + 0.3 * y**2, y + 0.2 * x**2]

    problem = Problem(residual, params={"p": -0.5}, storage=storage)
    (point,) = hopf_points(problem, [0.0, 0.0], "p", (-0.5, 0.5))
    # q = (1, -i) / sqrt 2, so that x = 2 Re(w q) has |z|^2 = 2 |w|^2: c1 doubles, over omega = 2
    assert point.parameter == pytest.approx(0.0, abs=1e-12)
    assert point.coefficients["l1"] == pytest.approx(sign * 2.0 / 2.0, rel=1e-9)


def test_the_sign_of_the_mass_matrix():
    """M dx/dt = F with M = diag(2, 0.5), which scales x; no storage."""

    def residual(x, p):
        r2 = x[0] ** 2 + x[1] ** 2
        return [2.0 * ((p - r2) * x[0] - x[1]), 0.5 * ((p - r2) * x[1] + x[0])]

    problem = Problem(residual, params={"p": -0.5})
    mass = np.array([2.0, 0.5])
    (point,) = hopf_points(problem, [0.0, 0.0], "p", (-0.5, 0.5), stability=Stability(mass=mass))
    assert point.coefficients["l1"] == pytest.approx(-2.0, rel=1e-9)


def test_the_coefficient_is_saved(tmp_path):
    problem = Problem(feedback, params={"a": 1.3}, storage=one)
    branch = problem.continuation([0.0] * 3, "a", (0.3, 1.3), step=-0.05, stability=True)
    branch.save(tmp_path / "branch.npz")
    (point,) = type(branch).load(tmp_path / "branch.npz").hopf_points
    assert point.coefficients == branch.hopf_points[0].coefficients


def test_the_radius_of_small_cycles_follows_the_coefficient():
    """radius^2 = -sigma' (p - p0) / Re c1, an independent check by the orbits themselves."""
    problem = Problem(fitzhugh, params={"I": 0.2}, storage=one)
    start = problem.solve([-1.0, -0.5])
    branch = problem.continuation(start.x, "I", (0.2, 0.4), stability=True)
    (point,) = branch.hopf_points
    orbit = problem.periodic_orbit(branch)
    step = orbit.params["I"] - point.parameter
    h = 1e-4

    def growth(I):
        x = problem.at(I=I).solve(point.x).x
        values = np.linalg.eigvals(-problem.at(I=I).jacobian(x).toarray())
        return float(values.real.max())

    slope = (growth(point.parameter + h) - growth(point.parameter - h)) / (2.0 * h)
    squared = -slope * step / (point.coefficients["l1"] * point.frequency)
    # x - x0 = 2 Re(z q) with |q| = 1: the mean square of both unknowns together is 2 |z|^2
    x = orbit(np.linspace(0.0, orbit.period, 400, endpoint=False))
    measured = float(np.mean(np.sum((x - x.mean(axis=0)) ** 2, axis=1))) / 2.0
    assert measured == pytest.approx(squared, rel=2e-2)


class TestBranchPoints:
    def first(self, residual, n=1):
        problem = Problem(residual, params={"p": -0.5})
        branch = problem.continuation(np.zeros(n), "p", (-0.5, 0.7))
        return branch.branch_points[0]

    def test_a_transcritical_one(self):
        """p x - 2 x^2 = 0: the other branch is p = 2 x."""
        point = self.first(lambda x, p: p * x - 2.0 * x**2)
        a, c = point.coefficients["a"], point.coefficients["c"]
        assert -a / c == pytest.approx(2.0 * np.sign(point.vector[0]), rel=1e-8)
        assert point.nature == "transcritical"
        slope = point.other_tangent[-1] / point.other_tangent[0]
        assert slope == pytest.approx(2.0, rel=1e-6)

    @pytest.mark.parametrize(("sign", "way"), [(-1.0, "higher"), (1.0, "lower")])
    def test_a_pitchfork(self, sign, way):
        point = self.first(lambda x, p: p * x + 3.0 * sign * x**3)
        assert point.coefficients["a"] == 0.0
        assert point.coefficients["b"] / point.coefficients["c"] == pytest.approx(3.0 * sign)
        assert point.nature == f"pitchfork to {way} values"

    def test_the_second_term_turns_the_sign_of_the_first(self):
        """y = -4 x^2 in p x + 2 x^3 + x y: in all p x - 2 x^3."""

        def residual(z, p):
            return [p * z[0] + 2.0 * z[0] ** 3 + z[0] * z[1], -z[1] - 4.0 * z[0] ** 2]

        point = self.first(residual, 2)
        assert point.coefficients["b"] / point.coefficients["c"] == pytest.approx(-2.0, rel=1e-8)
        problem = Problem(residual, params={"p": -0.5})
        branch = problem.continuation([0.0, 0.0], "p", (-0.5, 0.7))
        arm = problem.switch_branch(branch, 0, (-0.5, 0.7))
        assert arm["p"][0] == pytest.approx(2.0 * arm.states[0, 0] ** 2, rel=1e-6)

    def test_a_buckling_rod(self):
        """sin(u) softens: the buckled shapes exist above the load."""

        def rod(u, p):
            full = np.concatenate([[0.0], u, [0.0]])
            return (full[2:] - 2.0 * u + full[:-2]) * 400.0 + (10.3 + p) * np.sin(u)

        point = self.first(rod, 19)
        assert point.nature == "pitchfork to higher values"
        # -u'' = L sin u: L - L0 = L0 A^2 / 8 for u = A sin(pi x); y is A sqrt(10) for 19 points
        a = point.coefficients
        load = 10.3 + point.parameter
        assert -a["b"] / a["c"] * 10.0 == pytest.approx(load / 8.0, rel=1e-6)


def test_a_zero_hopf_point_has_no_lyapunov_coefficient():
    """Roessler's equations with a = b: the fold at c = 2 a is a Hopf point as well."""

    def residual(x, c):
        return [x[1] + x[2], -x[0] - 0.2 * x[1], -0.2 - x[2] * (x[0] - c)]

    problem = Problem(residual, params={"c": 1.0}, storage=one)
    branch = problem.continuation([0.0, 0.0, 0.0], "c", (0.3, 2.0), step=-0.05, stability=True)
    (hopf,) = branch.hopf_points
    assert hopf.parameter == pytest.approx(0.4, abs=1e-8)
    assert hopf.frequency == pytest.approx(1.4, abs=1e-6)
    assert hopf.coefficients == {}
    assert hopf.nature == ""


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e8])
@pytest.mark.parametrize("degenerate", [True, False])
def test_the_nature_of_a_hopf_point_at_zero_does_not_depend_on_units(unit, degenerate):
    """The damping of van der Pol vanishes at the Hopf point as a whole, Rayleigh's does not."""

    def oscillator(x, mu):
        bend = (x[0] / unit) ** 2
        return [-x[1], x[0] - (mu * (1.0 - bend) if degenerate else mu - bend) * x[1]]

    problem = Problem(oscillator, params={"mu": -0.5}, storage=lambda x: 1.0 * x)
    branch = problem.continuation([0.0, 0.0], "mu", (-0.5, 1.0), stability=True)
    (hopf,) = branch.hopf_points
    assert hopf.nature == ("" if degenerate else "supercritical")


def test_a_sign_that_rounding_decides_is_not_named():
    """Of x'' + x = p (1 - x^2) x' at p = 0 the coefficient is zero: every circle is an orbit."""

    def residual(x, p):
        return [-x[1], x[0] - p * (1.0 - x[0] ** 2) * x[1]]

    problem = Problem(residual, params={"p": -1.0}, storage=one)
    (point,) = hopf_points(problem, [0.0, 0.0], "p", (-1.0, 1.0))
    assert point.coefficients["l1"] == pytest.approx(0.0, abs=1e-13)
    assert point.nature == ""


def test_a_pitchfork_without_a_cubic_term_has_no_direction_from_rounding():
    """Two Brusselators side by side: where one mode of the difference is critical, b is zero."""

    def residual(v, B):
        x, y, u, w = v
        first, second = x**2 * y, u**2 * w
        return [
            2.0 - (B + 1.0) * x + first + 0.1 * (u - x),
            B * x - first + w - y,
            2.0 - (B + 1.0) * u + second + 0.1 * (x - u),
            B * u - second + y - w,
        ]

    problem = Problem(residual, params={"B": 3.0})
    branch = problem.continuation([2.0, 1.5, 2.0, 1.5], "B", (3.0, 4.0))
    (point,) = branch.branch_points
    assert point.parameter == pytest.approx(3.6, abs=1e-10)
    assert point.coefficients["b"] == 0.0
    assert point.nature == ""
