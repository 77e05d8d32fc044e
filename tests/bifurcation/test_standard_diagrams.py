"""The diagrams by which programs for bifurcations are compared, with three lines for each."""

import numpy as np
import pytest
import scipy.optimize

from sgsolve import Problem
from tests.families import reactor_of_two_steps
from tests.periodic.oscillators import one
from tests.periodic.shooting import planar_fold, special_cycle


def morris_lecar(x, I):
    """The parameters of J. Rinzel, G. B. Ermentrout (1989) for a Hopf point; C = 20 uF/cm2."""
    V, w = x
    m = 0.5 * (1.0 + np.tanh((V + 1.2) / 18.0))
    ahead = 0.5 * (1.0 + np.tanh((V - 2.0) / 30.0))
    rate = 0.04 * np.cosh((V - 2.0) / 60.0)
    current = I - 4.4 * m * (V - 120.0) - 8.0 * w * (V + 84.0) - 2.0 * (V + 60.0)
    return [-current / 20.0, -rate * (ahead - w)]


def fast_morris_lecar(x, y):
    """The fast equations in the manual of MATCONT, at z = 0.1."""
    v, w = x
    m = 0.5 * (1.0 + np.tanh((v + 0.01) / 0.15))
    ahead = 0.5 * (1.0 + np.tanh((v - 0.1) / 0.145))
    flow = y - 0.5 * (v + 0.5) - 2.0 * w * (v + 0.7) - m * (v - 1.0)
    return [-flow, -1.15 * (ahead - w) * np.cosh((v - 0.1) / 0.29)]


def lorenz(x, rho):
    X, Y, Z = x
    return [-10.0 * (Y - X), -(rho * X - Y - X * Z), -(X * Y - 8.0 / 3.0 * Z)]


def reactor(x, Da):
    """A -> B in a stirred tank with cooling: the first demonstration of AUTO."""
    c, T = x
    rate = Da * (1.0 - c) * np.exp(T)
    return [c - rate, 3.0 * T - 14.0 * rate]


def predator(x, alpha, delta):
    """A. D. Bazykin's model with saturation and competition, epsilon = 0.01."""
    u, v = x
    eaten = u * v / (1.0 + alpha * u)
    return [-(u - eaten - 0.01 * u**2), -(-v + eaten - delta * v**2)]


def values(points):
    return [point.parameter for point in points]


def derivatives(f, x, h=1e-5):
    """The Jacobian of the right-hand side by differences of order 4, for references."""
    x = np.asarray(x, dtype=float)
    columns = []
    for e in np.eye(len(x)) * h:
        near, far = (-(np.array(f(x + k * e)) - np.array(f(x - k * e))) for k in (1, 2))
        columns.append((8.0 * near - far) / (12.0 * h))
    return np.array(columns).T


