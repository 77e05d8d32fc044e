"""What ends a solve besides a tolerance: rounding, blocks that vanish, steps that are nothing."""

from types import SimpleNamespace

import numpy as np
import pytest

from sgsolve import Problem, Status, ad, solvers
from sgsolve.results.blocks import Blocks
from sgsolve.solvers.acceptance import convergence as termination_status
from tests.presets import solved
from tests.selection import slow

BLOCKS = {"x": slice(0, 1), "y": slice(1, 2)}
STRICT = solvers.ResidualTolerance() & solvers.ErrorTolerance()


def rootless(c):
    """No root, but a residual that is only c of its terms; the Jacobian is regular but at x = 0."""
    return lambda x: np.stack([x[1] - 1.0 + c * (x[0] ** 2 + 1.0), x[1] - 1.0])


class TestRounding:
    def test_long_steps_are_no_rounding(self):
        result = solved(rootless(1e-10), [0.7, 1.5], solvers.Newton(), blocks=BLOCKS)
        assert not result.success

    def test_a_regularized_step_that_fails_proves_nothing(self):
        # at x = 0 the Jacobian is singular; c = 1e-13 is hundreds of units of rounding
        method = solvers.LineSearchNewton(termination=solvers.RoundingLevel())
        assert not solved(rootless(1e-13), [0.0, 1.0], method, blocks=BLOCKS).success

    @pytest.mark.parametrize("method", [solvers.Newton, solvers.LineSearchNewton])
    def test_what_a_limit_forbids_is_no_rounding(self, method):
        bound = solvers.Bounds(0.0, 1.0 - 1e-10, how="clip")  # the root is 1
        result = solved(lambda x: x - 1.0, [0.5], method(limits=bound))
        assert not result.success

    def test_two_full_steps_in_a_row(self, monkeypatch):
        monkeypatch.setattr(termination_status, "at_rounding", lambda it: True)

        def believed(*steps):
            it = SimpleNamespace(memory={})
            full = {"newton": True, "damping": 1.0, "limited": False, "contraction": 0.9}
            for step in steps:
                vars(it).update(full | step)
                ends = termination_status._stagnates(it)
            return ends

        assert not believed({})
        assert believed({}, {})
        assert not believed({}, {"contraction": 0.1})
        assert not believed({}, {"contraction": 0.1}, {})
        assert not believed({}, {}, {})  # after two steps it is asked, and counted anew
        for other in ({"newton": False}, {"damping": 0.5}, {"limited": True}):
            assert not believed({}, other)


class TestNoStep:
    def test_at_a_bound(self):
        bound = solvers.Bounds(0.0, how="clip")
        result = solved(lambda x: x + 1.0, [1.0], solvers.Newton(limits=bound))
        assert result.status is Status.STALLED
        assert result.nit <= 2

    def test_a_tiny_pseudo_time_step_grows(self):
        direction = solvers.PseudoTransientDirection(initial=1e-20)  # x + dx is x at first
        method = solvers.PseudoTransient(direction=direction)
        assert solved(lambda x: x**3 + x - 10.0, [1.0], method).x[0] == pytest.approx(2.0)


class TestExactlyZero:
    def test_at_the_start(self):
        steps = solvers.Newton(termination=solvers.ResidualTolerance() & solvers.StepTolerance())
        result = solved(lambda x: x**2 - 4.0, [2.0], steps)
        assert (result.status, result.nit) == (Status.CONVERGED, 0)

    def test_where_the_jacobian_is_infinite(self):
        result = solved(np.sqrt, [1.0], solvers.DampedNewton())  # half a step leads to zero
        assert result.status is Status.CONVERGED
        assert result.x.tolist() == [0.0]

    def test_a_residual_that_is_not_zero_is_judged_where_there_is_a_jacobian(self):
        # a step from 1 leads to 0, where the residual passes and the slope is infinite
        loose = solvers.Newton(termination=solvers.ResidualTolerance(0.0, absolute=0.6))
        result = solved(lambda x: np.sqrt(np.abs(x)) - 0.5 + 0.25 * x, [1.0], loose)
        assert result.status is Status.CONVERGED
        assert 0.0 < abs(result.x[0]) <= 1e-8


