"""Equations spread over ranks: the same solutions as serially, on boxes and on listed ghosts."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from sgsolve import ConvergenceError, Problem, distributed
from sgsolve.distributed.local_solution import LocalSolution
from sgsolve.errors import BackendError, InputError, ParameterError, ShapeError, StructureError
from sgsolve.petsc import UnusedOptionsWarning
from tests.mpi import needs_mpi, needs_petsc, run


def test_missing_petsc_names_the_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "petsc4py", None)
    with pytest.raises(BackendError, match=r"pip install 'sgsolve\[petsc\]'"):
        distributed.Box((3, 3))
    with pytest.raises(BackendError, match=r"pip install 'sgsolve\[petsc\]'"):
        distributed.Ghosts([0], [])


def bratu(u, lam):
    """3-D Bratu on a box with a margin."""
    c = u[1:-1, 1:-1, 1:-1]
    around = u[2:, 1:-1, 1:-1] + u[:-2, 1:-1, 1:-1] + u[1:-1, 2:, 1:-1] + u[1:-1, :-2, 1:-1]
    around = around + u[1:-1, 1:-1, 2:] + u[1:-1, 1:-1, :-2]
    return 6.0 * c - around - lam / 100.0 * np.exp(c)


def serial_bratu(shape, lam):
    def residual(x, lam):
        return bratu(np.pad(x.reshape(shape), 1), lam).ravel()

    return exact(Problem(residual, params={"lam": lam}), int(np.prod(shape))).reshape(shape)


def exact(problem, n, start=0.0):
    """The solution to rounding: a solution after one more step of Newton's method."""
    x = problem.solve(np.full(n, start)).x
    F, J = problem.linearize(x)
    return x - spsolve(J.tocsc(), F)


def test_a_solution_prints_how_it_was_found_not_all_numbers():
    solution = LocalSolution(np.ones(1000), True, "done", 3, 20, 1e-9, {"a": 2.0}, None, None)
    text = "LocalSolution(success=True, message='done', iterations=3, linear_iterations=20, "
    assert repr(solution) == text + "residual_norm=1e-09, params={'a': 2.0})"


@needs_petsc
def test_a_box_on_one_rank_gives_the_serial_solution():
    shape = (7, 8, 9)
    box = distributed.Box(shape)
    assert (box.own_shape, box.local_shape) == (shape, (9, 10, 11))
    problem = distributed.LocalProblem(bratu, box, params={"lam": 1.0}, options="-pc_type ilu")
    branch = problem.sweep(0.0, "lam", [1.0, 2.0])
    assert problem.at(lam=2.0).solve(branch[0]).params == {"lam": 2.0}
    for one, lam in zip(branch, (1.0, 2.0), strict=True):
        assert one.success
        np.testing.assert_allclose(one.whole(), serial_bratu(shape, lam), rtol=1e-10)
        np.testing.assert_array_equal(one.own, one.whole())


def two_species(u, a):
    """Two unknowns at each point of a line; the second one diffuses to a fixed value."""
    x, y = u[1:-1, 0], u[1:-1, 1]
    fx = 4.0 * x - u[2:, 0] - u[:-2, 0] - y + x**3 - a
    fy = 3.0 * y - u[2:, 1] - u[:-2, 1] - 0.2 * x
    return np.stack([fx, fy], axis=1)


