"""The folder of a diagram: kills, other arguments, and what is refused before work starts."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from sgsolve import (
    CheckpointError,
    ConvergenceError,
    DataTypeError,
    InputError,
    PartialBranchWarning,
    Problem,
)

DIAGRAM = """
    import numpy as np
    from sgsolve import Problem

    def rod(u, load):
        full = np.concatenate([[0.0], u, [0.0]])
        return (full[2:] - 2.0 * u + full[:-2]) * 100.0 + load * np.sin(u)

    problem = Problem(rod, params={"load": 5.0})
    problem.bifurcation_diagram(
        np.zeros(9), "load", (5.0, 50.0), outputs={"first": count}, folder=sys.argv[1])
"""
ORBITS = """
    from sgsolve import Checkpoint, Problem
    from tests.periodic.oscillators import feedback, one

    problem = Problem(feedback, params={"a": 1.3}, storage=one)
    steady = problem.continuation([0.0, 0.0, 0.0], "a", (0.9, 1.3), step=-0.05, stability=True)
    problem.orbit_continuation(
        steady, bounds=(0.62, 1.1), step=-0.01, max_step=0.05, intervals=12,
        outputs={"first": count}, checkpoint=Checkpoint(sys.argv[1] + "/orbits.npz", points=1),
        resume=True).save(sys.argv[1] + "/whole.npz")
"""
BOTH = """
    from pathlib import Path
    from sgsolve import Problem
    from tests.periodic.oscillators import one

    steady = Path(sys.argv[1]) / "branch 000.npz"

    def flow(x, mu):
        if steady.exists():
            count(x)
        growth = mu * (1.0 - mu) - x[0] ** 2 - x[1] ** 2
        return [x[1] - growth * x[0], -x[0] - growth * x[1]]

    problem = Problem(flow, params={"mu": -0.5}, storage=one)
    problem.bifurcation_diagram([0.0, 0.0], "mu", (-0.5, 1.5), orbits=True, folder=sys.argv[1])
"""
COUNT = """
    import os, signal, sys

    counted = []

    def count(x):
        counted.append(x)
        if len(counted) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return 0.0
"""


def run(program, folder, kill_at=0):
    text = textwrap.dedent(COUNT) + textwrap.dedent(program)
    command = [sys.executable, "-c", text, str(folder), str(kill_at)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == (-signal.SIGKILL if kill_at else 0), done.stderr


def bits(path):
    """All arrays of a file by name, without times, costs and checksums."""
    other = ("seconds", "count", "checksum", "state", "fingerprint", "backend")
    with np.load(path) as file:
        return {k: file[k].tobytes() for k in file.files if not k.startswith(other)}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize(
    ("program", "kills"), [(DIAGRAM, (2, 7)), (ORBITS, (2, 7)), (BOTH, (20, 100))]
)
def test_after_a_kill_all_bits_are_the_same(tmp_path, program, kills):
    (tmp_path / "whole").mkdir()
    run(program, tmp_path / "whole")
    for kill_at in kills:
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        run(program, folder, kill_at)
        run(program, folder)
        names = sorted(path.name for path in (tmp_path / "whole").glob("*.npz"))
        assert names == sorted(path.name for path in folder.glob("*.npz"))
        for name in names:
            assert bits(folder / name) == bits(tmp_path / "whole" / name)


def pitchfork(x, p):
    return p * x - x**3


ARGUMENTS = ([0.0], "p", (-1.0, 1.0))


def test_what_was_not_finished_is_named_again(tmp_path):
    def ends(x, p):
        return x - np.sqrt(0.3 - p)

    problem = Problem(ends, params={"p": -1.0})
    texts = []
    for _ in range(2):
        with (
            pytest.warns(PartialBranchWarning, match="not all branches"),
            np.errstate(all="ignore"),
        ):
            diagram = problem.bifurcation_diagram([1.1], "p", (-1.0, 1.0), folder=tmp_path / "d")
        texts.append(diagram.unfinished)
    assert texts[0] == texts[1]
    assert not diagram.success


def test_other_arguments_are_another_diagram(tmp_path):
    problem = Problem(pitchfork, params={"p": -1.0})
    problem.bifurcation_diagram(*ARGUMENTS, folder=tmp_path)
    for options in ({"step": 0.1}, {"max_step": 0.1}, {"detect": "fold"}, {"max_points": 3}):
        with pytest.raises(CheckpointError, match=f"{next(iter(options))} differ"):
            problem.bifurcation_diagram(*ARGUMENTS, folder=tmp_path, **options)
    deeper = problem.bifurcation_diagram(*ARGUMENTS, folder=tmp_path, depth=4)
    assert len(deeper) == 3
    (tmp_path / "diagram.json").write_text("{")
    with pytest.raises(CheckpointError, match="damaged"):
        problem.bifurcation_diagram(*ARGUMENTS, folder=tmp_path)


def test_bad_options_are_refused_before_work(tmp_path):
    calls = []

    def counted(x, p):
        calls.append(1)
        return pitchfork(x, p)

    problem = Problem(counted, params={"p": -1.0})
    cases = [
        ({"orbits": True}, InputError, "a periodic orbit needs Q"),
        ({"orbits": "yes"}, DataTypeError, "orbits must be True or False"),
        ({"step": "a"}, DataTypeError, "step must be a number"),
        ({"step": 0.0}, InputError, "step must be a finite number other than zero"),
        ({"max_step": -1.0}, InputError, "max_step must be positive"),
        ({"max_points": 2.5}, InputError, "max_points must be a whole number"),
        ({"detect": "fld"}, InputError, "detect names 'fld'"),
        ({"stability": 3}, DataTypeError, "stability must be True"),
        ({"outputs": 3}, DataTypeError, "outputs must map names"),
        ({"steps": 3}, DataTypeError, "steps must be an Arclength"),
        ({"depth": 1.5}, InputError, "depth must be a whole number of at least 0"),
        ({"max_branches": True}, InputError, "max_branches must be a whole number of at least 1"),
        ({"time_limit": -1.0}, InputError, "time_limit must be positive"),
    ]
    for options, kind, words in cases:
        with pytest.raises(kind, match=words):
            problem.bifurcation_diagram(*ARGUMENTS, folder=tmp_path / "d", **options)
    for folder, kind, words in (
        (3, DataTypeError, "must be a path"),
        (__file__, InputError, "cannot be used"),
    ):
        with pytest.raises(kind, match=words):
            problem.bifurcation_diagram(*ARGUMENTS, folder=folder)
    with pytest.raises(InputError, match="x0 has no start"):
        problem.bifurcation_diagram(np.zeros((0, 1)), "p", (-1.0, 1.0))
    assert not calls
    assert not os.path.exists(tmp_path / "d")


def test_no_start_at_all_is_a_failure():
    problem = Problem(lambda x, p: x**2 + p**2 + 1.0, params={"p": 0.0})
    with pytest.raises(ConvergenceError, match="no branch could be started: from start 0, up"):
        problem.bifurcation_diagram([0.3], "p", (-1.0, 1.0))
