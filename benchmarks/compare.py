"""The same rows on two versions of sgsolve in one run: CPU time, ratios, and how often J was taken.

    git worktree add --detach /tmp/first 0483374
    python benchmarks/compare.py /tmp/first                         # all rows, nine rounds
    python benchmarks/compare.py /tmp/first elastica-999 --rounds 25

Each version has one process. In a round each row runs once in either, one after the other, and the
one that begins changes from round to round. A ratio is the time of this version over that of the
other in the same round; printed are the median of the ratios and the ratio of the least times. The
first round is not counted: it reads files, fills caches, and compiles to bytecode.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before NumPy reads them
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the row `import` would compile each time

import numpy as np

HERE = Path(__file__).resolve().parents[1]
COUNTS = ("njev", "n_factor")


def elastica(n: int) -> Any:
    """Follow the straight rod through its first two branch points."""
    from tests.continuation.gallery import elastica

    return problem(elastica).continuation(np.zeros(n), "lam", (2.0, 7.0))


def swift_hohenberg(n: int) -> Any:
    """Follow the uniform state through six branch points."""
    from tests.continuation.gallery import swift_hohenberg

    return problem(swift_hohenberg(n)).continuation(np.zeros(n), "lam", (-0.1, 2.2), max_step=0.05)


def bratu(n: int) -> Any:
    """Follow the Bratu problem in one dimension through its fold."""
    from tests.continuation.gallery import bratu

    return problem(bratu).continuation(np.zeros(n), "lam", (0.1, 4.0), max_step=0.5)


def bratu_sweep(n: int) -> Any:
    """Sweep the Bratu problem at 31 values."""
    from tests.continuation.gallery import bratu

    return problem(bratu).sweep(np.zeros(n), "lam", np.linspace(0.0, 3.0, 31))


def bratu_2d(n: int) -> Any:
    """Follow the Bratu problem on a square through its fold."""
    from tests.continuation.gallery import bratu_2d

    return problem(bratu_2d(n)).continuation(np.zeros(n * n), "lam", (0.5, 8.0), max_step=1.0)


def s_curve(n: int) -> Any:
    """Follow one cubic through its two folds (n is 1)."""
    from tests.continuation.gallery import s_curve

    return problem(s_curve).continuation(-2.0 * np.ones(n), "lam", (0.0, 1.0))


def brusselator(n: int) -> Any:
    """Solve the Brusselator on a square by default."""
    from tests.problems import brusselator

    residual, x0 = brusselator(n)
    return problem(residual).solve(x0)


def hard(count: int) -> list[Any]:
    """Solve random systems from far away by default; some are not solved."""
    from tests.continuation.gallery import far_start

    systems = [far_start(seed) for seed in range(count)]
    return [problem(F).solve(x0, raise_on_failure=False) for F, x0 in systems]


def gallery(factor: int) -> list[Any]:
    """Solve the 23 problems of the gallery by default from multiples of their starts."""
    from tests.problems import CASES

    return [problem(c.residual).solve(factor * c.start, raise_on_failure=False) for c in CASES]


def diode(nodes: int) -> Any:
    """Sweep the voltage of the pn diode of the examples."""
    import pn_diode

    t = np.linspace(-1.0, 1.0, nodes)
    device = pn_diode.diode(5e-6 * (1.0 + np.sinh(3.0 * t) / np.sinh(3.0)))
    return device.sweep("top", [0.1 * k for k in range(11)])


def start(times: int) -> None:
    """Import sgsolve in fresh processes."""
    for _ in range(times):
        subprocess.run([sys.executable, "-c", "import sgsolve"], check=True)


ROWS: dict[str, tuple[Callable[[int], Any], int]] = {
    "import": (start, 3),
    "gallery": (gallery, 1),
    "gallery-100": (gallery, 100),
    "hard-20": (hard, 20),
    "hard-120": (hard, 120),
    "brusselator-32": (brusselator, 32),
    "brusselator-128": (brusselator, 128),
    "bratu-1000": (bratu, 1000),
    "bratu-sweep-1000": (bratu_sweep, 1000),
    "bratu-2d-40": (bratu_2d, 40),
    "s-curve": (s_curve, 1),
    "elastica-49": (elastica, 49),
    "elastica-199": (elastica, 199),
    "elastica-999": (elastica, 999),
    "swift-hohenberg-200": (swift_hohenberg, 200),
    "diode-1000": (diode, 1000),
}


def problem(residual: Callable[..., Any]) -> Any:
    """Return a problem of the version under test."""
    import sgsolve

    return sgsolve.Problem(residual)


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that have ended."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def serve(root: str) -> None:
    """Run the rows named on standard input with the version in `root`."""
    sys.path.insert(0, root)
    import sgsolve

    if Path(root) not in Path(sgsolve.__file__).parents:
        raise SystemExit(f"sgsolve comes from {sgsolve.__file__}, not from {root}")
    # The problems are those of this version, the devices those of either.
    sys.path[0] = str(HERE)
    sys.path.insert(0, str(Path(root) / "examples" / "semiconductor"))
    np.seterr(all="ignore")
    for line in sys.stdin:
        row, size = ROWS[line.strip()]
        begin = cpu_seconds()
        found = row(size)
        seconds = cpu_seconds() - begin
        runs = found if isinstance(found, list) else [] if found is None else [found]
        counts = [sum(getattr(run.stats, name) for run in runs) for name in COUNTS]
        print(json.dumps([seconds, *counts]), flush=True)


def measured(worker: subprocess.Popen[str], row: str) -> list[float]:
    """Return the seconds and the counts of a row in a process."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(row + "\n")
    worker.stdin.flush()
    answer = worker.stdout.readline()
    if not answer:
        raise SystemExit(f"the row {row} failed in {worker.args!r}; its error stands above")
    return json.loads(answer)


def compare(path: str, rows: list[str], rounds: int) -> dict[str, float]:
    """Print and return the median ratio of each row, this version over the other."""
    roots = [str(Path(path).resolve()), str(HERE)]
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, "--serve", root], text=True,
            env=os.environ | {"PYTHONPATH": root}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for root in roots
    ]  # fmt: skip
    ratios = {}
    print(
        f"{'row':20} {'other s':>9} {'this s':>9} {'median':>7} {'least':>6}   " + ", ".join(COUNTS)
    )
    for row in rows:
        runs: list[list[list[float]]] = [[], []]
        for turn in range(rounds + 1):
            for k in (0, 1) if turn % 2 else (1, 0):
                runs[k].append(measured(workers[k], row))
        other, this = (np.array(run[1:]) for run in runs)
        ratios[row] = float(np.median(this[:, 0] / other[:, 0]))
        least = this[:, 0].min() / other[:, 0].min()
        times = f"{np.median(other[:, 0]):9.4f} {np.median(this[:, 0]):9.4f}"
        counts = ", ".join(
            f"{a:.0f} -> {b:.0f}" for a, b in zip(other[0, 1:], this[0, 1:], strict=True)
        )
        print(f"{row:20} {times} {ratios[row]:7.2f} {least:6.2f}   {counts}", flush=True)
    for worker in workers:
        worker.communicate()
    return ratios


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", help="the top folder of another checkout")
    parser.add_argument("rows", nargs="*", help=", ".join(ROWS))
    parser.add_argument("--rounds", type=int, default=9, help="how often each row is timed")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if unknown := [row for row in asked.rows if row not in ROWS]:
        parser.error(f"no such rows: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    if asked.serve:
        serve(asked.path)
    else:
        compare(asked.path, asked.rows or list(ROWS), asked.rounds)
