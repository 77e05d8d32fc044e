"""What is shown at the prompt fits on a line; what is printed is for people."""

import pickle

import numpy as np
import pytest

from sgsolve import Branch, CheckpointError, Problem, linear
from sgsolve.results.blocks import Blocks
from sgsolve.results.history import Stats, counted, duration
from tests.problems import brusselator


def square(x, a):
    return x**2 - a


@pytest.fixture(scope="module")
def problem():
    return Problem(square, params={"a": 2.0}, blocks={"u": slice(0, 50)}, storage=lambda x: x)


def test_every_answer_fits_on_a_line(problem):
    result = problem.solve(np.ones(100))
    branch = problem.sweep(result.x, "a", [2.0, 3.0, 4.0])
    curve = Problem(lambda x, p: p + x - x**3 / 3).at(p=-1.0).continuation([-2.1], "p", (-1.0, 0.8))
    shown = {
        "problem": (problem, "Problem(square, parameters: a)"),
        "result": (result, "Result(CONVERGED, 100 unknowns, residual"),
        "history": (result.history, "History("),
        "blocks": (result.blocks, "Blocks(u: 50, x: 50)"),
        "branch": (branch, "Branch('a', 3 points, from 2 to 4, CONVERGED)"),
        "curve": (curve, f"Branch('p', {len(curve)} points, from -1 to"),
        "special": (curve.special_points[0], "SpecialPoint(fold at 0.6666666"),
        "response": (
            problem.small_signal(result, "a", [0.0, 1.0]),
            "SmallSignalResponse(2 frequencies: all",
        ),
    }
    for answer, start in shown.values():
        assert repr(answer).startswith(start)
        assert len(repr(answer)) < 120
        assert "\n" not in repr(answer)


def test_answers_are_compared_as_objects(problem):
    """Their arrays have no single truth; so membership in a list of them is that of the object."""
    first, second = (problem.solve(np.ones(60)) for _ in range(2))
    assert first in [second, first]
    assert first != second
    assert len({first, second}) == 2
    assert pickle.loads(pickle.dumps(first)).nit == first.nit


def test_a_table_keeps_its_columns_below_their_names():
    """Long names, vectors for each point, and zeros with a sign."""
    outputs = {
        "current through the anode": lambda x: x[0],
        "both": lambda x: x,
        "minus": lambda x: 0.0 * -x[0],
    }
    branch = Problem(square).sweep([1.0, 1.0], "a", np.linspace(1.0, 2.0, 40), outputs=outputs)
    lines = str(branch).splitlines()[2:]
    assert len(lines) == 1 + 15 + 1 + 15
    assert lines[16].strip() == "... 10 more ..."
    rows = lines[:16] + lines[17:]
    assert len({len(row) for row in rows}) == 1
    end = lines[0].index("anode") + len("anode")
    assert rows[-1][:end].endswith("1.41421")
    assert all(row.endswith("  0") for row in rows[1:])
    assert all("shape (2,)" in row for row in rows[1:])


def test_printed_small_signals_are_magnitudes_and_phases():
    """An RC circuit at its corner frequency: 1/sqrt 2, and 45 degrees behind."""
    rc = Problem(lambda v, u: v - u, params={"u": 0.0}, storage=lambda v: 1.0 * v)
    outputs = {"v": lambda v: v[0], "all": lambda v: v}
    rest, f = rc.solve([0.0]), [0.0, 0.5 / np.pi]
    lines = str(rc.small_signal(rest, "u", f, outputs=outputs)).splitlines()
    assert lines[:2] == ["all: shape (2, 1)", "phases in degrees"]
    assert lines[2].split() == ["frequency", "|v|", "phase", "of", "v"]
    assert [line.split() for line in lines[3:]] == [
        ["0", "1", "0"],
        ["0.159155", "0.707107", "-45"],
    ]
    lines = str(rc.small_signal(rest, "u", f)).splitlines()
    assert lines[0].startswith("states: shape (2, 1), one row for each frequency")
    assert lines[1].split() == ["frequency"]


