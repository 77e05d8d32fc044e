"""Report versions and machine, and check the installation: ``python -m sgsolve``.

The checks solve u'' + p exp(u) = 0 on (0, 1) with u = 0 at both ends, whose solutions are known in
closed form. They take a few seconds. The exit status is 1 if one of them fails.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from sgsolve import BackendError, Problem, SgsolveError, __version__, ad, linear

PACKAGES = (
    "numpy",
    "scipy",
    "pypardiso",
    "mkl",
    "python-mumps",
    "pyamg",
    "petsc4py",
    "mpi4py",
    "matplotlib",
    "tqdm",
)
N = 199
FOLD = 3.513830719125  # the largest p for which there is a solution


def residual(u: Any, p: float) -> Any:
    """Second differences on equidistant points inside (0, 1)."""
    h = 1.0 / (N + 1)
    full = np.concatenate([[0.0], u, [0.0]])
    return (full[2:] - 2.0 * u + full[:-2]) / h**2 + p * np.exp(u)


def exact(p: float) -> float:
    """Largest value of the lower solution: 2 log cosh t, where t = sqrt(p / 8) cosh t."""
    t = 0.0
    for _ in range(200):  # contracts below the fold
        t = float(np.sqrt(p / 8.0) * np.cosh(t))
    return float(2.0 * np.log(np.cosh(t)))


def versions() -> Iterator[str]:
    """Lines on sgsolve, Python, the machine, packages and back ends that are not there."""
    yield f"sgsolve {__version__}, Python {platform.python_version()}"
    yield f"machine: {platform.platform()}, {platform.machine()}, {os.cpu_count()} processors"
    for name in PACKAGES:
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} not installed"
    for name in linear.backends():
        if reason := unavailable(name):
            yield f"back end {name} not available: {reason}"


def libraries() -> Iterator[str]:
    """Lines on the BLAS libraries that are loaded, with the kernel each of them runs."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        known = f"{blas['name']} {blas['version']}"
        yield f"BLAS of NumPy: {known}; install threadpoolctl to see its kernel"
        return
    for found in threadpool_info():
        kernel = found.get("architecture", "unknown")
        yield (
            f"{found['internal_api']} {found['version']}: kernel {kernel}, "
            f"{found['num_threads']} threads"
        )


def check_derivatives() -> str:
    """Compare the Jacobian by automatic differentiation with complex steps and differences."""
    check = ad.check_jacobian(lambda u: residual(u, 1.0), np.linspace(0.0, 0.5, N))
    return "" if check.ok else str(check)


def check_backend(name: str) -> str:
    """Solve with one back end, and see that no other one took over."""
    problem = Problem(residual, params={"p": 1.0}, backend=name)
    result = problem.solve(np.zeros(N))
    if result.stats.backend != linear.LinearSolver(problem.sparsity(np.zeros(N)), name).name:
        return f"back end {result.stats.backend} took over"
    return compared("largest value", float(result.x.max()), exact(1.0), 1e-5)


def check_sweep() -> str:
    """Sweep the parameter up to a place near the fold."""
    problem = Problem(residual, params={"p": 1.0})
    branch = problem.sweep(np.zeros(N), "p", [1.0, 2.0, 3.0, 3.5], outputs={"top": np.max})
    return compared("largest value at p = 3.5", float(branch["top"][-1]), exact(3.5), 1e-3)


def check_fold() -> str:
    """Find the fold by continuation."""
    problem = Problem(residual, params={"p": 1.0})
    branch = problem.continuation(np.zeros(N), "p", (0.5, 4.0), max_step=1.0)
    folds = [point.parameter for point in branch.special_points if point.kind == "fold"]
    if len(folds) != 1:
        return f"{len(folds)} folds found instead of one"
    return compared("fold", float(folds[0]), FOLD, 1e-3)


def unavailable(backend: str) -> str:
    """Return why a back end cannot be used here, or an empty text."""
    try:
        linear.LinearSolver(Problem(residual, params={"p": 1.0}).sparsity(np.zeros(N)), backend)
    except BackendError as error:
        return str(error)
    return ""


def compared(what: str, found: float, expected: float, tolerance: float) -> str:
    """Return an empty text if two numbers agree, otherwise what is wrong."""
    if abs(found - expected) <= tolerance:
        return ""
    return f"{what}: {found:.8g} found, {expected:.8g} expected"


def checks() -> Iterator[tuple[str, Callable[[], str]]]:
    """Names and functions of all checks; a function returns what is wrong."""
    yield "derivatives", check_derivatives
    for name in linear.backends():
        if not unavailable(name):
            yield f"solve, back end {name}", partial(check_backend, name)
    yield "sweep", check_sweep
    yield "fold", check_fold


def main() -> int:
    """Print the report and run the checks; return the exit status."""
    failed = 0
    for line in versions():
        print(line)
    print()
    for name, check in checks():
        start = perf_counter()
        try:
            wrong = check()
        except SgsolveError as error:
            wrong = f"{type(error).__name__}: {error}"
        failed += bool(wrong)
        print(f"{name}: {'FAILED, ' + wrong if wrong else 'ok'} ({perf_counter() - start:.2f} s)")
    print()
    for line in libraries():  # after the checks, which load them
        print(line)
    print("all checks passed" if not failed else f"{failed} checks failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