class TestVanishing:
    def test_zero_on_the_way_is_no_root(self):
        # steps 1, 0.1, 0: they shrink fast and end at zero, where the residual is 1
        result = solved(lambda x: 1.0 + 790.0 * x + 100.0 * x**2, [1.0], solvers.Newton())
        assert result.x[0] == pytest.approx((-790.0 + np.sqrt(790.0**2 - 400.0)) / 200.0)

    @pytest.mark.parametrize("start", [[2e-3, 2e16], [5e-3, 1e15], [2e-3, 9e15]])
    @pytest.mark.parametrize("solver", [None, solvers.Newton()], ids=["default", "Newton"])
    def test_a_small_unknown_with_a_value_is_not_set_to_zero(self, start, solver):
        """x[0] converges to 1e-3; 0 is another root, and x[1] is 1e19 times larger."""
        result = solved(lambda x: [x[0] * (x[0] - 1e-3), x[1] ** 2 / 1e16 - 1e16], start, solver)
        assert result.success
        assert result.x == pytest.approx([1e-3, 1e16], rel=1e-9)

    @pytest.mark.parametrize("solver", [None, solvers.Newton()], ids=["default", "Newton"])
    def test_rounding_at_fixed_unknowns_hides_no_solution(self, solver):
        """Elimination leaves 1e-39 at supports of a truss that start at zero and stay there."""
        corners = np.array([[i, j] for i in range(8) for j in range(3)], float)
        first, second = np.nonzero(
            np.triu(np.linalg.norm(corners[:, None] - corners, axis=2) < 1.5, 1)
        )

        def residual(u):
            place = corners + u.reshape(-1, 2)
            bar = place[second] - place[first]
            length = np.linalg.norm(bar, axis=1)
            rest = np.linalg.norm(corners[second] - corners[first], axis=1)
            pull = (1e3 * (length / rest - 1.0) / length)[:, None] * bar
            force = np.zeros_like(place)
            np.add.at(force, first, pull)
            np.add.at(force, second, -pull)
            force[-2, 1] -= 1.0
            force[:3] = u.reshape(-1, 2)[:3]
            return force.ravel()

        result = solved(residual, np.zeros(48), solver)
        assert result.status is Status.CONVERGED
        assert result.nit <= 4

    def test_other_blocks_must_be_found_as_well(self):
        def residual(x):  # x[0] vanishes at once; x[1] = 1 is a double root, hidden by large terms
            return np.stack([x[0], 1e3 * (x[2] - 1.0) + (x[1] - 1.0) ** 2, x[2] - 1.0])

        blocks = BLOCKS | {"z": slice(2, 3)}
        method = solvers.Newton(termination=STRICT)
        result = solved(residual, [1.0, 2.0, 3.0], method, blocks=blocks)
        assert result.x[1] == pytest.approx(1.0, abs=1e-6)

    @staticmethod
    def ending(ratio, change=None):
        """The status and the step at which a block that is zero from step 1 on is believed."""
        blocks = Blocks(2, BLOCKS)
        it = SimpleNamespace(memory={}, blocks=blocks, S=np.ones(2), weights=np.ones(2))
        it.scaling = SimpleNamespace(smallest=0.0)
        it.F, it.x_old, it.x, it.largest = np.zeros(2), np.ones(2), np.array([0.0, 1.0]), 1.0
        it.evaluate, it.accept = lambda x: np.zeros(2), lambda x, F, damping: None
        step = 1e-12
        it.step_size_absolute = np.inf
        for it.k in range(1, 40):
            it.limited, it.damping = False, 1.0
            it.step_size_absolute_old, it.step_size_absolute = it.step_size_absolute, step
            it.step = np.array([0.0, step])
            if change is not None and it.k == 5:
                vars(it).update(change)
            status = termination_status._vanishing(it)
            if status is not None:
                return status, it.k
            it.x_old = it.x if change is None or it.k < 5 else np.ones(2)
            step *= ratio
        return None

    def test_fast_steps_are_believed_at_once(self):
        assert self.ending(0.1) == (Status.CONVERGED, 2)

    def test_slow_steps_are_believed_after_eight(self):
        assert self.ending(0.5) == (Status.CONVERGED_SLOWLY, 9)

    def test_steps_that_do_not_shrink_are_not_believed(self):
        assert self.ending(1.2) is None

    @pytest.mark.parametrize("change", [{"limited": True}, {"damping": 0.1}])
    def test_only_an_unbroken_run_counts(self, change):
        assert self.ending(0.5, change) == (Status.CONVERGED_SLOWLY, 14)