class TestMorrisLecar:
    def test_hopf_points(self):
        problem = Problem(morris_lecar, params={"I": 0.0}, storage=one)
        branch = problem.continuation([-60.0, 0.01], "I", (0.0, 250.0), stability=True)

        def trace(V):
            w = 0.5 * (1.0 + np.tanh((V - 2.0) / 30.0))
            return np.trace(derivatives(lambda x: morris_lecar(x, 0.0), [V, w], 1e-3))

        for point, bracket, printed in zip(
            branch.hopf_points, ((-28.0, -24.0), (5.0, 10.0)), (93.86, 212.02), strict=True
        ):
            assert point.parameter == pytest.approx(printed, abs=0.005)
            assert point.nature == "subcritical"
            assert point.x[0] == pytest.approx(scipy.optimize.brentq(trace, *bracket), abs=1e-8)

    @pytest.mark.slow
    def test_cycles_between_the_hopf_points(self):
        problem = Problem(morris_lecar, params={"I": 0.0}, storage=one)
        diagram = problem.bifurcation_diagram([-60.0, 0.01], "I", (0.0, 250.0), orbits=True)
        (cycles,) = diagram.orbits
        assert values(cycles.special_points) == pytest.approx([88.29, 216.90], abs=0.005)
        for fold in cycles.folds:
            orbit = cycles.orbit(fold)
            T, I = special_cycle(
                lambda x, I: [-f for f in morris_lecar(x, I)],
                orbit.states[0],
                orbit.period,
                fold.parameter,
                planar_fold,
            )
            assert fold.parameter == pytest.approx(I, abs=1e-6)
            assert orbit.period == pytest.approx(T, rel=1e-4)  # it changes fast at a fold
        assert [point.kind for point in cycles.special_points] == ["fold", "fold"]
        assert cycles["I"][-1] == pytest.approx(212.0188161, abs=1e-4)
        stable = cycles["unstable"] == 0
        assert stable[(cycles["I"] > 95.0) & (cycles["amplitude"] > 60.0)].all()

    @pytest.mark.slow
    def test_the_values_of_matcont(self):
        problem = Problem(fast_morris_lecar, params={"y": 0.110472}, storage=one)
        diagram = problem.bifurcation_diagram([0.047, 0.3256], "y", (-0.05, 0.12), orbits=True)
        (hopf,) = diagram.special_points_of("hopf")
        assert hopf.parameter == pytest.approx(0.075659, abs=1e-6)
        folds = diagram.special_points_of("fold")
        both = Problem(
            lambda x, y, shift: fast_morris_lecar(x, y + shift),
            params={"y": 0.110472, "shift": 0.0},
            storage=one,
        )
        again = both.continuation([0.047, 0.3256], "y", (-0.05, 0.12), step=-0.01)
        for number, printed in ((0, -10.36700), (1, -2.697425)):
            curve = both.fold_curve(again, "shift", (-0.01, 0.01), number)
            assert abs(curve["quadratic"][0]) == pytest.approx(abs(printed), rel=1e-5)
        assert values(folds) == pytest.approx([-0.020727, 0.083257], abs=1e-6)
        (cycles,) = diagram.orbits
        (fold,) = cycles.special_points  # and none from rounding beside the homoclinic orbit
        assert fold.parameter == pytest.approx(8.456948e-2, abs=1e-8)
        assert cycles.orbit(fold).period == pytest.approx(4.222011, abs=1e-5)
        assert "homoclinic" in cycles.message


class TestLorenz:
    def test_the_pitchfork_and_the_hopf_points(self):
        problem = Problem(lorenz, params={"rho": 0.5}, storage=one)
        diagram = problem.bifurcation_diagram([0.0, 0.0, 0.0], "rho", (0.5, 30.0))
        (pitchfork,) = diagram.special_points_of("branch point")
        assert pitchfork.parameter == pytest.approx(1.0, abs=1e-10)
        assert pitchfork.nature == "pitchfork to higher values"
        both = diagram.special_points_of("hopf")
        assert values(both) == pytest.approx([470.0 / 19.0] * 2, abs=1e-8)
        frequency = np.sqrt(2.0 * 10.0 * 11.0 * 8.0 / 3.0 / (10.0 - 8.0 / 3.0 - 1.0))
        for point in both:
            assert point.frequency == pytest.approx(frequency, abs=1e-8)
            assert point.nature == "subcritical"

    @pytest.mark.slow
    def test_cycles_end_at_the_homoclinic_orbit(self):
        problem = Problem(lorenz, params={"rho": 0.5}, storage=one)
        diagram = problem.bifurcation_diagram([0.0, 0.0, 0.0], "rho", (0.5, 30.0), orbits=True)
        assert len(diagram.orbits) == 2
        for cycles in diagram.orbits:
            assert "homoclinic" in cycles.message
            assert cycles["rho"][-1] == pytest.approx(13.926557, abs=1e-6)
            assert set(cycles["unstable"][cycles["accuracy"] < 1e-4]) == {1}


class TestReactor:
    def test_ignition_extinction_and_oscillation(self):
        problem = Problem(reactor, params={"Da": 0.0}, storage=one)
        branch = problem.continuation([0.0, 0.0], "Da", (0.0, 0.2), stability=True)

        def Da(c):
            return c / ((1.0 - c) * np.exp(14.0 * c / 3.0))

        at_folds = 0.5 - np.array([0.5, -0.5]) * np.sqrt(1.0 - 12.0 / 14.0)
        assert values(branch.folds) == pytest.approx(Da(at_folds), abs=1e-12)
        assert values(branch.folds) == pytest.approx([0.105739, 0.0889318], abs=1e-6)  # AUTO
        # the trace: 14 c - 4 - c / (1 - c) = 0
        at_hopf = max(np.roots([-14.0, 17.0, -4.0]).real)
        (hopf,) = branch.hopf_points
        assert hopf.parameter == pytest.approx(Da(at_hopf), abs=1e-10)
        assert hopf.parameter == pytest.approx(0.1309, abs=1e-6)

    @pytest.mark.slow
    def test_cycles(self):
        problem = Problem(reactor, params={"Da": 0.0}, storage=one)
        diagram = problem.bifurcation_diagram([0.0, 0.0], "Da", (0.0, 0.2), orbits=True)
        (cycles,) = diagram.orbits
        assert "homoclinic" in cycles.message
        assert not cycles.special_points
        assert cycles["Da"][-1] == pytest.approx(0.1055071, abs=1e-6)
        assert (cycles["unstable"] == 0).all()