def test_printed_result_says_what_was_done():
    residual, start = brusselator(8)
    result = Problem(residual).solve(start)
    rows = dict(line.strip().split("  ", 1) for line in str(result).splitlines())
    assert rows["unknowns"] == str(len(start))
    assert rows["iterations"] == f"{result.nit} by {result.solver}"
    assert rows["linear"].startswith(f"{result.stats.backend}: 1 analysis, ")
    assert f"total {duration(result.stats.seconds['total'])}" in rows["time"]
    assert rows["worst"].startswith(result.worst(1)[0][0])


def test_the_worst_equations_are_the_large_ones_of_those_that_are_all_wrong():
    """A residual of 1e-17 is all of a term of 1e-17: its scaled residual is 1 as well."""
    result = Problem(lambda x: np.stack([x[0] ** 2 + 1e-17, x[1] ** 2 + 3.0, x[2] - 1.0])).solve(
        [1e-9, 1.0, 3.0], raise_on_failure=False
    )
    assert result.worst(1)[0] == ("x[1]", pytest.approx(3.0, rel=0.5))


def test_history_is_a_table(problem):
    lines = str(problem.solve(np.full(60, 1e-3)).history).splitlines()
    places = {line.rfind("e", 0, 16) for line in lines[1:]}
    assert len(places) == 1  # the exponents of the residual stand below each other


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 s"), (31e-6, "31 us"), (0.0027, "2.7 ms"), (1.234, "1.23 s"), (432.1, "432 s")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_one_is_singular():
    assert [counted(k, "solve") for k in (0, 1, 2)] == ["0 solves", "1 solve", "2 solves"]
    assert "1 iteration, 1 residual, 1 Jacobian, 1 analysis, 1 factorization, 1 solve (" in str(
        Stats(1, 1, 1, 1, 1, 1)
    )


def test_statistics_show_that_a_pattern_grew():
    assert "n_grow=2" in repr(linear.Statistics(n_grow=2))


def test_a_file_of_something_else_is_refused_and_not_to_be_unpickled(tmp_path):
    path = tmp_path / "notes.npz"
    path.write_text("no archive")
    with pytest.raises(
        CheckpointError, match=r"notes\.npz is no file that sgsolve wrote"
    ) as caught:
        Branch.load(path)
    assert "pickle" not in str(caught.value)


def test_a_folder_that_is_missing_is_named(tmp_path):
    branch = Problem(square).sweep([1.0], "a", [2.0])
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere to write curve\.npz to"):
        branch.save(tmp_path / "nowhere" / "curve.npz")


def test_a_single_changed_number_is_noticed(tmp_path):
    path = tmp_path / "curve.npz"
    Problem(square).sweep([1.0], "a", [2.0, 3.0]).save(path)
    with np.load(path) as file:
        content = dict(file)
    content["states"] = content["states"] + 1e-15
    np.savez(path, **content)
    with pytest.raises(CheckpointError, match=r"curve\.npz"):
        Branch.load(path)


def test_a_result_that_was_unpickled_has_no_jacobian():
    result = pickle.loads(pickle.dumps(Problem(lambda x: x**2 - 4.0).solve([1.0])))
    with pytest.raises(AttributeError, match="was unpickled and has no problem"):
        _ = result.jacobian


def test_the_history_is_drawn_where_the_user_says():
    plt = pytest.importorskip("matplotlib.pyplot")
    axes = plt.figure().add_subplot()
    result = Problem(lambda x: x**2 - 4.0).solve([1.0])
    assert result.plot(axes) is axes
    assert len(axes.lines[0].get_xdata()) == len(result.history)
    plt.close("all")


def test_unknowns_outside_of_all_blocks_are_numbered_among_themselves():
    blocks = Blocks(4, {"u": [0, 1]})
    assert [blocks.label(i) for i in (1, 3)] == ["u[1]", "x[1]"]