@pytest.mark.parametrize("offset", [1e-3, 1.0 / 3.0, 10.0, 1000.0])
@pytest.mark.parametrize("start", [15.0, 30.0])
def test_a_double_root_that_rounding_hides_is_a_solution(offset, start):
    """Steps halve there: the point converges, other than where a residual vanishes at infinity."""
    result = Problem(lambda x: x**2 + offset - offset).solve([start])
    assert result.success
    assert abs(result.x[0]) < 1e-6 * max(1.0, offset**0.5)


WITHOUT_SOLUTION = {
    "square": (lambda x: x**2 + 1.0, 1),
    "small square": (lambda x: 1e-8 * (x**2 + 1.0), 1),
    "moved": (lambda x: (x - 7.0) ** 2 + 1.0, 1),
    "hyperbolic": (np.cosh, 1),
    "embedded": (lambda x: np.stack([x[0] - 2.0 * x[1], x[1] ** 2 + 1.0]), 2),
    "sum and product": (lambda x: np.stack([x[0] + x[1] - 3.0, x[0] * x[1] - 4.0]), 2),
}
QUICK, MORE = list(WITHOUT_SOLUTION)[:1], list(WITHOUT_SOLUTION)[1:]


@pytest.mark.parametrize("name", [*QUICK, *slow(*MORE)])
def test_a_system_without_solution_ends_alike_from_every_start(name):
    residual, n = WITHOUT_SOLUTION[name]
    for start in (3.0, np.nextafter(3.0, 4.0), -30.0):
        result = Problem(residual).solve(np.full(n, start), raise_on_failure=False)
        assert result.status is Status.LOCAL_MINIMUM, (start, result.stages)


def test_a_narrow_valley_is_no_local_minimum():
    # Rosenbrock's residual, whose solution is (1, 1), stopped on the way
    residual = lambda x: np.stack([1e4 * (x[1] - x[0] ** 2), 1.0 - x[0]])  # noqa: E731
    for solver in (
        solvers.LineSearchNewton(max_iterations=3),
        solvers.TrustRegion(max_iterations=3),
    ):
        result = Problem(residual).solve([-1.2, 1.0], solver, raise_on_failure=False)
        assert result.success or result.status is Status.MAX_ITERATIONS


@pytest.mark.parametrize("start", [3.0, 0.1, 40.0])
def test_an_unknown_that_stays_at_zero_is_none_that_vanishes(start):
    """A grounded contact must not end the solve before the tolerance of the others is met."""
    tight = solvers.ResidualTolerance() & solvers.ErrorTolerance(1e-14)
    method = solvers.NewtonMethod(termination=tight)
    alone = Problem(lambda x: x**2 - 2.0).solve([start], method)
    both = Problem(lambda x: ad.stack([x[0] + 0.0 * x[1], x[1] ** 2 - 2.0])).solve(
        [0.0, start], method
    )
    assert both.nit == alone.nit
    assert both.x[1] == alone.x[0]