@needs_petsc
def test_several_unknowns_at_a_point():
    box = distributed.Box((30,), components=2)
    found = distributed.LocalProblem(two_species, box, params={"a": 1.0}).solve(0.0).whole()

    def serial(x):
        return two_species(np.pad(x.reshape(30, 2), ((1, 1), (0, 0))), 1.0).ravel()

    expected = exact(Problem(serial), 60).reshape(30, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@needs_petsc
def test_listed_unknowns_on_one_rank():
    graph = sp.diags_array([np.ones(19)] * 2, offsets=[-1, 1], shape=(20, 20))
    layout = distributed.Ghosts.of_graph(graph)
    assert layout.local_shape == (20,)
    problem = distributed.LocalProblem(lambda u: 3.0 * u - np.roll(u, 1) - 1.0, layout)
    np.testing.assert_allclose(problem.solve(0.0).whole(), 0.5, rtol=1e-12)


@needs_petsc
def test_a_failure_is_an_error_with_the_last_point():
    problem = distributed.LocalProblem(lambda u: u[1:-1] ** 2 + 1.0, distributed.Box((3,)))
    with pytest.raises(ConvergenceError, match="DIVERGED") as caught:
        problem.solve(1.0)
    assert not caught.value.result.success
    assert not problem.solve(1.0, raise_on_failure=False).success


@needs_petsc
@pytest.mark.parametrize("function", [np.log, lambda u: np.where(u > 0.0, np.log(u), np.inf)])
def test_a_step_out_of_the_model_is_shortened(function):
    problem = distributed.LocalProblem(lambda u: function(u[1:-1]) - 1.0, distributed.Box((3,)))
    # The first step of Newton's method leads from 10 to -3.
    np.testing.assert_allclose(problem.solve(10.0).whole(), np.e, rtol=1e-10)


@needs_petsc
def test_a_start_outside_of_the_model_is_an_error():
    problem = distributed.LocalProblem(lambda u: np.sqrt(u[1:-1]) - 2.0, distributed.Box((3,)))
    with pytest.raises(ConvergenceError, match="the residual at the start is not finite"):
        problem.solve(-1.0)
    np.testing.assert_allclose(problem.solve(1.0).whole(), 4.0, rtol=1e-10)


@needs_petsc
@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: distributed.Box((3, 3, 3, 3)), InputError, "1 to 3 positive numbers"),
        (lambda: distributed.Box((3.5,)), InputError, r"positive numbers of points, not \(3.5,\)"),
        (lambda: distributed.Box(5), InputError, "positive numbers of points, not 5"),
        (lambda: distributed.Box((3,), margin=0), InputError, "must be positive integers"),
        (lambda: distributed.Box((3,), margin=5), InputError, r"\(3,\) points .* cannot be spread"),
        (lambda: distributed.Ghosts([0, 2], []), StructureError, "each on one rank"),
        (lambda: distributed.Ghosts([0, 1], [5]), StructureError, "a ghost must be one"),
        (lambda: distributed.LocalProblem(bratu, None), InputError, "a Box or Ghosts, not None"),
        (
            lambda: problem_of(lambda u: u).solve(),
            ShapeError,
            r"shape \(5,\); this rank has \(3,\)",
        ),
        (lambda: problem_of(lambda u: np.ones(3)).solve(), StructureError, "does not depend"),
        (lambda: problem_of(lambda u: u[1:-1]).solve(np.ones(7)), InputError, r"shape \(7,\)"),
        (lambda: problem_of(lambda u: u[1:-1]).at(a=1.0), ParameterError, "no parameter 'a'"),
    ],
)
def test_wrong_input_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


@needs_petsc
def test_options_that_petsc_does_not_read_are_named_once():
    problem = distributed.LocalProblem(
        lambda u: u[1:-1] - 2.0, distributed.Box((3,)), options="-ksp_typ cg -ksp_rtol 1e-12"
    )
    with pytest.warns(UnusedOptionsWarning, match="has not read the options -ksp_typ: they"):
        problem.solve(0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problem.solve(0.0)


def problem_of(residual):
    return distributed.LocalProblem(residual, distributed.Box((3,)))


BOX = """
import numpy as np, sys
from sgsolve import distributed
from tests.distributed.test_local_problem import bratu
box = distributed.Box((7, 8, 9))
problem = distributed.LocalProblem(bratu, box, params={"lam": 1.0}, options="-pc_type gamg")
branch = problem.sweep(0.0, "lam", [1.0, 2.0])
np.save(sys.argv[1], np.array([one.whole() for one in branch]))
print(box.own_shape != (7, 8, 9), all(one.success for one in branch))
"""

# A Brusselator on a ring of cells, cut by listed unknowns: cell k has the unknowns k and k + 40.
LISTED = """
import numpy as np, sys
import scipy.sparse as sp
from sgsolve import distributed
from tests.distributed.test_local_problem import brusselator_graph, brusselator
layout = distributed.Ghosts.of_graph(brusselator_graph(40))
numbers = np.concatenate([layout.owned, layout.ghosts])
place = np.full(80, -1)
place[numbers] = np.arange(len(numbers))
def residual(u, b):
    return brusselator(u, layout.owned, place, 40, b)
problem = distributed.LocalProblem(residual, layout, params={"b": 1.5},
                                   options="-ksp_type gmres -pc_type asm")
found = problem.solve(1.0)
np.save(sys.argv[1], found.whole())
print(len(layout.owned) < 80, found.success)
"""


def brusselator_graph(m):
    cells = np.arange(m)
    rows, columns = [], []
    for kind in range(2):
        for other in (cells, (cells + 1) % m, (cells - 1) % m):
            rows.append(kind * m + cells)
            columns.append(kind * m + other)
        rows.append(kind * m + cells)
        columns.append((1 - kind) * m + cells)
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    return sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=(2 * m, 2 * m))


