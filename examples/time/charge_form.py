"""Charge form and capacitance form
================================

A charge that stays constant to rounding, and one that drifts.

Run ``python examples/time/charge_form.py --picture drift.png``.

A node between two capacitors, q(v) = v + v^3 and 2 v, is driven by a source sin t. No current flows
into the node, so its charge is constant. ``storage=Q`` differences the charge itself. Equations
with C(x) dx/dt instead difference the voltage, and the charge drifts by the error of each step.
"""

# sphinx_gallery_thumbnail_number = 1
from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sgsolve import Problem
from sgsolve.transient import Bdf, FixedSteps, Stored

PERIODS = 20


def charge(x: Any, t: float) -> Any:
    """Charge of the node at voltage x; its capacitors are 2 x and q(sin t - x)."""
    v = np.sin(t) - x
    return 2.0 * x - (v + v**3)


def charge_form() -> Problem:
    """Return d/dt (2 x - q(sin t - x)) = 0."""
    return Problem(lambda x, t: 0.0 * x, storage=charge)


def capacitance_form() -> Problem:
    """Return 2 x' - (1 + 3 v^2) (cos t - x') = 0 with v = sin t - x, in the rate x'."""

    def residual(x: Any, rate: Any, t: float) -> Any:
        v = np.sin(t) - x
        return 2.0 * rate - (1.0 + 3.0 * v**2) * (np.cos(t) - rate)

    return Problem(residual, params={"rate": np.zeros(1)}, storage="rate")


# %%
# Computation
# -----------
# Backward Euler with a given number of steps per period, and the default method.
def drift(problem: Problem, steps: Any, rtol: float = 1e-13) -> tuple[Any, Any]:
    """Return the times of a run, and how far the charge is from its start."""
    run = problem.transient(
        [0.0],
        (0.0, 2.0 * np.pi * PERIODS),
        steps=steps,
        rtol=rtol,
        atol=rtol,
        outputs={"charge": Stored(lambda x, t: charge(x, t)[0])},
    )
    return run["t"], np.abs(run["charge"] - run["charge"][0])


def main(picture: str | None = None) -> dict[str, float]:
    """Compare both forms, draw if a file is named, and return the largest drift of each run."""
    found, curves = {}, {}
    for name, problem in (("charge", charge_form()), ("capacitance", capacitance_form())):
        for per_period in (40, 80, 160):
            method = FixedSteps("backward Euler", 2.0 * np.pi / per_period)
            t, error = drift(problem, method)
            found[f"{name}, backward Euler, {per_period} steps"] = float(error.max())
            curves[f"{name}, {per_period} steps per period"] = (t, error)
        found[f"{name}, Bdf, rtol 1e-4"] = float(drift(problem, Bdf(), 1e-4)[1].max())
    if picture is not None:
        draw(picture, curves)
    return found


# %%
# Picture
# -------
def draw(picture: str, curves: dict[str, Any]) -> None:
    """Draw the drift of the charge over the time."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
    for name, (t, error) in curves.items():
        style = "-" if name.startswith("charge") else "--"
        axes.semilogy(t, np.maximum(error, 1e-18), style, linewidth=0.8, label=name)
    axes.set_xlabel("time")
    axes.set_ylabel("drift of the charge")
    axes.legend(fontsize="small")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Charge form and capacitance form")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    for name, error in main(parser.parse_args().picture).items():
        print(f"{name:42s} {error:.1e}")
