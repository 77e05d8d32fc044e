"""Stripes and hexagons
====================

All patterns that leave the uniform state of the Swift-Hohenberg equation on a rectangle.

Run ``python examples/pdes/swift_hohenberg.py --picture patterns.png``.

The equation u_t = r u - (1 + Laplacian)^2 u + s u^2 - u^3 prefers waves of length 2 pi. The
rectangle, with no flux at its edges, has room for one stripe, and for a quarter of a hexagon. Both
leave the uniform state u = 0 near r = 0. Stripes are unstable there, and hexagons are stable below
r = 0 already, behind a fold.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sgsolve import BifurcationDiagram, Problem

NX, NY = 14, 8
LX, LY = 2.0 * np.pi, 2.0 * np.pi / np.sqrt(3.0)
HX, HY = LX / NX, LY / NY
BOUNDS = (-0.3, 0.3)


def laplacian(u: Any) -> Any:
    """Second differences on the cells of the rectangle, with no flux at its edges."""
    x = np.concatenate([u[:, :1], u, u[:, -1:]], axis=1)
    y = np.concatenate([u[:1], u, u[-1:]], axis=0)
    return (x[:, 2:] - 2.0 * u + x[:, :-2]) / HX**2 + (y[2:] - 2.0 * u + y[:-2]) / HY**2


def swift_hohenberg(u: Any, r: float, s: float) -> Any:
    """Right-hand side; u has the shape of the grid."""
    w = u + laplacian(u)
    return {"u": r * u - (w + laplacian(w)) + s * u**2 - u**3}


# %%
# The whole diagram in one call
# -----------------------------
# Every branch point is visited once, and both sides of it are followed.
def main(picture: str | None = None) -> BifurcationDiagram:
    """Follow all patterns, and draw them."""
    problem = Problem(
        swift_hohenberg, params={"r": BOUNDS[0], "s": 1.2}, blocks={"u": (NY, NX)}, fields=True
    )
    diagram = problem.bifurcation_diagram(
        problem.pack(u=0.0), "r", BOUNDS, depth=1, max_step=0.05, outputs={"corner": corner}
    )
    if picture is not None:
        draw(picture, diagram)
    return diagram


def corner(x: Any) -> Any:
    """The value of u in a corner; it tells mirrored patterns apart."""
    return x[0]


# %%
# Picture
# -------
# Unstable parts are dashed. Right: the patterns at the last value of r that are stable.
def draw(picture: str, diagram: BifurcationDiagram) -> None:
    """Draw the diagram and the stable patterns."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(8.0, 3.4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    diagram.plot("corner", left.subplots()).set(title="u in a corner")
    stable = [branch for branch in diagram if branch["unstable"][-1] == 0][:4]
    for axes, branch in zip(right.subplots(2, 2).ravel(), stable, strict=False):
        quarter = branch.field("u")[-1]
        half = np.concatenate([quarter[:, ::-1], quarter], axis=1)
        whole = np.concatenate([half[::-1], half], axis=0)
        axes.imshow(whole, extent=(-LX, LX, -LY, LY), origin="lower", cmap="viridis")
        axes.set(xticks=[], yticks=[], title=f"r = {branch['r'][-1]:.2f}")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# The branches and their special points.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Patterns of the Swift-Hohenberg equation")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    print(main(parser.parse_args().picture))
