"""Bifurcation diagram of a buckling rod
=====================================

A rod that buckles under a load, with every branch that it may take.

Run ``python examples/bifurcation.py --picture rod.png``.

Euler's elastica between two pins: theta'' + lam^2 sin(theta) = mu cos(theta), with the angle theta
zero at both ends. Without a transverse force (mu = 0) the straight rod buckles at lam = n pi,
to either side. A small force breaks the symmetry: one branch bends without a threshold, the other
is cut off and begins at a fold.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sgsolve import Branch, Problem

BOUNDS = (1.0, 10.0)


def elastica(theta: Any, lam: float, mu: float = 0.0) -> Any:
    """Residual on equidistant points between the ends."""
    h = 1.0 / (theta.shape[0] + 1)
    full = np.concatenate([[0.0], theta, [0.0]])
    bending = (full[2:] - 2.0 * theta + full[:-2]) / h**2
    return bending + lam**2 * np.sin(theta) - mu * np.cos(theta)


def slope(theta: np.ndarray) -> float:
    """The angle a quarter of the way along: it tells the branches apart."""
    return float(theta[len(theta) // 4])


# %%
# Computation
# -----------
# ``main`` computes all branches and returns them.
def main(picture: str | None = None, n: int = 79) -> dict[str, Any]:
    """Compute the diagrams, draw them if a file is named, and return the branches."""
    problem = Problem(elastica, params={"lam": BOUNDS[0]})
    options: dict[str, Any] = {
        "outputs": {"angle": slope},
        "stability": True,
        "keep_states": "none",
    }
    straight = problem.continuation(np.zeros(n), "lam", BOUNDS, **options)
    arms = [
        problem.switch_branch(straight, point, BOUNDS, step=side, max_step=0.25, **options)
        for point in straight.branch_points
        for side in (0.1, -0.1)
    ]
    # with a force two solutions at the largest load that nothing connects: deflation finds both
    force = {"mu": 0.2}
    ends = problem.at(lam=4.5, **force).find_solutions([arm.x for arm in arms[:2]], max_solutions=3)
    bent: list[Branch] = []
    for end in ends:
        if not any(_passes(branch, 4.5, slope(end.x)) for branch in bent):
            bent += [
                problem.at(lam=4.5, **force).continuation(
                    end.x, "lam", (1.0, 5.0), step=side, max_step=0.3, **options
                )
                for side in (0.1, -0.1)
            ]
    if picture is not None:
        draw(picture, straight, arms, bent)
    return {"straight": straight, "arms": arms, "bent": bent, "solutions": ends}


def _passes(branch: Branch, lam: float, angle: float) -> bool:
    """Whether a branch goes through this point of the diagram."""
    above = np.flatnonzero(np.diff(np.sign(branch["lam"] - lam)))
    return any(abs(branch["angle"][i : i + 2] - angle).min() < 0.2 for i in above)


# %%
# Picture
# -------
# Unstable parts are dashed; circles are folds, squares branch points.
def draw(picture: str, straight: Branch, arms: list[Branch], bent: list[Branch]) -> None:
    """Draw both diagrams side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = (panel.subplots() for panel in figure.subfigures(1, 2))
    straight.plot("angle", left, color="k")
    for arm in arms:
        arm.plot("angle", left, color="C0")
    left.set_title(r"no force: pitchforks at $n\pi$")
    for branch in bent:
        branch.plot("angle", right, color="C1")
    right.set_title("a small force: one branch is cut off")
    for axes in (left, right):
        axes.set_ylabel("angle at a quarter")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# Special points of the straight rod, then those of the rod with a force.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Bifurcation diagram of a buckling rod")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    found = main(parser.parse_args().picture)
    for special in found["straight"].special_points:
        print(special)
    print("with a force:", *{str(s) for b in found["bent"] for s in b.special_points}, sep="\n  ")
