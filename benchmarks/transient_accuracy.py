"""Time integrators: the achieved error over the tolerance, against SUNDIALS and SciPy.

Run as ``python benchmarks/transient_accuracy.py [problem ...]`` from the top of the repository.
Each integrator runs at rtol = 1e-4, 1e-6 and 1e-8. Printed is the largest error of an unknown at
the end, over rtol and over the largest unknown, or over each unknown where their sizes differ. One
row of sgsolve has no absolute tolerance; all others have the same. The reference is a formula or a
run at 1e-10; its distance from another method of another program at 1e-9 is printed. The ring
modulator and the amplifier take minutes, and run only where they are named.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
from transient import fisher, gray_scott, porous
from transient_integrators import INTEGRATORS, SUNDIALS, Case, UnsuitedError, ours
from transient_problems import PROBLEMS

from sgsolve.transient import Bdf

TOLERANCES = (1e-4, 1e-6, 1e-8)
FINE, CHECK = 1e-10, 1e-9
LONG = ("ring_modulator", "transistor_amplifier")
CASES = {
    **PROBLEMS,
    "fisher": lambda: fisher(401),
    "gray_scott": lambda: gray_scott(200),
    "porous": lambda: porous(400),
}
METHODS = {
    "sgsolve Bdf, default atol": ours(Bdf(), default=True),
    **{name: run for name, run in INTEGRATORS.items() if "compiled" not in name},
}


def reference(case: Case) -> np.ndarray:
    """Return the solution at the end by the first other program that can solve the problem."""
    for run in [*reversed(SUNDIALS.values()), INTEGRATORS["SciPy Radau"]]:
        try:
            return run(case, FINE)[0]
        except (UnsuitedError, RuntimeError):
            continue
    return INTEGRATORS["sgsolve ESDIRK4"](case, FINE)[0]


def compare(case: Case) -> dict[str, list[float]]:
    """Print and return errors over tolerances; infinite where a run failed."""
    exact = reference(case) if case.exact is None else case.exact
    size = np.abs(exact) if case.apart else np.abs(exact).max()

    def error(y):
        return float((np.abs(y - exact) / size).max())

    check = error(INTEGRATORS["sgsolve ESDIRK4"](case, CHECK)[0])
    print(f"\n{case.name}: {len(case.y0)} unknowns; another run at {CHECK} differs by {check:.1e}")
    found = {}
    for name, run in METHODS.items():
        try:
            runs = [_run(run, case, rtol) for rtol in TOLERANCES]
        except UnsuitedError:
            continue
        found[name] = [
            np.inf if one is None else error(one[0]) / rtol
            for one, rtol in zip(runs, TOLERANCES, strict=True)
        ]
        counts = "/".join("-" if one is None else str(one[1][1]) for one in runs)
        print(f"{name:26s}", " ".join(f"{e:9.2g}" for e in found[name]), f"  evaluations {counts}")
    return found


def _run(run, case, rtol):
    """Return the result of a run, or None if it failed."""
    try:
        return run(case, rtol)
    except RuntimeError:
        return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problems", nargs="*", metavar="problem", help=", ".join(CASES))
    asked = parser.parse_args().problems or [name for name in CASES if name not in LONG]
    for name in asked:
        if name not in CASES:
            parser.error(f"no problem {name}; the names are {', '.join(CASES)}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compare(CASES[name]())
