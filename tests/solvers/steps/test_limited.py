"""Damping beside limits, and what is kept of a simplified correction."""

from types import SimpleNamespace

import numpy as np
import pytest

from sgsolve import solvers
from tests.families import bratu
from tests.presets import solved
from tests.selection import slow

LIMITS = [
    solvers.MaxChange(1.0),
    solvers.LogDamping(0.1),
    solvers.Bounds(0.0, 20.0, fraction=0.5),
    lambda x, dx: 0.5 * dx,
]


@pytest.mark.parametrize("limit", LIMITS)
def test_limits_do_not_stop_a_linear_problem(limit):
    """The corrections shrink along any part of Newton's step, so nothing is damped besides."""
    result = solved(lambda x: x - 10.0, [0.5], solvers.DampedNewton(limits=limit))
    assert result.success
    assert {step.damping for step in result.history[1:]} == {1.0}


def test_a_limit_does_not_hide_curvature():
    """Newton's step for arctan from 3 overshoots; so does what a limit of 6 leaves of it."""
    limited = solvers.DampedNewton(limits=solvers.MaxChange(6.0))
    result = solved(np.arctan, [3.0], limited)
    assert result.success
    assert result.history[1].damping < 1.0
    assert abs(3.0 + 6.0 * -result.history[1].damping) < 3.0


def test_a_kept_jacobian_costs_one_solve_per_step():
    """The correction that judged a full step is the next step of the chord method."""
    chord = solvers.DampedNewton(reuse=solvers.Shamanskii(np.inf))
    result = solved(bratu, np.zeros(50), chord)
    assert result.success
    assert result.stats.n_factor == 1
    assert result.stats.n_solve == result.nit + 1


class OutsideError(Exception):
    pass


def guarded(f, upper):
    """Raise where x leaves the limits, as code does that is not defined there."""

    def residual(x):
        values = np.asarray(getattr(x, "value", x))
        if (values < -1e-12).any() or (values > upper + 1e-12).any():
            raise OutsideError
        return f(x)

    return residual


WITHIN = {  # no root, roots at a bound, simple and multiple ones, tails
    "no root": lambda x: x**3 - 4 * x + 5,
    "a root outside": lambda x: x + 1,
    "a root at the lower bound": lambda x: x * (x + 2),
    "a double root at the lower bound": lambda x: x**2,
    "a root at the upper bound": lambda x: x - 3.0,
    "a root inside": lambda x: np.sqrt(x) - 1.5,
    "a multiple root inside": lambda x: (x - 1) ** 4,
    "a dependent pair": lambda x: np.stack([x[0] * x[1], x[0] - x[1]]),
    "a tail": lambda x: np.exp(-x),
}
METHODS = (
    solvers.Newton, solvers.DampedNewton, solvers.LineSearchNewton, solvers.TrustRegion,
    solvers.LevenbergMarquardt, solvers.PseudoTransient, solvers.NewtonKrylov,
)  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", WITHIN)
@pytest.mark.parametrize(
    ("limit", "upper"),
    [
        (solvers.Bounds(0.0, 3.0), 3.0),
        *slow((solvers.Bounds(0.0, 3.0, how="clip"), 3.0), (solvers.Positive(), np.inf)),
    ],
)
def test_nothing_is_evaluated_outside_of_the_limits(method, name, limit, upper):
    """Neither steps leave them, nor questions about a solution or a failure."""
    for start in ([0.0, 0.0], [1e-3, 2.0]):
        solved(guarded(WITHIN[name], upper), start, method(limits=limit))


class TestFormulas:
    """NLEQ-ERR (Deuflhard 2011, section 3.3.3), the part that a limit left in place of the step."""

    rule = solvers.NaturalMonotonicity()

    @staticmethod
    def at(proposed, dx, **more):
        norm = SimpleNamespace(norm=lambda v: float(np.abs(v).max()))
        full = {"newton": True, "limited": dx != proposed, "memory": {}, "scaling": norm}
        it = SimpleNamespace(proposed=np.array([proposed]), dx=np.array([dx]), **full)
        vars(it).update(more)
        return it

    @pytest.mark.parametrize("proposed", [1.0, 4.0])
    def test_a_posteriori(self, proposed):
        # half of omega |l dx|^2 is the gap, and 1 / (omega |dx|) the best damping
        it, omega, damping = self.at(proposed, 1.0), 5.0, 0.5
        correction = it.proposed - damping * it.dx + 0.5 * omega * damping**2
        assert self.rule._optimal(it, correction, 1.0, damping) == pytest.approx(1.0 / omega)

    @pytest.mark.parametrize("proposed", [0.5, 4.0])
    def test_a_priori(self, proposed):
        it, before, damping = self.at(proposed, 0.5), np.array([2.0]), 0.25
        correction = 1.5 * it.proposed
        # |correction - proposed| = omega |damping before| |correction|
        omega = 0.5 / (damping * 2.0 * 1.5)
        it.memory["natural"] = (before, correction, damping)
        it.dx = np.array([6.0])
        assert self.rule._predict(it, 6.0) == pytest.approx(1.0 / (omega * 6.0))

    def test_damping_changes_at_most_tenfold(self):
        it = self.at(1e-3, 1e-3)
        it.memory["natural"] = (np.array([1e-3]), np.array([1e3]), 0.5)
        assert self.rule._predict(it, 1e3) == pytest.approx(0.05)
        it.memory["natural"] = (np.array([1e-3]), np.array([1e-3 + 1e-12]), 1e-3)
        assert self.rule._predict(it, 1e-3) == pytest.approx(1e-2)

    def test_an_old_jacobian_predicts_nothing(self):
        memory = {"natural": (np.array([1.0]), np.array([5.0]), 0.1)}
        assert self.rule._predict(self.at(1.0, 1.0, memory=memory), 1.0) < 1.0
        assert self.rule._predict(self.at(1.0, 1.0, memory=memory, newton=False), 1.0) == 1.0
        memory["old factorization"] = True
        assert self.rule._predict(self.at(1.0, 1.0, memory=memory), 1.0) == 1.0
