"""Where the time of an evaluation goes, as shares of the hand-written NumPy evaluation.

    python phases.py w1:300 w1dot:300 w3-1d:100,10000 w3-2d:100,300 w4:200

`residual` is the same residual on plain arrays: what NumPy itself takes, and the least that any
evaluation can take that runs the user's code. `notes` is what running it on AD arrays takes more:
Python, and comparing index arrays and matrices with what they were. `program` is the arithmetic of
the derivative, `assembly` putting it into the matrix; both are compiled or planned once. Medians
of CPU time in one process, one after the other.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

import harness
from peers.ops_numpy import NumpyOps

ROUNDS = 101


def measure(workload: str, size: int) -> dict[str, float]:
    """Return the median of each phase over that of the hand-written evaluation."""
    problem = harness.make_problem(workload, size)
    peers = {}
    for name in ("hand_numpy", "sgsolve"):
        cls, kwargs = harness.load(harness.PEERS, name)
        peers[name] = cls(**kwargs)
        peers[name].imports()
        peers[name].setup(problem)
    ours, hand = peers["sgsolve"], peers["hand_numpy"]
    times: dict[str, list[int]] = {
        name: [] for name in ("hand", "residual", "forward", "program", "total")
    }
    points = problem.points()
    for k in range(20 + ROUNDS):
        x = points[k % 2]
        clock = [time.process_time_ns()]
        hand.evaluate(x)
        clock.append(time.process_time_ns())
        problem.residual(x, NumpyOps)
        clock.append(time.process_time_ns())
        y = problem.residual(ours.ad.seed(x), ours.ops)
        clock.append(time.process_time_ns())
        J = y.jacobian
        clock.append(time.process_time_ns())
        program_time = _program_time(y)
        if program_time:
            steps = [b - a for a, b in zip(clock[:-1], clock[1:], strict=True)]
            for name, step in zip(("hand", "residual", "forward"), steps[:3], strict=True):
                times[name].append(step)
            times["program"].append(program_time)
            times["total"].append(steps[2] + steps[3])
        del J, y
    medians = {name: statistics.median(values) for name, values in times.items()}
    whole = medians["hand"]
    return {
        "residual": medians["residual"] / whole,
        "notes": (medians["forward"] - medians["residual"]) / whole,
        "program": medians["program"] / whole,
        "assembly": (medians["total"] - medians["forward"] - medians["program"]) / whole,
        "total": medians["total"] / whole,
    }


def _program_time(y: Any) -> int:
    """Return the time that the array operations of the derivative take by themselves."""
    derivative = y._derivative
    computations = derivative.tape.recordings.programs.items()
    (program,) = [c.program for (point, *_), c in computations if point is derivative.point]
    if program is None:
        return 0
    vector, places = program.places()
    begin = time.process_time_ns()
    program.compute(derivative.tape.inputs, places)
    return time.process_time_ns() - begin


def main(cases: list[str]) -> list[tuple[str, int, dict[str, float]]]:
    """Print and return the table."""
    rows = []
    print(f"{'case':14} residual  notes  program  assembly  total")
    for case in cases:
        workload, sizes = case.split(":")
        for size in map(int, sizes.split(",")):
            shares = measure(workload, size)
            rows.append((workload, size, shares))
            numbers = [shares[k] for k in ("residual", "notes", "program", "assembly", "total")]
            print(f"{workload + ' ' + str(size):14}" + "".join(f"{v:8.2f}" for v in numbers))
    return rows


if __name__ == "__main__":
    main(sys.argv[1:] or ["w1:300", "w1dot:300", "w3-1d:100,10000", "w3-2d:100,300", "w4:200"])
