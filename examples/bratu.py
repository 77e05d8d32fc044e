"""Bratu problem: solutions, sweep and fold
========================================

Steady temperature of a slab with a heat source that grows exponentially.

Run ``python examples/bratu.py --picture bratu.png``.

The equation is u'' + strength exp(u) = 0 on (0, 1), with u = 0 at both ends. It has two solutions
below the fold at strength = 3.5138 and none above it. A sweep computes the lower solutions.
Continuation passes the fold and returns along the upper ones.
"""

# sphinx_gallery_thumbnail_number = 3
from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sgsolve import Branch, Problem

VALUES = (1.0, 2.0, 3.0, 3.5)


def residual(u: Any, strength: float) -> Any:
    """Second differences on equidistant points between the ends."""
    h = 1.0 / (u.shape[0] + 1)
    full = np.concatenate([[0.0], u, [0.0]])
    return (full[2:] - 2.0 * u + full[:-2]) / h**2 + strength * np.exp(u)


# %%
# Computation
# -----------
# ``main`` computes the sweep and the branch through the fold.
def main(picture: str | None = None, n: int = 100) -> dict[str, Branch]:
    """Compute both branches, draw them if a file is named, and return them."""
    problem = Problem(residual, params={"strength": VALUES[0]})
    top = {"top": np.max}
    sweep = problem.sweep(np.zeros(n), "strength", VALUES, outputs=top)
    curve = problem.continuation(sweep.states[0], "strength", (0.5, 4.0), outputs=top)
    if picture is not None:
        draw(picture, sweep, curve)
    return {"sweep": sweep, "curve": curve}


# %%
# Picture
# -------
# Left: the solutions of the sweep. Right: the branch; the circle is the fold.
def draw(picture: str, sweep: Branch, curve: Branch) -> None:
    """Draw profiles and branch side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = (panel.subplots() for panel in figure.subfigures(1, 2))
    position = np.linspace(0.0, 1.0, sweep.states.shape[1] + 2)
    for strength, u in zip(sweep["strength"], sweep.states, strict=True):
        left.plot(position, np.pad(u, 1), label=f"strength {strength:g}")
    left.set_xlabel("position")
    left.set_ylabel("u")
    left.set_title("solutions of the sweep")
    left.set_ylim(0.0, 1.6)
    left.legend(loc="upper center", ncols=2)
    curve.plot("top", right, color="C1", marker="", label="continuation")
    right.plot(sweep["strength"], sweep["top"], "ks", markersize=4, label="sweep")
    right.set_ylabel("largest u")
    right.set_title("solution branch with its fold")
    right.legend(loc="center left")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# The table of the sweep, and the fold.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Bratu problem: solutions, sweep and fold")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    found = main(parser.parse_args().picture)
    print(found["sweep"])
    for special in found["curve"].special_points:
        print(special)
