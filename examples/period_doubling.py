"""From a steady state to chaos
============================

A feedback loop that begins to oscillate, and whose period doubles again and again.

Run ``python examples/period_doubling.py --picture doubling.png``.

The loop x''' + a x'' + x' + x = x^2 rests at x = 0 while a > 1. At a = 1 it begins to oscillate, at
a Hopf point. The oscillation loses its stability at a period doubling, the one of twice the period
at another one, and so on. The distances between them shrink by a factor that tends to Feigenbaum's
number 4.669; behind all of them the motion is chaotic.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sgsolve import Branch, Problem

BOUNDS = (0.5, 1.2)
DOUBLINGS = 4


def loop(x: Any, a: float) -> Any:
    """Residual F of F + dx/dt = 0: the right-hand side with the other sign."""
    return [-x[1], -x[2], a * x[2] + x[1] + x[0] - x[0] ** 2]


def storage(x: Any) -> Any:
    """What the equations store: x itself."""
    return 1.0 * x


# %%
# The steady state, its Hopf point, and one branch of orbits after the other
# --------------------------------------------------------------------------
# Each branch of orbits ends at its first period doubling. There the next one begins, with twice the
# period.
def main(picture: str | None = None, doublings: int = DOUBLINGS) -> dict[str, Any]:
    """Follow the steady state and the cascade of orbits; return them with the doublings."""
    problem = Problem(loop, params={"a": 1.2}, storage=storage)
    steady = problem.continuation([0.0, 0.0, 0.0], "a", BOUNDS, step=-0.05, stability=True)
    orbits = problem.orbit_continuation(
        steady, bounds=BOUNDS, detect="period doubling", stop="period doubling"
    )
    cascade = [orbits]
    for _ in range(doublings - 1):
        orbits = problem.orbit_continuation(
            orbits,
            bounds=BOUNDS,
            detect="period doubling",
            stop="period doubling",
            max_step=0.25 * gap(cascade),
        )
        cascade.append(orbits)
    points = np.array([branch.special_points[-1].parameter for branch in cascade])
    ratios = np.diff(points)[:-1] / np.diff(points)[1:]
    found = {"steady": steady, "cascade": cascade, "doublings": points, "ratios": ratios}
    if picture is not None:
        draw(picture, found)
    return found


def gap(cascade: list[Branch]) -> float:
    """How far the next period doubling is about: the last distance over Feigenbaum's number."""
    ends = [1.0, *(branch.special_points[-1].parameter for branch in cascade)]
    return float(ends[-2] - ends[-1]) / 4.669


# %%
# Picture
# -------
# The largest and the smallest x of every orbit; and the orbits at their period doublings.
def draw(picture: str, found: dict[str, Any]) -> None:
    """Draw the cascade, and the orbits in phase space."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.0, 3.4), layout="constrained")
    steady = found["steady"]
    left.plot(steady["a"], steady.states[:, 0], color="k")
    for k, branch in enumerate(found["cascade"]):
        orbits = [branch.orbit(i) for i in range(len(branch))]
        values = [orbit(orbit.fine_times())[:, 0] for orbit in orbits]
        for end in (np.min, np.max):
            left.plot(branch["a"], [end(value) for value in values], color=f"C{k}")
        left.plot([branch["a"][-1]], [np.max(values[-1])], "^", color=f"C{k}", fillstyle="none")
        if k < 3:
            label = f"period {branch['period'][-1]:.1f}"
            orbits[-1].plot(right, (0, 1), color=f"C{k}", linewidth=1.0, label=label)
    left.set(xlabel="a", ylabel="extrema of x", title="orbits", xlim=(0.55, 1.1))
    right.set(xlabel="x", ylabel="dx/dt", title="at the doublings")
    right.set_ylim(top=1.05)  # room for the legend above the curves
    right.legend(loc="upper center", ncols=3, frameon=False, fontsize=8, handlelength=1.0)
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# The period doublings, and the ratios of their distances.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Period doublings of a feedback loop")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    results = main(parser.parse_args().picture)
    print(f"{results['steady'].hopf_points[0]}")
    for value, branch in zip(results["doublings"], results["cascade"], strict=True):
        print(f"period doubling at a = {value:.8f}, period {branch['period'][-1]:.6f}")
    print("ratios of distances:", ", ".join(f"{ratio:.4f}" for ratio in results["ratios"]))
