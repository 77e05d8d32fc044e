"""Counts of unstable eigenvalues of large systems, against all eigenvalues; resumed runs."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem
from sgsolve.bifurcation import Stability
from sgsolve.bifurcation.spectra import spectrum
from sgsolve.bifurcation.spectra.spectrum_bounds import count_above, farthest_unstable
from sgsolve.errors import InputError
from tests.continuation.gallery import bratu, bratu_2d, brusselator
from tests.selection import slow


@pytest.fixture
def by_discs(monkeypatch):
    """Systems of 200 unknowns and more are looked at as those of more than 1000 are."""
    monkeypatch.setattr(spectrum, "MEDIUM", 0)


def counted(problem, branch):
    """How many eigenvalues are to the right of the axis at each point, by a dense solver."""
    found = []
    for p, x in branch:
        values = np.linalg.eigvals(problem.at(**{branch.name: p}).jacobian(x).toarray())
        found.append(int((values.real > 1e-7 * np.abs(values).max()).sum()))
    return found


@pytest.mark.slow
def test_an_unstable_eigenvalue_that_outgrows_those_computed_is_not_lost(by_discs):
    problem = Problem(bratu)
    branch = problem.at(lam=0.01).continuation(
        np.zeros(250), "lam", (0.01, 4.0), stability=Stability(count=2), max_step=1.0
    )
    assert branch["unstable"].tolist() == counted(problem, branch)
    assert branch["unstable"][-1] == 1
    x = branch.x
    values = np.linalg.eigvalsh(problem.at(lam=0.01).jacobian(x).toarray())
    assert values[-1] > 2.0 * np.sort(np.abs(values))[1]  # two others are nearer to zero


def test_double_eigenvalues_count_twice(by_discs):
    n = 15
    laplacian = bratu_2d(n)
    problem = Problem(lambda u, mu=10.0: laplacian(u, 0.0) + mu * (u - u**3))
    branch = problem.continuation(
        np.zeros(n * n), "mu", (10.0, 60.0), stability=True, max_step=20.0, step=10.0
    )
    assert branch["unstable"].tolist() == counted(problem, branch)
    assert set(branch["unstable"]) == {0, 1, 3}


@pytest.mark.slow
@pytest.mark.parametrize("shifts", [[0.0, 2.0j], [0.0], [2.0j], [0.0, 2.0j, -2.0j]])
def test_a_complex_pair_counts_two_wherever_it_is_looked_for(shifts, by_discs, monkeypatch):
    """Brusselators side by side, with frequencies from 2 to 2.1; no more near 0 are computed."""
    monkeypatch.setattr(spectrum, "MOST", 12)
    n = 120
    a = np.linspace(2.0, 2.1, n)

    def residual(u, b=4.5):
        x, y = u[:n], u[n:]
        return np.concatenate([a + x**2 * y - (b + 1.0) * x, b * x - x**2 * y])

    start = np.concatenate([a, 4.5 / a])
    problem = Problem(residual)
    branch = problem.continuation(
        start, "b", (4.5, 5.005), detect=(), stability=Stability(count=12, shifts=tuple(shifts))
    )
    assert branch["unstable"].tolist() == counted(problem, branch)
    assert branch["unstable"][-1] == 4
    exact = 1.0 + a[:2] ** 2
    found = [hopf.parameter for hopf in branch.hopf_points]
    assert np.allclose(found, exact[exact < 5.005], atol=1e-8)


def test_a_resumed_run_goes_on_with_its_events_and_eigenvalues(tmp_path):
    how = {"stability": True, "events": {"event": lambda x: x[1] - 2.2}}
    how["checkpoint"] = tmp_path / "run.npz"
    problem = Problem(brusselator)
    problem.continuation([2.0, 1.0], "b", (2.0, 8.0), max_points=5, **how)
    branch = problem.continuation([2.0, 1.0], "b", (2.0, 8.0), resume=True, **how)
    found = [(special.kind, round(special.parameter, 9)) for special in branch.special_points]
    assert found == [("event", 4.4), ("hopf", 5.0)]
    assert len(branch["unstable"]) == len(branch)


def test_a_mass_matrix_that_is_singular():
    """An algebraic equation beside the two of the brusselator: no eigenvalue of its own."""

    def residual(u, b=2.0):
        return np.append(brusselator(u[:2], b), u[2] - u[0])

    mass = sp.diags_array([1.0, 1.0, 0.0])
    branch = Problem(residual).continuation(
        [2.0, 1.0, 2.0], "b", (2.0, 8.0), stability=Stability(mass=mass)
    )
    (hopf,) = branch.hopf_points
    assert abs(hopf.parameter - 5.0) < 1e-9
    assert set(branch["unstable"]) == {0, 2}


def test_oscillations_far_from_the_shifts_of_a_middling_system():
    """FitzHugh-Nagumo on a ring: a band of slow modes is nearer to zero than those that cross."""
    n = 105

    def residual(z, I):
        u, w = z[:n], z[n:]
        spread = 25.0 * (np.roll(u, 1) - 2.0 * u + np.roll(u, -1))
        return np.concatenate([spread + u - u**3 / 3.0 - w + I, 0.08 * (u + 0.7 - 0.8 * w)])

    problem = Problem(residual, params={"I": 0.3})
    start = problem.solve(np.zeros(2 * n))
    branch = problem.continuation(start.x, "I", (0.3, 0.34), stability=True)
    (hopf,) = [s for s in branch.special_points if s.kind == "hopf"]
    # The uniform state u - u^3/3 - (u + 0.7)/0.8 + I = 0 loses its stability where the trace
    # 1 - u^2 - 0.064 vanishes; the determinant 0.08 - 0.8 0.08 (1 - u^2) is the frequency squared.
    u = -np.sqrt(1.0 - 0.064)
    assert hopf.parameter == pytest.approx((u + 0.7) / 0.8 - u + u**3 / 3.0, rel=1e-8)
    assert hopf.frequency == pytest.approx(np.sqrt(0.08 - 0.064 * (1.0 - u**2)), rel=1e-8)
    assert branch["unstable"].tolist()[0] == 0
    assert branch["unstable"].tolist()[-1] == 2


def test_a_hopf_point_far_from_the_shifts_keeps_its_frequency(monkeypatch):
    """The pair is known from the points before only; six stable modes are nearer to the shift."""
    monkeypatch.setattr("sgsolve.bifurcation.spectra.spectrum.MEDIUM", 0)
    monkeypatch.setattr("sgsolve.bifurcation.spectra.spectrum.SMALL", 0)
    slow = np.linspace(0.8, 3.0, 60)

    def residual(x, p):
        u, v, rest = x[0], x[1], x[2:]
        growth, omega = 0.5 * p, 0.05 + 1.5 * (1.0 - p)
        pair = [growth * u - omega * v - u**3, growth * v + omega * u]
        return np.concatenate([pair, -slow * rest])

    problem = Problem(residual, params={"p": 1.0})
    near = Stability(count=6)
    branch = problem.continuation(np.zeros(62), "p", (-1.0, 1.0), step=-0.1, stability=near)
    (hopf,) = branch.hopf_points
    assert hopf.parameter == pytest.approx(0.0, abs=1e-9)
    assert hopf.frequency == pytest.approx(1.55, rel=1e-9)
    assert np.abs(hopf.vector[:2]) == pytest.approx([np.sqrt(0.5)] * 2, abs=1e-8)


def laplacian_1d(n):
    return -4.0 * (n + 1) ** 2 * np.sin(0.5 * np.arange(1, n + 1) * np.pi / (n + 1)) ** 2


def laplacian_eigenvalues(n):
    k = laplacian_1d(n)
    return (k[:, None] + k[None, :]).ravel()


@pytest.mark.parametrize("sign", [1.0, *slow(-1.0)])
def test_the_count_of_a_large_symmetric_system_is_exact(sign):
    """Twenty-two modes grow at the end; four eigenvalues near zero are computed."""
    n = 34
    laplacian = bratu_2d(n)

    def residual(u, mu=300.0):
        return sign * (laplacian(u, 0.0) + mu * (u - u**3))

    stability = Stability(count=4, mass=sign)
    branch = Problem(residual).continuation(
        np.zeros(n * n), "mu", (300.0, 330.0), step=10.0, detect=(), stability=stability
    )
    exact = laplacian_eigenvalues(n)
    assert branch["unstable"].tolist() == [int((exact + mu > 0.0).sum()) for mu in branch["mu"]]
    assert branch["unstable"][-1] > 10
    assert np.isinf(branch["known within"]).all()


def test_how_far_a_large_count_is_known():
    """Eigenvalues -1, -2, ... and a pair far from the shift: the radius says whether it is seen."""
    n = 1100
    slow = -np.arange(1.0, n - 1.0)

    def run(far, *shifts):
        def residual(x, p=0.0):
            rotating = [0.5 * x[0] - far * x[1], far * x[0] + 0.5 * x[1]]
            return np.concatenate([rotating, slow * x[2:] + 0.0 * p])

        settings = Stability(count=6, shifts=shifts)
        return Problem(residual).continuation(
            np.zeros(n), "p", (0.0, 1.0), step=1.0, detect=(), stability=settings
        )

    beyond = run(4000.0, 0.0)
    assert set(beyond["unstable"]) == {0}
    assert beyond["known within"] == pytest.approx(30.0, rel=1e-6)
    assert set(run(4000.0, 0.0, 4000.0j)["unstable"]) == {2}
    within = run(20.0, 0.0)
    assert set(within["unstable"]) == {2}
    assert np.isinf(within["known within"]).all()


def test_a_matrix_whose_signs_are_not_certain_has_no_count():
    identity = sp.csr_array(sp.eye_array(4))
    symmetric = sp.csr_array(np.diag([1.0, 1.0, 1.0], 1) + np.diag([1.0, 1.0, 1.0], -1))
    assert count_above(symmetric, identity, 1e-9) in (2, None)
    assert count_above(sp.csr_array(np.triu(np.ones((4, 4)))), identity, 0.0) is None
    assert count_above(symmetric, sp.csr_array(np.diag([1.0, 1.0, 0.0, 1.0])), 0.0) is None
    assert count_above(symmetric, sp.csr_array(np.diag([1.0, -1.0, 1.0, 1.0])), 0.0) is None
    assert count_above(sp.csr_array(np.diag([3.0, 2.0, -1.0, 0.5])), identity, 1.0) == 2


@pytest.mark.parametrize("mass", ["one", "minus", "diagonal", "mixed", "full", "singular"])
@pytest.mark.parametrize("symmetric", [True, False])
def test_all_eigenvalues_are_those_of_the_pencil(mass, symmetric):
    """Against the eigenvalues of M^-1 J; for a singular M those of the reduced system."""
    rng = np.random.default_rng(5)
    J = rng.standard_normal((12, 12))
    J = J + J.T if symmetric else J
    M = {
        "one": np.eye(12),
        "minus": -np.eye(12),
        "diagonal": np.diag(rng.uniform(0.1, 3.0, 12)),
        "mixed": np.diag(rng.uniform(0.1, 3.0, 12) * np.resize([1.0, -1.0], 12)),
        "full": np.eye(12) + 0.1 * rng.standard_normal((12, 12)),
        "singular": np.diag(np.append(np.ones(8), np.zeros(4))),
    }[mass]
    found = spectrum.all_eigenvalues(sp.csr_array(J), sp.csr_array(M))
    if mass == "singular":
        inner = J[:8, :8] - J[:8, 8:] @ np.linalg.solve(J[8:, 8:], J[8:, :8])
        exact = np.linalg.eigvals(inner)
    else:
        exact = np.linalg.eigvals(np.linalg.solve(M, J))
    assert len(found) == len(exact)
    for value in exact:
        assert np.abs(found - value).min() < 1e-9 * np.abs(exact).max()


class Brusselator:
    """The uniform state on a rectangle; every pair of eigenvalues has a closed form."""

    A, Dx, Dy = 2.0, 0.008, 0.004

    def __init__(self, nx, ny):
        self.shape = (nx, ny)
        blocks = {"X": self.shape, "Y": self.shape}
        self.problem = Problem(self.residual, params={"B": 4.8}, blocks=blocks, fields=True)
        kx, ky = (-np.sort(laplacian_1d(m)) for m in self.shape)
        self.k = (kx[:, None] + ky[None, :]).ravel()

    def laplacian(self, u, edge):
        nx, ny = self.shape
        u = np.pad(u, 1, constant_values=edge)
        across = (u[2:, 1:-1] - 2.0 * u[1:-1, 1:-1] + u[:-2, 1:-1]) * (nx + 1) ** 2
        return across + (u[1:-1, 2:] - 2.0 * u[1:-1, 1:-1] + u[1:-1, :-2]) * (ny + 1) ** 2

    def residual(self, X, Y, B):
        made = X**2 * Y
        return {
            "X": self.Dx * self.laplacian(X, self.A) + made - (B + 1.0) * X + self.A,
            "Y": self.Dy * self.laplacian(Y, B / self.A) + B * X - made,
        }

    def unstable(self, B):
        a, d = B - 1.0 - self.Dx * self.k, -(self.A**2) - self.Dy * self.k
        root = np.sqrt((0.5 * (a - d)) ** 2 - B * self.A**2 + 0j)
        both = np.concatenate([0.5 * (a + d) + root, 0.5 * (a + d) - root])
        return int((both.real > 0.0).sum())

    def run(self, last):
        start = self.problem.pack(X=self.A, Y=2.4)
        return self.problem.continuation(start, "B", (4.8, last), stability=True, max_step=0.3)


@pytest.mark.parametrize(("shape", "last"), [((12, 10), 5.6), *slow(((40, 25), 6.5))])
def test_counts_of_a_reaction_with_diffusion(shape, last, by_discs):
    """A mode that is odd about the center line crosses: a shift of its frequency is singular."""
    model = Brusselator(*shape)
    branch = model.run(last)
    assert branch["unstable"].tolist() == [model.unstable(B) for B in branch["B"]]
    exact = np.sort(1.0 + model.A**2 + (model.Dx + model.Dy) * model.k)
    found = [hopf.parameter for hopf in branch.hopf_points]
    assert found == pytest.approx(exact[exact < last], abs=1e-8)
    assert len(found) >= 2


@pytest.mark.parametrize("seed", range(3))
def test_unstable_eigenvalues_are_within_the_distance(seed):
    rng = np.random.default_rng(seed)
    units, mass = 10.0 ** rng.integers(-6, 6, 30), rng.uniform(0.1, 3.0, 30)
    A = rng.standard_normal((30, 30)) - (2.0 - seed) * np.eye(30)
    J, M = sp.csr_array(mass[:, None] * A * units / units[:, None]), sp.diags_array(mass)
    values = np.linalg.eigvals(A)
    unstable = values[values.real > 0.0]
    for shift in (0.0, 2.0j):
        distance = farthest_unstable(J, sp.csr_array(M), shift)
        assert np.abs(unstable - shift).max() <= distance <= 100.0
    assert farthest_unstable(J - 100.0 * M, sp.csr_array(M), 0.0) == 0.0
    assert farthest_unstable(J, sp.csr_array(np.ones((30, 30))), 0.0) == np.inf


@pytest.mark.parametrize("unit", [1e-200, 1e-145, 1e145, 1e200])
@pytest.mark.parametrize("mass", [np.ones(2), np.array([1.0, 2.0])])
def test_eigenvalues_of_any_size(unit, mass):
    """Those of LAPACK as SciPy 1.17 calls it are of size 1e138 at most, and 1e-139 at least."""
    J = sp.csr_array(unit * mass[:, None] * np.array([[1.0, 1.0], [-2.0, -1.0]]))
    M = sp.csr_array(sp.diags_array(mass))
    for values in (spectrum.all_eigenvalues(J, M), spectrum.eigenvalues(J, M, (0.0,), 2)[0]):
        np.testing.assert_allclose(np.sort(values.imag), [-unit, unit], rtol=1e-12)


def test_a_frequency_whose_square_overflows_is_refused_in_words():
    def equations(x, a, b):
        r = x[0] ** 2 + x[1] ** 2
        return np.stack([1e200 * (x[1] - (a - r) * x[0]), -1e200 * (x[0] + (a + b - r) * x[1])])

    problem = Problem(equations, params={"a": -1.0, "b": 0.0}, storage=lambda x: 1.0 * x)
    branch = problem.continuation([0.0, 0.0], "a", (-1.0, 1.0), stability=True)
    assert branch.hopf_points[0].frequency == pytest.approx(1e200, rel=1e-9)
    with pytest.raises(InputError, match="other units of time"):
        problem.hopf_curve(branch, "b")
