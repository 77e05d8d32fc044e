"""Large problems: which back end serves, memory and CPU time, one case a process.

    python benchmarks/scale.py default 64        # 3-D Bratu on 64^3 nodes by the default call
    python benchmarks/scale.py multigrid 64      # ... by multigrid, or by superlu or pardiso
    python benchmarks/scale.py petsc 64          # ... by PETSc's CG and GAMG as a back end
    python benchmarks/scale.py snes 64           # ... by PETSc alone, with sgsolve's Jacobian
    mpiexec -n 2 python benchmarks/scale.py snes 64
    python benchmarks/scale.py table             # default and multigrid at 24^3 to 64^3
    python benchmarks/scale.py peers 64 80       # all of them, PETSc on one rank and on two
    (ulimit -v 4194304; python benchmarks/scale.py default 100)
    python benchmarks/scale.py limits 2 4 8      # how problems end within so many GiB
    python benchmarks/scale.py evaluations 16    # F and J at 1e4 to 1e7 unknowns, within 16 GiB

Each case of a table has a process of its own. CPU time is also given in units of one residual,
measured in the same process. With several ranks, time and memory are those of rank 0. Evaluations
are timed after the first one, which finds the pattern; their limit is that of the address space.
The second number is the time of the kernel, which fills new pages of memory with zeros.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from time import process_time
from typing import Any

import numpy as np
from scale_problems import bratu, convection, diode, neighbors

from sgsolve import OutOfMemoryError

SIDES = (24, 32, 40, 64)
EVALUATED = (22, 46, 100, 215)  # 1e4, 1e5, 1e6 and 1e7 unknowns
GAMG = "-ksp_type cg -pc_type gamg"
LIMITED = (
    "bratu-64", "bratu-80", "bratu-100", "convection-64", "device-316", "cube-16", "superlu-50"
)  # fmt: skip


def run(side: int, backend: Any) -> str:
    """Solve once; return one line."""
    problem, x0 = bratu(side, backend=backend)
    problem.residual(x0)
    start = process_time()
    for _ in range(5):
        problem.residual(x0)
    unit = (process_time() - start) / 5.0
    start = process_time()
    try:
        result = problem.solve(x0)
    except OutOfMemoryError as error:
        return f"{side:5d}^3  {error}"
    seconds = process_time() - start
    return report(side, result.stats.backend, result.status.name, result.x.max(), seconds, unit)


def run_evaluations(side: int, gibibytes: float) -> str:
    """Time the residual alone, and residual and Jacobian together, within a limit of memory."""
    limit = int(gibibytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    n = side**3
    try:
        problem, x = bratu(side)[0], np.full(n, 0.1)
        start = process_time()
        problem.residual(x), problem.jacobian(x)
        first = process_time() - start
        costs = [[_costs(f, x) for f in (problem.residual, problem.jacobian)] for _ in range(7)]
    except OutOfMemoryError as error:
        return f"{n:9d} unknowns  {error}"
    (of_f, kernel_f), (of_j, kernel_j) = 1e9 * np.median(costs, axis=0) / n
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return (
        f"{n:9d} unknowns  F {of_f:5.1f} + {kernel_f:5.1f}  F and J {of_j:5.1f} + {kernel_j:5.1f}  "
        f"first {1e9 * first / n:6.0f} ns each  {peak:6.2f} GiB, "
        f"{2**30 * peak / n:5.0f} bytes each"
    )


def run_limited(case: str, gibibytes: int) -> str:
    """Solve within a limit of the address space; say how it ended."""
    resource.setrlimit(resource.RLIMIT_AS, (gibibytes * 2**30, gibibytes * 2**30))
    kind, side = case.split("-")
    try:
        if kind in ("device", "cube"):
            sides = [int(side)] * (2 if kind == "device" else 3)
            blocks = {"backend": "multigrid"} if kind == "cube" else {}
            result = diode(sides, **blocks).solve(V_top=0.3)
        else:
            backend = "superlu" if kind == "superlu" else "auto"
            make = convection if kind == "convection" else bratu
            problem, x0 = make(int(side), backend=backend)
            result = problem.solve(x0)
    except OutOfMemoryError as error:
        return str(error)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return f"{result.status.name}  {result.stats.backend}  {peak:.2f} GiB"


def _costs(function: Any, x: Any) -> tuple[float, float]:
    """CPU seconds of the program, and of the kernel for it."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    function(x)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime


