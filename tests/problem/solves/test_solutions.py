"""Several solutions: as a table over a parameter, as a picture, and what an interruption leaves."""

import numpy as np
import pytest

from sgsolve import PartialBranchWarning, Problem
from sgsolve.solvers import Newton
from tests.selection import slow


def pitchfork(x, p):
    return p * x - x**3


def test_solution_sets_are_gone_through_value_by_value():
    sets = Problem(pitchfork).deflated_continuation([0.5], "p", [-1.0, 1.0, 4.0])
    assert sets.counts.tolist() == [1, 3, 3]
    for p, block in sets:
        expected = [0.0] if p < 0.0 else [-np.sqrt(p), 0.0, np.sqrt(p)]
        np.testing.assert_allclose(np.sort(block[:, 0]), expected, atol=1e-8)


def test_the_picture_holds_a_dot_for_each_solution():
    plt = pytest.importorskip("matplotlib.pyplot")
    sets = Problem(pitchfork).deflated_continuation([0.5], "p", [-1.0, 1.0])
    (line,) = sets.plot(lambda x: x[0]).lines
    assert line.get_xdata().tolist() == [-1.0, 1.0, 1.0, 1.0]
    np.testing.assert_allclose(np.sort(line.get_ydata()[1:]), [-1.0, 0.0, 1.0], atol=1e-8)
    axes = plt.figure().add_subplot()
    assert sets.plot(ax=axes, color="k") is axes
    assert axes.get_xlabel() == "p"
    np.testing.assert_allclose(np.sort(axes.lines[0].get_ydata()), [0.0, 0.0, 1.0, 1.0], atol=1e-8)
    plt.close("all")


def test_an_interrupted_search_returns_what_it_found():
    calls = []

    def residual(x):
        calls.append(1)
        if len(calls) > 40:
            raise KeyboardInterrupt
        return x**3 - x

    with pytest.warns(PartialBranchWarning, match=r"the search was interrupted after \d solution"):
        found = Problem(residual).find_solutions([0.9], solver=Newton())
    assert len(found) >= 1
    assert all(result.success for result in found)


@pytest.mark.parametrize("calls", range(1, 200, 66))
def test_an_interrupted_value_keeps_the_solutions_found_there(calls):
    left = [calls]

    def residual(x, p):
        if p == 4.0:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
        return pitchfork(x, p)

    problem = Problem(residual, compiled=False)
    with pytest.warns(PartialBranchWarning, match="interrupted after 1 of 3 values of 'p'") as told:
        sets = problem.deflated_continuation([0.5], "p", [1.0, 4.0, 9.0])
    assert sets.counts[0] == 3
    assert len(sets.parameter) == len(sets.solutions)
    if len(sets.solutions) == 1:  # none was found at the second value
        assert sets.complete
        assert calls < 20
        return
    assert not sets.complete
    assert sets.parameter.tolist() == [1.0, 4.0]
    found = sets.solutions[1][:, 0]
    assert f"the search at 4 had found {len(found)} solution" in str(told[0].message)
    assert len(np.unique(found.round(6))) == len(found)
    assert all(np.abs(np.array([-2.0, 0.0, 2.0]) - x).min() < 1e-8 for x in found)
    if calls > 60:
        assert len(found) == 3


def test_a_finished_search_is_complete():
    assert Problem(pitchfork).deflated_continuation([0.5], "p", [1.0], max_solutions=1).complete


def test_a_start_that_is_not_finite_leads_to_no_solution():
    problem = Problem(lambda x: np.log(x) * (x - 2.0))
    found = problem.find_solutions([[1.5], [-1.0]])
    np.testing.assert_allclose(np.sort([r.x[0] for r in found]), [1.0, 2.0], atol=1e-8)


