"""Roessler's equations: diagram, multipliers, orbits
===================================================

A steady state, the cycle that leaves it, two doubled cycles, and chaos.

Run ``python examples/steady_to_chaos.py --picture chaos.png``.

The equations x' = -y - z, y' = x + a y, z' = 2 + z (x - 4) rest at a small x while a is small. At a
Hopf point a cycle leaves. A multiplier of it passes -1, and a cycle of twice the period leaves.
This repeats; at a = 0.398 the motion is chaotic.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sgsolve import Branch, Problem

BOUNDS = (0.0, 0.4)
CHAOTIC = 0.398


def roessler(x: Any, a: float) -> Any:
    """Residual F of F + dx/dt = 0: the right-hand side with the other sign."""
    return [x[1] + x[2], -x[0] - a * x[1], -2.0 - x[2] * (x[0] - 4.0)]


def storage(x: Any) -> Any:
    """What the equations store: x itself."""
    return 1.0 * x


# %%
# One branch from the other
# -------------------------
# The cycles are followed beyond their period doublings, where they are unstable.
def main(picture: str | None = None) -> dict[str, Any]:
    """Follow the steady state and three branches of cycles; run into chaos."""
    problem = Problem(roessler, params={"a": BOUNDS[0]}, storage=storage)
    steady = problem.continuation(
        [0.0, 0.0, 0.5], "a", BOUNDS, stability=True, outputs={"x": lambda u: u[0]}
    )
    cycles = [problem.orbit_continuation(steady, bounds=BOUNDS)]
    for _ in range(2):
        cycles.append(problem.orbit_continuation(cycles[-1], bounds=BOUNDS))
    chaos = problem.at(a=CHAOTIC).transient([1.0, 1.0, 0.5], (0.0, 400.0), rtol=1e-6)
    found = {"steady": steady, "cycles": cycles, "chaos": chaos}
    if picture is not None:
        draw(picture, found)
    return found


def doubling(cycles: Branch) -> Any:
    """The first period doubling of a branch of cycles."""
    return cycles.special_points_of("period doubling")[0]


# %%
# Picture
# -------
# The extrema of x along each branch, unstable parts dashed; the multipliers of the first cycle; the
# cycles at their period doublings; and the chaotic motion.
def draw(picture: str, found: dict[str, Any]) -> None:
    """Draw all of it."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 4, figsize=(13.0, 3.2), layout="constrained")
    diagram, circle, phase, last = panels
    steady, cycles = found["steady"], found["cycles"]
    steady.plot("x", diagram, color="k")
    for k, branch in enumerate(cycles):
        orbits = [branch.orbit(i) for i in range(len(branch))]
        values = [orbit(orbit.fine_times())[:, 0] for orbit in orbits]
        for end in (np.min, np.max):
            extrema = np.array([end(value) for value in values])
            lines(diagram, branch["a"], extrema, branch["unstable"], f"C{k}")
        orbit = branch.orbit(doubling(branch))
        orbit.plot(phase, (0, 1), color=f"C{k}", linewidth=1.0)
    diagram.set(xlabel="a", ylabel="extrema of x", title="steady state and cycles")
    cycles[0].orbit(len(cycles[0]) - 1).plot_multipliers(circle, color="none")
    moving = cycles[0]["multipliers"]
    circle.plot(moving.real, moving.imag, "C0.")
    circle.set(title="multipliers of the first cycle", xlim=(-2.5, 1.5), ylim=(-2.0, 2.0))
    phase.set(xlabel="x", ylabel="y", title="cycles at their doublings")
    late = found["chaos"].states[found["chaos"]["t"] > 100.0]
    last.plot(late[:, 0], late[:, 1], linewidth=0.4)
    last.set(xlabel="x", ylabel="y", title=f"chaos at a = {CHAOTIC}")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


def lines(axes: Any, a: Any, values: Any, unstable: Any, color: str) -> None:
    """Draw stable parts of a curve as a line, unstable ones dashed."""
    for part, style in ((unstable == 0, "-"), (unstable > 0, "--")):
        shown = part.copy()
        shown[1:] |= part[:-1]  # without a gap where the stability changes
        axes.plot(a, np.where(shown, values, np.nan), style, color=color)


# %%
# Output
# ------
# The special points.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="From a steady state to chaos")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    results = main(parser.parse_args().picture)
    for branch in [results["steady"], *results["cycles"]]:
        for special in branch.special_points:
            print(special)
