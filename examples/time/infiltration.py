"""Infiltration of water into dry soil
====================================

Water enters a dry column of soil from above: the equation of Richards in one dimension.

Run ``python examples/time/infiltration.py --picture front.png``.

The unknown is the pressure head psi in cm. The stored quantity is the water content theta(psi),
which is strongly nonlinear. The time integrator differences theta itself: water is conserved. Two
more unknowns sum up what flows in above and out below.

Reference: M. A. Celia, E. T. Bouloutas and R. L. Zarba, Water Resour. Res. 26 (1990) 1483, the soil
of figure 4; M. T. van Genuchten, Soil Sci. Soc. Am. J. 44 (1980) 892.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sgsolve import Problem

SATURATED, RESIDUAL = 0.368, 0.102  # water content
ALPHA, EXPONENT, CONDUCTIVITY = 0.0335, 2.0, 0.00922  # 1/cm, 1, cm/s
TOP, DRY = -75.0, -1000.0  # cm, pressure head above, and in the soil before
DEPTH, DAY = 100.0, 86400.0  # cm, s


def saturation(psi: Any) -> Any:
    """Effective saturation, for negative pressure."""
    return (1.0 + (-ALPHA * psi) ** EXPONENT) ** (1.0 / EXPONENT - 1.0)


def content(psi: Any) -> Any:
    """Water content."""
    return RESIDUAL + (SATURATED - RESIDUAL) * saturation(psi)


def conductivity(psi: Any) -> Any:
    """Hydraulic conductivity in cm/s."""
    s, m = saturation(psi), 1.0 - 1.0 / EXPONENT
    return CONDUCTIVITY * np.sqrt(s) * (1.0 - (1.0 - s ** (1.0 / m)) ** m) ** 2


def column(n: int) -> Problem:
    """Return the equations on n cells, the first one at the top."""
    h = DEPTH / n

    def residual(x: Any) -> Any:
        psi = np.concatenate([[TOP], x[:n], [DRY]])
        distance = np.full(n + 1, h)
        distance[[0, -1]] = 0.5 * h
        k = conductivity(psi)
        down = 0.5 * (k[1:] + k[:-1]) * (1.0 - (psi[1:] - psi[:-1]) / distance)
        return np.concatenate([down[1:] - down[:-1], -down[:1], -down[-1:]])

    def storage(x: Any) -> Any:
        return np.concatenate([h * content(x[:n]), x[n:]])

    return Problem(residual, storage=storage, blocks={"psi": range(n), "water": [n, n + 1]})


# %%
# Computation
# -----------
def main(picture: str | None = None, n: int = 200, rtol: float = 1e-4) -> dict[str, Any]:
    """Integrate over one day, draw if a file is named, and return the run and the balance."""
    x0 = np.concatenate([np.full(n, DRY), [0.0, 0.0]])
    run = column(n).transient(
        x0,
        (0.0, DAY),
        rtol=rtol,
        atol={"psi": 1e-3, "water": 1e-6},
        times=DAY * np.linspace(0.0, 1.0, 5),
    )
    stored = DEPTH / n * (content(run.x[:n]) - content(x0[:n])).sum()
    if picture is not None:
        draw(picture, run, n)
    return {"run": run, "inflow": float(run.x[n]), "stored": stored, "outflow": float(run.x[n + 1])}


# %%
# Picture
# -------
def draw(picture: str, run: Any, n: int) -> None:
    """Draw the water content over the depth, every six hours."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.0, 3.8), layout="constrained")
    depth = DEPTH / n * (np.arange(n) + 0.5)
    for t, x in zip(run["t"], run.states, strict=True):
        axes.plot(content(x[:n]), depth, label=f"{t / 3600:.0f} h")
    axes.invert_yaxis()
    axes.set_xlabel("water content")
    axes.set_ylabel("depth (cm)")
    axes.legend()
    figure.savefig(picture, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Infiltration of water into dry soil")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    found = main(parser.parse_args().picture)
    print(f"inflow {found['inflow']:.4f} cm, outflow {found['outflow']:.2g} cm")
    print(f"stored {found['stored']:.4f} cm")
    print(found["run"].message)