@pytest.mark.parametrize("multiplicity", [2, 3, *slow(4, 5)])
@pytest.mark.parametrize("size", [1.0, 1e3])
@pytest.mark.parametrize("start", [1.0, 1.4])
def test_the_others_are_found_from_a_multiple_root(multiplicity, size, start):
    """Deflation by a power of the distance below the multiplicity leaves a root there."""

    def residual(x):
        y = x / size
        return (y - 1.0) ** multiplicity * (y - 3.0) * y

    found = [float(one.x[0]) for one in Problem(residual).find_solutions([start * size])]
    assert sorted(found) == pytest.approx([0.0, size, 3.0 * size], abs=1e-2 * size)


def test_a_multiple_root_of_two_unknowns_hides_no_other():
    """Both equations are of second order at zero, and meet at a point more."""
    problem = Problem(lambda x: [x[0] ** 2 * (x[0] - 2.0) + x[1] ** 2, x[1] - x[0] ** 3])
    found = problem.find_solutions([0.1, 0.1])
    others = [one.x[0] for one in found if abs(one.x[0]) > 0.1]
    real = np.roots([1.0, 0.0, 0.0, 1.0, -2.0])  # of x**2 (x - 2 + x**4)
    assert sorted(others) == pytest.approx(sorted(real[abs(real.imag) < 1e-12].real))
    assert len(found) == len(others) + 1


def test_distances_are_measured_by_the_scale_of_the_problem():
    """The solutions 1e-9 and 3e-9 differ by less than distance= of unknowns of size 1."""
    for scale in (None, [1e-9]):
        problem = Problem(lambda x: (x * 1e9 - 1.0) * (x * 1e9 - 3.0), scale=scale)
        found = problem.find_solutions([0.0])
        np.testing.assert_allclose(sorted(r.x[0] for r in found), [1e-9, 3e-9], rtol=1e-6)


@pytest.mark.parametrize("scale", [1e100, *slow(1e-15, 1e-6, 1e3, 1e9, 1e12)])
def test_a_scale_far_off_loses_no_solution_and_doubles_none(scale):
    problem = Problem(lambda x: x**2 - 4.0, scale=scale)
    found = [result.x[0] for result in problem.find_solutions([1.0])]
    np.testing.assert_allclose(np.sort(found), [-2.0, 2.0], rtol=1e-9)
    pair = Problem(lambda x: np.stack([x[0] ** 3 - x[0], x[1] - x[0]]), scale=[scale, 1.0])
    found = [result.x for result in pair.find_solutions([0.3, 0.3])]
    np.testing.assert_allclose(np.sort(found, axis=0), [[k, k] for k in (-1, 0, 1)], atol=1e-9)


def test_the_scale_leads_to_a_solution_far_from_the_start():
    """From close to zero the next solution is out of reach of steps of the start's size."""
    problem = Problem(lambda x: x * (x - 500.0), scale=1e3)
    found = [result.x[0] for result in problem.find_solutions([1e-3])]
    np.testing.assert_allclose(np.sort(found), [0.0, 500.0], atol=1e-9)


@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize("levels", [1, 2])
def test_a_level_that_is_left_open_makes_no_further_solutions(declared, levels):
    """The same potentials at another level were counted as another solution."""
    sources = np.array([1.0, -1.0, 2.0, -2.0])

    def residual(x):
        potentials = [x[4 * k : 4 * k + 4] for k in range(levels)]
        balances = []
        for u in potentials:
            flux = u[1:] - u[:-1]
            balances += [flux[:1] + sources[:1], flux[1:] - flux[:-1] + sources[1:3]]
            balances += [sources[3:] - flux[-1:]]
        return np.concatenate([*balances, x[-1:] ** 2 - 4.0])

    V = np.zeros((4 * levels + 1, levels))
    for k in range(levels):
        V[4 * k : 4 * k + 4, k] = 1.0
    problem = Problem(residual, null_space=V if declared else None)
    found = problem.find_solutions(np.ones(4 * levels + 1))
    assert sorted(round(one.x[-1]) for one in found) == [-2, 2]
