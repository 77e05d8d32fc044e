"""Time integrators: CPU time at equal achieved error, against SUNDIALS and SciPy.

Run as ``python benchmarks/transient.py [problem[:cells] ...]`` from the top of the repository,
with OMP_NUM_THREADS=1; ``fisher:20000`` is a problem with another number of cells. The integrators
stand in ``transient_integrators.py``; the sparsity pattern is found, and kernels are made, before
the clock starts. One row of sgsolve has ``Problem(compiled=True)``, and one of IDA and CVODE each
the same kernels; the others call the residual as it is written. Every integrator runs at tolerances
from 1e-3 to 1e-7; the CPU time at an error is interpolated between these runs. The reference is the
mean of two runs at rtol = 1e-9 by different programs, whose distance is printed.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator

import numpy as np
from transient_integrators import INTEGRATORS, Case, cvode, ours, scipys
from transient_problems import oregonator

from sgsolve.transient import RungeKutta

TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
TARGETS = (1e-3, 1e-4, 1e-5, 1e-6)
FINE = 1e-9
LEAST = 0.3  # seconds: shorter runs are repeated, and the fastest counts


def _laplacian(u, h):
    flux = np.concatenate([np.zeros(1), (u[1:] - u[:-1]) / h, np.zeros(1)])
    return (flux[1:] - flux[:-1]) / h


def porous(n=2000):
    """u_t = (u^2)_xx with a front, the solution of Barenblatt."""
    h = 20 / n
    x = -10 + h * (np.arange(n) + 0.5)
    return Case("porous", lambda u: _laplacian(u**2, h), np.maximum(1 - x**2 / 12, 0) + 1e-3, 7.0)


def gray_scott(n=1000):
    """Two species that react and diffuse, on a line."""
    h = 1 / n
    s = np.sin(np.pi * h * (np.arange(n) + 0.5)) ** 100

    def f(w):
        u, v = w[:n], w[n:]
        rate = u * v * v
        return np.concatenate(
            [
                1e-4 * _laplacian(u, h) - rate + 0.024 * (1 - u),
                1e-6 * _laplacian(v, h) + rate - 0.084 * v,
            ]
        )

    return Case("gray_scott", f, np.concatenate([1 - 0.5 * s, 0.25 * s]), 500.0)


def brusselator(n=48):
    """Two species on a square, periodic."""
    h, size = 1 / n, n * n
    x, y = np.meshgrid(h * np.arange(n), h * np.arange(n), indexing="ij")

    def diffusion(u):
        u = u.reshape(n, n)
        rows = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1)
        return ((rows - 4 * u) * (0.02 / h**2)).ravel()

    def f(w):
        u, v = w[:size], w[size:]
        rate = u * u * v
        return np.concatenate([1 + rate - 4.4 * u + diffusion(u), 3.4 * u - rate + diffusion(v)])

    u = 22 * y * (1 - y) ** 1.5
    v = 27 * x * (1 - x) ** 1.5
    return Case("brusselator", f, np.concatenate([u.ravel(), v.ravel()]), 6.0)


def fisher(n=2000):
    """A wave that travels into an unstable state."""
    x = np.linspace(-20, 60, n)
    h = x[1] - x[0]
    y0 = (1 + np.exp(x / np.sqrt(6))) ** -2
    return Case("fisher", lambda u: _laplacian(u, h) + u * (1 - u), y0, 10.0)


def compare(case: Case) -> dict[str, list[tuple[float, float, tuple]]]:
    """Print and return errors, CPU times and counts of all integrators."""
    found = {}
    first, second = ours(RungeKutta())(case, FINE)[0], _fine(case)
    exact, size = 0.5 * (first + second), np.abs(first).max()
    distance = np.abs(first - second).max() / size
    print(f"\n{case.name}: {len(case.y0)} unknowns; the two references differ by {distance:.1e}")
    print(f"{'':16s} CPU seconds at error " + " ".join(f"{t:8.0e}" for t in TARGETS))
    for name, run in INTEGRATORS.items():
        rows = found[name] = list(_measured(case, run, exact, size))
        errors, seconds = (np.log([row[k] for row in rows]) for k in (0, 1))
        order = np.argsort(errors)
        cells = []
        for target in TARGETS:
            inside = errors.min() <= np.log(target) <= errors.max()
            at = np.exp(np.interp(np.log(target), errors[order], seconds[order]))
            cells.append(f"{at:8.3f}" if inside else "       -")
        counts = "/".join(map(str, rows[3][2]))
        print(f"{name:16s}                      {' '.join(cells)}   at 1e-6: {counts}")
    return found


def _fine(case: Case) -> np.ndarray:
    try:
        return cvode(case, FINE)[0]
    except ImportError:
        return scipys("Radau")(case, FINE)[0]


def _measured(case, run, exact, size) -> Iterator[tuple[float, float, tuple]]:
    run(case, TOLERANCES[0])  # makes what is made once, such as kernels
    for rtol in TOLERANCES:
        seconds, spent = np.inf, 0.0
        while spent < LEAST or not np.isfinite(seconds):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                begin = time.process_time()
                y, counts = run(case, rtol)
                last = time.process_time() - begin
            seconds, spent = min(seconds, last), spent + last
        yield max(np.abs(y - exact).max() / size, 1e-12), seconds, counts


FIELDS = {f.__name__: f for f in (porous, gray_scott, fisher, brusselator)}
CASES = {**FIELDS, "oregonator": oregonator}


def main(problems: list[str]) -> dict[str, dict[str, list[tuple[float, float, tuple]]]]:
    """Print the tables of the problems, all by default, and return them."""
    found = {}
    for given in problems or CASES:
        name, _, cells = given.partition(":")
        found[given] = compare(CASES[name](*([int(cells)] if cells else [])))
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problems", nargs="*", metavar="problem[:cells]", help=", ".join(CASES))
    asked = parser.parse_args().problems
    for name, _, cells in (given.partition(":") for given in asked):
        if name not in CASES or (cells and not cells.isdigit()):
            parser.error(f"no problem {name}:{cells}; the names are {', '.join(CASES)}")
    main(asked)
