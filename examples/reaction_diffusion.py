"""Bifurcation diagram of a reaction and diffusion
===============================================

All steady patterns of the Brusselator in an interval, with their stability.

Run ``python examples/reaction_diffusion.py --picture patterns.png``.

X_t = Dx X'' + X^2 Y - (B + 1) X + A and Y_t = Dy Y'' + B X - X^2 Y, with X = A and Y = B/A at both
ends. The uniform state loses its stability at a pitchfork, from which two mirrored patterns leave.
At the second branch point the branches cross transcritically; one of them has a fold. At a Hopf
point two eigenvalues cross the imaginary axis.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sgsolve import Branch, Problem

A, DX, DY = 2.0, 0.018, 0.09
BOUNDS = (3.0, 6.2)


# %%
# Equations
# ---------
# The residual is the right-hand side, so that eigenvalues to the right of the axis are unstable.
def brusselator(X: Any, Y: Any, B: float) -> dict[str, Any]:
    """Rates of both concentrations at the inner points of an even grid."""

    def laplacian(u: Any, end: float) -> Any:
        full = np.concatenate([[end], u, [end]])
        return (full[2:] - 2.0 * u + full[:-2]) * (len(u) + 1) ** 2

    reaction = X**2 * Y
    return {
        "X": DX * laplacian(X, A) + reaction - (B + 1.0) * X + A,
        "Y": DY * laplacian(Y, B / A) + B * X - reaction,
    }


# %%
# Computation
# -----------
# The uniform branch, then the branches that leave it, then those that leave the second of them.
def main(picture: str | None = None, n: int = 40) -> dict[str, Any]:
    """Compute the branches, draw them if a file is named, and return them."""
    problem = Problem(
        brusselator, params={"B": BOUNDS[0]}, blocks={"X": (n,), "Y": (n,)}, fields=True
    )
    options: dict[str, Any] = {
        "stability": True,
        "outputs": {"X": lambda x: x[n // 4]},
        "max_step": 0.2,
    }

    def both_sides(branch: Branch, point: Any) -> list[Branch]:
        return [
            problem.switch_branch(branch, point, BOUNDS, step=step, **options)
            for step in (0.1, -0.1)
        ]

    start = problem.pack(X=A, Y=BOUNDS[0] / A)
    uniform = problem.continuation(start, "B", BOUNDS, **options)
    points = uniform.branch_points
    pitchfork, crossing = both_sides(uniform, points[0]), both_sides(uniform, points[1])
    upper = next(arm for arm in crossing if not arm.folds)
    secondary = both_sides(upper, 0)
    found = {
        "uniform": uniform,
        "pitchfork": pitchfork,
        "crossing": crossing,
        "secondary": secondary,
    }
    if picture is not None:
        draw(picture, found, n)
    return found


# %%
# Picture
# -------
# Unstable parts are dashed; circles are folds, squares branch points, diamonds Hopf points.
def draw(picture: str, found: dict[str, Any], n: int) -> None:
    """Draw the diagram, and the stable patterns at B = 5."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = (panel.subplots() for panel in figure.subfigures(1, 2))
    found["uniform"].plot("X", left, color="k")
    x = np.linspace(0.0, 1.0, n + 2)
    for kind, color in (("pitchfork", "C0"), ("crossing", "C1"), ("secondary", "C2")):
        for arm in found[kind]:
            arm.plot("X", left, color=color)
            i = int(abs(arm["B"] - 5.0).argmin())
            if arm["unstable"][i] == 0 and kind != "secondary":
                right.plot(x, np.concatenate([[A], arm.field("X")[i], [A]]), color=color)
    left.set(ylabel="X at 1/4", title="diagram")
    right.set(xlabel="x", ylabel="X", title="stable patterns near B = 5")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# The special points of each branch.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Bifurcation diagram of the Brusselator")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    branches = main(parser.parse_args().picture)
    for name in branches:
        group = branches[name] if isinstance(branches[name], list) else [branches[name]]
        for special in [point for branch in group for point in branch.special_points]:
            print(f"{name}: {special}")
