"""Finite volumes on triangles, and upwind fluxes
==============================================

Nonlinear heat conduction on a triangulated disk, and three schemes for convection.

Run ``python examples/pdes/finite_volumes.py --picture volumes.png``.

Left: -div((1 + u) grad u) = 4 on the unit disk, with the outflow 2 u on its rim. One unknown stands
at each node; its volume is the Voronoi cell, and fluxes flow along the edges of the triangles.
Right: convection and diffusion, v c' - D c'' = 0, on ten volumes.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from scipy.spatial import Delaunay

from sgsolve import Problem, ad


# %%
# Mesh
# ----
# Any triangles will do whose Voronoi faces are positive, such as those of Delaunay.
def disk(rings: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points of the unit disk, shape (N, 2), and triangles, shape (M, 3)."""
    points = [np.zeros((1, 2))]
    for k in range(1, rings + 1):
        angle = 2.0 * np.pi * (np.arange(6 * k) + 0.5 * (k % 2)) / (6 * k)
        points.append(k / rings * np.column_stack([np.cos(angle), np.sin(angle)]))
    cloud = np.concatenate(points)
    return cloud, Delaunay(cloud).simplices


def voronoi(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return edges (E, 2), face length over edge length (E,), and volumes (N,)."""
    i, j = triangles[:, [1, 2, 0]], triangles[:, [2, 0, 1]]  # the edge opposite to each corner
    to_i, to_j = points[i] - points[triangles], points[j] - points[triangles]
    cross = to_i[..., 0] * to_j[..., 1] - to_i[..., 1] * to_j[..., 0]
    cot = np.sum(to_i * to_j, axis=2) / abs(cross)
    part = cot * np.sum((points[i] - points[j]) ** 2, axis=2) / 8.0
    both = np.sort(np.column_stack([i.ravel(), j.ravel()]), axis=1)
    edges, number = np.unique(both, axis=0, return_inverse=True)
    ratio = np.bincount(number.ravel(), 0.5 * cot.ravel())
    ends = np.concatenate([i.ravel(), j.ravel()])
    return edges, ratio, np.bincount(ends, np.tile(part.ravel(), 2))


# %%
# Heat conduction
# ---------------
# The balance of each volume is the sum of the fluxes of its edges.
def conduction(rings: int) -> dict[str, Any]:
    """Solve on a disk with so many rings of nodes; return the solution and its error."""
    points, triangles = disk(rings)
    edges, ratio, volume = voronoi(points, triangles)
    i, j = edges.T
    n, radius = len(points), np.hypot(*points.T)
    rim = np.flatnonzero(radius > 1.0 - 1e-9)
    length = np.zeros(n)
    length[rim] = 2.0 * np.sin(np.pi / len(rim))

    def balance(u: Any, source: float, transfer: float) -> Any:
        flux = -(1.0 + 0.5 * (u[i] + u[j])) * ratio * (u[j] - u[i])
        outflow = transfer * length * u
        return ad.sparsesum(
            [ad.sparsevec(n, i, flux), ad.sparsevec(n, j, -flux), outflow - source * volume]
        )

    problem = Problem(balance, params={"source": 4.0, "transfer": 2.0})
    u = problem.solve(np.ones(n)).x
    exact = np.sqrt(6.0 - 2.0 * radius**2) - 1.0
    return {
        "points": points,
        "triangles": triangles,
        "u": u,
        "error": abs(u - exact).max(),
        "outflow": np.sum(2.0 * length * u),
        "inflow": 4.0 * volume.sum(),
    }


# %%
# Convection
# ----------
# The value that flows through a face: the mean, the one upwind, or that of the exponential profile.
def convection(scheme: str, n: int = 10, velocity: float = 1.0, D: float = 0.02) -> np.ndarray:
    """Concentrations in n volumes between the values 0 and 1 at the ends."""
    distance = np.full(n + 1, 1.0 / n)
    distance[[0, -1]] *= 0.5

    def balance(c: Any, v: float) -> Any:
        full = np.concatenate([[0.0], c, [1.0]])
        left, right = full[:-1], full[1:]
        if scheme == "exponential":
            peclet = v * distance / D
            flux = D / distance * (ad.bernoulli(-peclet) * left - ad.bernoulli(peclet) * right)
        else:
            if scheme == "central":  # the values at the ends are given
                through = np.concatenate([left[:1], 0.5 * (left + right)[1:-1], right[-1:]])
            else:
                through = np.where(v > 0.0, left, right)
            flux = v * through - D * (right - left) / distance
        return flux[1:] - flux[:-1]

    return np.asarray(Problem(balance, params={"v": velocity}).solve(np.zeros(n)).x)


def main(picture: str | None = None, rings: int = 12) -> dict[str, Any]:
    """Solve both problems, draw them if a file is named, and return the solutions."""
    found: dict[str, Any] = {"disk": conduction(rings)}
    for scheme in ("central", "upwind", "exponential"):
        found[scheme] = convection(scheme)
    if picture is not None:
        draw(picture, found)
    return found


# %%
# Picture
# -------
# The disk, and the three schemes beside the exact profile.
def draw(picture: str, found: dict[str, Any]) -> None:
    """Draw both panels side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = (panel.subplots() for panel in figure.subfigures(1, 2))
    plane = found["disk"]
    x, y = plane["points"].T
    drawn = left.tripcolor(x, y, plane["triangles"], plane["u"], shading="gouraud")
    left.triplot(x, y, plane["triangles"], color="w", lw=0.3)
    left.set(xlabel="x", ylabel="y", title="conduction", aspect="equal")
    left.figure.colorbar(drawn, ax=left, label="u")
    x = np.linspace(0.0, 1.0, 1001)
    right.plot(x, np.exp((x - 1.0) / 0.02), "k", lw=0.8, label="exact")
    for scheme, style in (("central", "C3x--"), ("upwind", "C0o-"), ("exponential", "C2s")):
        right.plot((np.arange(10) + 0.5) / 10, found[scheme], style, mfc="none", label=scheme)
    right.set(xlabel="x", ylabel="concentration c", title="convection, v h / D = 5")
    right.legend(loc="lower left")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# The error on the disk, and the smallest concentration of each scheme; the exact one is positive.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Finite volumes on triangles; upwind fluxes")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    solved = main(parser.parse_args().picture)
    print(f"conduction: error {solved['disk']['error']:.2e}")
    for name in ("central", "upwind", "exponential"):
        print(f"{name}: smallest concentration {solved[name].min():.3g}")