def brusselator(u, owned, place, m, b):
    """The equations of the unknowns `owned`, from the local ones; place[number] is that in u."""
    kind, cell = owned // m, owned % m
    right, left = kind * m + (cell + 1) % m, kind * m + (cell - 1) % m
    own = u[place[owned]]
    partner = u[place[(1 - kind) * m + cell]]
    x = np.where(kind == 0, own, partner)
    y = np.where(kind == 0, partner, own)
    source = 0.3 * np.sin(2.0 * np.pi * cell / m)
    reaction = np.where(kind == 0, 1.0 + source - (b + 1.0) * x + x**2 * y, b * x - x**2 * y)
    return own * 2.0 - u[place[right]] - u[place[left]] - 0.1 * reaction


@pytest.mark.slow
@needs_mpi
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_boxes_on_several_ranks_agree_with_the_serial_solution(size, tmp_path):
    done = run(BOX, size, str(tmp_path / f"{size}.npy"))
    assert done.stdout.split() == [str(size > 1), "True"], done.stderr
    found = np.load(tmp_path / f"{size}.npy")
    for one, lam in zip(found, (1.0, 2.0), strict=True):
        np.testing.assert_allclose(one, serial_bratu((7, 8, 9), lam), rtol=1e-10)


@pytest.mark.slow
@needs_mpi
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_listed_ghosts_on_several_ranks_agree_with_the_serial_solution(size, tmp_path):
    pytest.importorskip("pymetis")
    done = run(LISTED, size, str(tmp_path / f"{size}.npy"))
    assert done.stdout.split() == [str(size > 1), "True"], done.stderr
    every = np.arange(80)
    serial = exact(Problem(lambda x: brusselator(x, every, every, 40, 1.5)), 80, 1.0)
    np.testing.assert_allclose(np.load(tmp_path / f"{size}.npy"), serial, rtol=1e-10)


# Steps of implicit Euler: the values of the last step, and a coefficient, are those of the rank.
STEPS = """
import numpy as np, sys
from sgsolve import distributed
from tests.distributed.test_local_problem import warming
box = distributed.Box((9, 8))
problem = distributed.LocalProblem(
    warming, box, params={"dt": 0.5, "old": np.zeros(box.own_shape),
                          "source": np.arange(72.0).reshape(9, 8)[box.own]})
u = problem.params["old"]
for _ in range(3):
    solution = problem.at(old=u).solve(u)
    u = solution.own
np.save(sys.argv[1], solution.whole())
print(box.own_shape != (9, 8), solution.success)
"""


def warming(u, dt, old, source):
    m = u[1:-1, 1:-1]
    flow = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * m
    return m - old - dt * (flow * (1.0 + m**2) + source / 72.0)


def serial_warming(x, old, source):
    return warming(np.pad(x.reshape(9, 8), 1), 0.5, old.reshape(9, 8), source).ravel()


@pytest.mark.slow
@needs_mpi
@pytest.mark.parametrize("size", [1, 2, 3])
def test_arrays_of_a_rank_are_parameters(size, tmp_path):
    done = run(STEPS, size, str(tmp_path / f"{size}.npy"))
    assert done.stdout.split() == [str(size > 1), "True"], done.stderr
    source, u = np.arange(72.0).reshape(9, 8), np.zeros(72)
    for _ in range(3):
        u = exact(Problem(serial_warming, params={"old": u, "source": source}), 72, u)
    np.testing.assert_allclose(np.load(tmp_path / f"{size}.npy"), u.reshape(9, 8), rtol=1e-10)


@pytest.mark.slow
@needs_mpi
def test_numbers_that_differ_between_ranks_are_refused():
    done = run(STEPS.replace('"dt": 0.5', '"dt": 0.5 + box.own[0].start'), 2, "unused")
    assert "the ranks hold different numbers: rank 1 solves LocalProblem(warming" in done.stderr
