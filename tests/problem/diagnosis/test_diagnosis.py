"""What the Jacobian says of a failure, and of a solution that is not isolated."""

import numpy as np
import pytest

from sgsolve import Problem, Status, solvers


def floating(x, source, sink):
    """A chain of resistors that nothing holds, x[:3], and one that hangs on ground, x[3:]."""
    a, b, c, d = x
    return [a - b - source, 2.0 * b - a - c, c - b + sink, d - 1.0]


def solved(residual, start, solver=None, **settings):
    return Problem(residual, **settings).solve(start, solver, raise_on_failure=False)


BLOCKS = {"v": slice(0, 3), "w": slice(3, 4)}


def test_missing_reference_is_named():
    result = solved(
        floating, [0.1, 0.2, 0.3, 0.0], params={"source": 1.0, "sink": 2.0}, blocks=BLOCKS
    )
    assert not result.success
    assert "the equations contradict each other: their total u^T F is 1.00e+00" in result.message
    named = result.message.split("Largest weights: ")[1].split(".")[0]
    assert set(named.split(", ")) == {"v[0]", "v[1]", "v[2]"}


def test_local_minimum_is_no_missing_equation():
    result = solved(lambda x: x**2 + 1.0, [3.0])
    # rounding decides whether the last stage ends at the minimum or right before it
    assert result.status in (Status.LOCAL_MINIMUM, Status.DAMPING_FAILED)
    assert abs(result.x[0]) < 0.1
    assert "singular from the start" not in result.message


def test_solution_that_is_one_of_many_is_remarked():
    settings = {"params": {"source": 1.0, "sink": 1.0}, "blocks": BLOCKS}
    result = solved(floating, [0.1, 0.2, 0.3, 0.0], **settings)
    assert result.success
    assert np.allclose(np.diff(result.x[:3]), -1.0)
    assert result.remark.startswith("the Jacobian is singular at every x: no equation determines")
    assert np.allclose(np.abs(result.null_space[:3, 0]), 3.0**-0.5)
    assert "one direction, of 3 unknowns in 'v'." in result.remark
    assert result.remark in result.message
    assert result.remark in str(result)
    assert result.remark in result.explain()


@pytest.mark.parametrize("solver", [solvers.DampedNewton(), solvers.TrustRegion()])
def test_singular_on_the_way_only_is_not_remarked(solver):
    # both equations have the same gradient at the start alone
    def crossing(x):
        return [x[0] ** 2 + x[1] - 5.0, x[0] + x[1] ** 2 - 3.0]

    result = solved(crossing, [0.5, 0.5], solver)
    assert np.abs(crossing(result.x)).max() < 1e-9
    assert "singular Jacobian" in str(result.history)
    assert result.remark == ""
    assert "remark" not in str(result)


def test_infinite_slope_is_named():
    result = solved(
        lambda x: np.sqrt(x) + x - 1.0,
        [1.0, 0.0],
        jacobian=lambda x: np.diag([1.5, np.inf]),
        blocks={"n": slice(1, 2)},
    )
    assert result.status is Status.NOT_FINITE
    text = "the Jacobian is not finite at the start: equation n[0] by unknown n[0] gives inf"
    assert text in result.message


def test_nan_in_an_own_jacobian_is_counted():
    result = solved(lambda x: x - 2.0, [3.0, 2.0], jacobian=lambda x: np.full((2, 2), np.nan))
    assert "equation x[0] by unknown x[0] gives nan, and 3 more entries" in result.message


def test_zero_residual_needs_no_jacobian():
    result = solved(lambda x: np.sqrt(x) + x, [0.0])  # the slope is infinite there
    assert result.status is Status.CONVERGED
    assert result.nit == 0
    assert not solved(lambda x: np.sqrt(x) + x - 1e-300, [0.0], solvers.Newton()).success


def test_who_stops_it_is_not_told_why():
    problem = Problem(lambda x: np.stack([x[0] + x[1] - 1.0, x[0] + x[1] - 2.0]))
    result = problem.solve([0.0, 0.0], raise_on_failure=False, callback=lambda it: True)
    assert result.status is Status.STOPPED
    assert result.stats.n_factor == 0
    assert "singular" not in result.message