def run_snes(side: int) -> str:
    """Solve once by PETSc alone, each rank with its own rows; return one line."""
    from sgsolve import distributed

    h2 = 3.0 / (side + 1) ** 2

    def residual(w: Any) -> Any:
        u = w[1:-1, 1:-1, 1:-1]
        return 6.0 * u - sum(neighbors(w)) - h2 * np.exp(u)

    box = distributed.Box((side, side, side))
    problem = distributed.LocalProblem(residual, box, options=GAMG)
    whole = np.zeros(box.local_shape)
    start = process_time()
    for _ in range(5):
        residual(whole)
    unit = (process_time() - start) / 5.0
    start = process_time()
    result = problem.solve(0.0)
    seconds = process_time() - start
    return report(side, "snes, gamg", "CONVERGED", result.whole().max(), seconds, unit)


def report(side: int, name: str, status: str, top: float, seconds: float, unit: float) -> str:
    """Return one line."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return (
        f"{side:5d}^3  {name:10}  {status}  max {top:.8f}  "
        f"{seconds:8.2f} s  {seconds / unit:8.0f} residuals  {peak:5.2f} GiB"
    )


# What is asked for, and how many numbers may follow it.
NUMBERS = {
    **dict.fromkeys(("default", "multigrid", "superlu", "pardiso", "petsc", "snes"), (1, 1)),
    "table": (0, 0),
    "peers": (1, 9),
    "evaluations": (1, 2),
    "limits": (1, 9),
    **dict.fromkeys(LIMITED, (1, 1)),
}


def checked(arguments: list[str] | None = None) -> list[str]:
    """Return the arguments of the command line; wrong ones end the program with its usage."""
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("what", choices=NUMBERS)
    parser.add_argument(
        "numbers", nargs="*", type=int, help="nodes on a side; for evaluations first the GiB"
    )
    asked = parser.parse_args(arguments)
    least, most = NUMBERS[asked.what]
    if not least <= len(asked.numbers) <= most or min(asked.numbers, default=1) < 1:
        counts = str(least) if least == most else f"{least} to {most}"
        parser.error(f"{asked.what} takes {counts} positive integers, not {asked.numbers}")
    return [asked.what, *map(str, asked.numbers)]


def cases(arguments: list[str]) -> list[list[str]]:
    """Return the arguments of each case of a table; an empty list for a single case."""
    if arguments == ["table"]:
        return [[backend, str(side)] for side in SIDES for backend in ("default", "multigrid")]
    if arguments[0] == "peers":
        names = ("default", "multigrid", "petsc", "snes")
        return [[name, side] for side in arguments[1:] for name in names]
    if arguments[0] == "limits":
        return [[case, limit] for limit in arguments[1:] for case in LIMITED]
    if arguments[0] == "evaluations" and len(arguments) == 2:
        return [[*arguments, str(side)] for side in EVALUATED]
    return []


def single(name: str, *numbers: str) -> str:
    """Return the line of one case."""
    if name in LIMITED:
        return run_limited(name, int(numbers[0]))
    if name == "evaluations":
        return run_evaluations(int(numbers[1]), float(numbers[0]))
    side = int(numbers[0])
    if name == "snes":
        return run_snes(side)
    if name == "petsc":
        from sgsolve.petsc import Petsc

        return run(side, Petsc(GAMG))
    return run(side, "auto" if name == "default" else name)


def main(arguments: list[str]) -> list[str]:
    """Print and return the line of one case, or those of a table, one process a case."""
    lines = [] if cases(arguments) else [single(*arguments)]
    for line in lines:
        print(line, flush=True)
    for case in cases(arguments):
        for ranks in (1, 2) if case[0] in ("petsc", "snes") else (1,):
            launch = ["mpiexec", "-n", str(ranks)] if ranks > 1 else []
            command = [*launch, sys.executable, __file__, *case]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            line = done.stdout or f"ended with code {done.returncode}\n"
            if launch or case[0] in LIMITED:
                which = f"{ranks} ranks" if launch else f"{case[1]} GiB"
                line = f"{case[0]}, {which}: {line}"
            lines.append(line)
            print(lines[-1], end="", flush=True)
    return lines


if __name__ == "__main__":
    main(checked())
