"""Phase separation in two dimensions
====================================

A mixture separates into two phases, and the domains grow: the equation of Cahn and Hilliard.

Run ``python examples/time/cahn_hilliard.py --picture phases.png``.

The concentration c and the chemical potential mu are unknowns::

    dc/dt = laplace(mu),    mu = c^3 - c - width^2 laplace(c)

The second equation is algebraic: it stores nothing. The square is periodic. The total of c is
conserved, and the energy falls; both are columns of the run.

Reference: J. W. Cahn and J. E. Hilliard, J. Chem. Phys. 28 (1958) 258.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sgsolve import Problem

WIDTH = 0.03  # of the interface
ENERGY = 0.09774907  # of 40 x 40 cells at t = 0.2, by SciPy's Radau and BDF at rtol = 1e-7


def laplace(u: Any, h: float) -> Any:
    """Second difference on a periodic square."""
    around = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1)
    return (around - 4.0 * u) / h**2


def mixture(n: int) -> Problem:
    """Return the equations on n x n cells."""
    h = 1.0 / n

    def residual(x: Any) -> Any:
        c, mu = x.reshape(2, n, n)
        chemical = mu - (c**3 - c - WIDTH**2 * laplace(c, h))
        return np.concatenate([-laplace(mu, h).ravel(), chemical.ravel()])

    def storage(x: Any) -> Any:
        return x * np.repeat([1.0, 0.0], n * n)

    cells = n * n
    blocks = {"c": slice(0, cells), "mu": slice(cells, 2 * cells)}
    return Problem(residual, storage=storage, blocks=blocks)


def energy(x: np.ndarray, n: int) -> float:
    """Energy of the bulk and of the interfaces."""
    c = x[: n * n].reshape(n, n)
    slopes = [(np.roll(c, -1, axis) - c) * n for axis in (0, 1)]
    bulk = 0.25 * (c**2 - 1.0) ** 2
    return float(np.mean(bulk + 0.5 * WIDTH**2 * (slopes[0] ** 2 + slopes[1] ** 2)))


# %%
# Computation
# -----------
def main(picture: str | None = None, n: int = 40, end: float = 0.2) -> Any:
    """Integrate, draw if a file is named, and return the run."""
    c = 0.05 * np.random.default_rng(1).standard_normal(n * n)
    times = end * np.array([0.0, 0.05, 0.25, 1.0])
    run = mixture(n).transient(
        np.concatenate([c, 0.0 * c]),
        (0.0, end),
        rtol=1e-3,
        times=times,
        outputs={"energy": lambda x: energy(x, n), "total": lambda x: x[: n * n].mean()},
    )
    if picture is not None:
        draw(picture, run, n)
    return run


# %%
# Picture
# -------
def draw(picture: str, run: Any, n: int) -> None:
    """Draw the concentration at four times."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 4, figsize=(8.0, 2.4), layout="constrained")
    for axes, t, x in zip(panels, run["t"], run.states, strict=True):
        image = axes.imshow(x[: n * n].reshape(n, n), vmin=-1.0, vmax=1.0, cmap="coolwarm")
        axes.set_title(f"t = {t:.3g}")
        axes.set_xticks([])
        axes.set_yticks([])
    figure.colorbar(image, ax=panels, label="concentration c")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Phase separation in two dimensions")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    found = main(parser.parse_args().picture)
    print("energy", found["energy"].round(4), "total", found["total"].round(9))
    print(f"energy at the end: {found['energy'][-1]:.6f}, by other methods {ENERGY}")
    print(found.message)
