"""Where the time of an evaluation goes, as shares of the hand-written NumPy evaluation.

    python phases.py w1:300 w1dot:300 w3-1d:100,10000 w3-2d:100,300 w4:200
    python phases.py --steps w5:128,256 w6:1000,10000,100000

`residual` is the same residual on plain arrays: what NumPy itself takes, and the least that any
evaluation can take that runs the user's code. What running it on AD arrays takes more is `python`,
as measured with frozen operands, and `comparing` index arrays and matrices with what they were,
which these do not need. `program` is the arithmetic of the derivative, `assembly` putting it into
the matrix; both are compiled or planned once. `floor` is what is left without `python` and
`comparing`. With `--steps` a time step, w5 or w6, has another length at every evaluation: a number
of the residual that varies. Medians of CPU time in one process, one after the other.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import harness
from peers.ops_numpy import NumpyOps

ROUNDS = 101
COLUMNS = ("residual", "python", "comparing", "program", "assembly", "total", "floor")


def measure(workload: str, size: int, steps: bool = False) -> dict[str, float]:
    """Return the median of each phase over that of the hand-written evaluation."""
    problem, other = (harness.make_problem(workload, size) for _ in range(2))
    hand = _peer("hand_numpy", problem)
    ours = [_peer("sgsolve", problem), _peer("sgsolve_frozen", other)]
    rate = problem.rate if steps else None
    times: dict[str, list[int]] = {"hand": [], "residual": []}
    points = problem.points()
    for k in range(20 + ROUNDS):
        x = points[k % 2]
        if steps:
            problem.rate = other.rate = rate * (1.0 + 0.01 * (k % 37))
        new = {
            "hand": _time(lambda x=x: hand.evaluate(x)),
            "residual": _time(lambda x=x: problem.residual(x, NumpyOps)),
        }
        for peer, name in zip(ours, ("", "frozen "), strict=True):
            for phase, taken in _phases(peer, x).items():
                new[name + phase] = taken
        if k >= 20:
            for name, taken in new.items():
                times.setdefault(name, []).append(taken)
    m = {name: statistics.median(values) for name, values in times.items()}
    frozen = m["frozen forward"] - m["residual"]
    shares = {
        "residual": m["residual"],
        "python": frozen,
        "comparing": m["forward"] - m["frozen forward"],
        "program": m["program"],
        "assembly": m["jacobian"] - m["program"],
        "total": m["forward"] + m["jacobian"],
        "floor": m["residual"] + m["jacobian"],
    }
    return {name: value / m["hand"] for name, value in shares.items()}


def _peer(name: str, problem: Any) -> Any:
    cls, kwargs = harness.load(harness.PEERS, name)
    peer = cls(**kwargs)
    peer.imports()
    peer.setup(problem)
    return peer


def _time(work: Callable[[], Any]) -> int:
    begin = time.process_time_ns()
    work()
    return time.process_time_ns() - begin


def _phases(peer: Any, x: Any) -> dict[str, int]:
    """Return the time of the residual on AD arrays, of its Jacobian, and of the program in it."""
    begin = time.process_time_ns()
    y = peer.problem.residual(peer.ad.seed(x), peer.ops)
    middle = time.process_time_ns()
    J = y.jacobian
    end = time.process_time_ns()
    del J
    return {"forward": middle - begin, "jacobian": end - middle, "program": _program_time(y)}


def _program_time(y: Any) -> int:
    """Return the time that the array operations of the derivative take by themselves."""
    derivative = y._derivative
    computations = derivative.tape.graph.programs.items()
    (programs,) = [c.programs for (node, *_), c in computations if node is derivative.node]
    if False not in programs:
        return 0
    program = programs[False]
    vector, places = program.places()
    begin = time.process_time_ns()
    program.compute(derivative.tape.inputs, places)
    return time.process_time_ns() - begin


def main(cases: list[str], steps: bool = False) -> list[tuple[str, int, dict[str, float]]]:
    """Print and return the table."""
    rows = []
    print(f"{'case':14}" + "".join(f"{name:>10}" for name in COLUMNS))
    for case in cases:
        workload, sizes = case.split(":")
        for size in map(int, sizes.split(",")):
            shares = measure(workload, size, steps)
            rows.append((workload, size, shares))
            numbers = "".join(f"{shares[name]:10.2f}" for name in COLUMNS)
            print(f"{workload + ' ' + str(size):14}{numbers}")
    return rows


if __name__ == "__main__":
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("cases", nargs="*", metavar="workload:size[,size ...]")
    parser.add_argument("--steps", action="store_true", help="w5, w6: another step each time")
    arguments = parser.parse_args()
    asked = arguments.cases
    for case in asked:
        workload, _, sizes = case.partition(":")
        if not (workload and all(size.isdigit() for size in sizes.split(","))):
            parser.error(f"a case is a workload with its sizes, such as w1:100,300, not {case}")
        if arguments.steps and workload not in ("w5", "w6"):
            parser.error(f"--steps: {workload} is no time step; w5 and w6 are")
    usual = ["w1:300", "w1dot:300", "w3-1d:100,10000", "w3-2d:100,300", "w4:200"]
    main(asked or (["w5:128", "w6:10000"] if arguments.steps else usual), arguments.steps)