class TestReactorOfTwoSteps:
    def test_hopf_points(self):
        """Where the characteristic polynomial s^3 + a s^2 + b s + c has a b = c (Routh)."""
        problem = Problem(reactor_of_two_steps, params={"D": 0.0}, storage=one)
        branch = problem.continuation([0.0, 0.0, 0.0], "D", (0.0, 0.4), stability=True)

        def equations(z):
            J = derivatives(lambda x: reactor_of_two_steps(x, z[3]), z[:3], 1e-3)
            _, a, b, c = np.poly(J)
            return [*reactor_of_two_steps(z[:3], z[3]), a * b - c]

        assert not branch.folds
        assert len(branch.hopf_points) == 4
        for point in branch.hopf_points:
            exact = scipy.optimize.fsolve(equations, [*point.x, point.parameter], xtol=1e-13)
            assert point.parameter == pytest.approx(exact[3], abs=1e-8)
            J = derivatives(lambda x, D=exact[3]: reactor_of_two_steps(x, D), exact[:3], 1e-3)
            assert point.frequency == pytest.approx(np.sqrt(np.poly(J)[2].real), rel=1e-6)
        found = values(branch.hopf_points)
        assert found == pytest.approx([0.2041845, 0.2298390, 0.2599579, 0.3462085], abs=1e-7)


class TestPredatorAndPrey:
    @staticmethod
    def reference(guess):
        """A point with two zero eigenvalues: F, the trace and the determinant vanish."""

        def equations(z):
            J = derivatives(lambda x: predator(x, *z[2:]), z[:2], 1e-3)
            return [*predator(z[:2], *z[2:]), np.trace(J), np.linalg.det(J)]

        return scipy.optimize.fsolve(equations, guess, xtol=1e-13)

    def test_two_parameters(self):
        problem = Problem(predator, params={"alpha": 0.3, "delta": 0.0}, storage=one)
        start = [1.0 / 0.7, (1.0 + 0.3 / 0.7) * (1.0 - 0.01 / 0.7)]
        branch = problem.continuation(start, "delta", (0.0, 1.0), stability=True)
        hopf = problem.hopf_curve(branch, "alpha", (0.05, 1.2), step=0.02)
        x, y, alpha, delta = self.reference([6.0, 3.6, 0.45, 0.2])
        end = hopf.special_points[-1]
        assert end.kind == "bogdanov-takens"
        assert end.parameter == pytest.approx(alpha, abs=1e-8)
        assert end.along["delta"] == pytest.approx(delta, abs=1e-8)
        assert end.x == pytest.approx([x, y], abs=1e-7)

    @pytest.mark.slow
    def test_the_closed_curve_of_folds(self):
        problem = Problem(predator, params={"alpha": 0.3, "delta": 0.0}, storage=one)
        start = [1.0 / 0.7, (1.0 + 0.3 / 0.7) * (1.0 - 0.01 / 0.7)]
        branch = problem.continuation(start, "delta", (0.0, 1.0), stability=True)
        folds = problem.fold_curve(branch, "alpha", (0.05, 1.2))
        assert "closed" in folds.message
        first, second = sorted(values(folds.special_points_of("bogdanov-takens")))
        assert first == pytest.approx(self.reference([6.0, 3.6, 0.45, 0.2])[2], abs=1e-8)
        near = folds.special_points_of("bogdanov-takens")
        last = max(near, key=lambda point: point.parameter)
        exact = self.reference([*last.x, last.parameter, last.along["delta"]])
        assert [second, last.along["delta"]] == pytest.approx(exact[2:], abs=1e-8)
        # at a cusp the equation of the steady states for u has a triple root
        for point in folds.special_points_of("cusp"):
            u, alpha, delta = point.x[0], point.parameter, point.along["delta"]
            s = np.poly1d([alpha, 1.0])
            v = s * np.poly1d([-0.01, 1.0])
            steady = s * (-1.0 - delta * v) + np.poly1d([1.0, 0.0])
            residuals = [abs(steady.deriv(k)(u)) if k else abs(steady(u)) for k in range(3)]
            assert max(residuals) < 1e-8
