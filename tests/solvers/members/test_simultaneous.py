"""Many members at once by the parts of `NewtonMethod`, without machine code."""

import numpy as np

from sgsolve import Problem, solvers
from sgsolve.solvers.members.simultaneous import SimultaneousNewton


def squares(u, q):
    u_left = np.concatenate([u[:1], u[:-1]])
    return u**2 - q + 0.01 * q * (u - u_left)


def test_one_slow_member_does_not_keep_all_slots_at_work(monkeypatch):
    """A double root takes many steps; it is solved alone once all others are done."""
    steps = []
    iterate = SimultaneousNewton._iterate
    monkeypatch.setattr(
        SimultaneousNewton, "_iterate", lambda newton: steps.append(1) or iterate(newton)
    )

    q = np.linspace(1.0, 2.0, 20)
    q[7] = 0.0
    found = Problem(squares, params={"q": 1.0}).solve_many(np.full((20, 30), 1.5), {"q": q})
    assert found.success.all()
    assert found.alone.tolist() == [m == 7 for m in range(20)]
    assert len(steps) < 12
    np.testing.assert_allclose(found.x, np.sqrt(q)[:, None] * np.ones(30), atol=1e-4)


def test_subclasses_of_parts_are_called_for_each_member():
    """A subclass may do something else, which the damping of many members does not repeat."""
    called = []

    class OwnDamping(solvers.FullStep):
        def advance(self, it):
            called.append("damping")
            return super().advance(it)

    class OwnDirection(solvers.NewtonDirection):
        def compute(self, it):
            called.append("direction")
            return super().compute(it)

    class OwnLoop(solvers.Newton):
        def run(self, system, workspace, x, F, monitor):
            called.append("loop")
            return super().run(system, workspace, x, F, monitor)

    damping, direction = OwnDamping(), OwnDirection()
    parts = solvers.NewtonMethod(damping=damping), solvers.NewtonMethod(direction=direction)
    for solver in (*parts, OwnLoop()):
        problem = Problem(squares, params={"q": 1.0})
        results = problem.solve_many(np.full(12, 1.5), {"q": np.linspace(1.0, 2.0, 6)}, solver)
        assert results.success.all()
        assert results.alone.all()
    assert set(called) == {"damping", "direction", "loop"}
