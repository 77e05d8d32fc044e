"""A rubber block stretched to twice its length
============================================

Large deformations by finite elements in NumPy alone: ``np.einsum`` and ``np.add.at``.

Run ``python examples/pdes/rubber.py --picture rubber.png``.

The block has length 2 and height 1, in plane strain. Its stress is that of a compressible
neo-Hookean solid (Bonet and Wood, Nonlinear Continuum Mechanics for Finite Element Analysis, 2nd
edition, section 6.4.3), P = mu (F - F^-T) + lambda ln(det F) F^-T, in units of mu. The left end is
fixed and the right one is pulled. Where the ends may slide, the deformation is the same
everywhere, and the force is known from one equation.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sgsolve import Problem

LAMBDA = 4.0
STRETCHES = np.linspace(0.0, 1.0, 11)  # displacement of the right end over the length


# %%
# Elements
# --------
# Quadrilaterals with four points of integration each. ``slopes`` are the gradients of the shape
# functions: element, point, corner, direction.
class Block:
    """The mesh of the block, and the forces in its nodes."""

    def __init__(self, nx: int, ny: int) -> None:
        grid = np.meshgrid(np.linspace(0.0, 2.0, nx + 1), np.linspace(0.0, 1.0, ny + 1))
        self.nodes = np.stack(grid, axis=-1).transpose(1, 0, 2).reshape(-1, 2)
        number = np.arange(len(self.nodes)).reshape(nx + 1, ny + 1)
        self.left, self.right = number[0], number[-1]
        corners = number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]
        self.elements = np.stack(corners, axis=-1).reshape(-1, 4)
        signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        points = signs / np.sqrt(3.0)
        slopes = np.array([signs * (1.0 + signs * point)[:, ::-1] / 4.0 for point in points])
        J = np.einsum("qai,eaj->eqij", slopes, self.nodes[self.elements])
        self.areas = np.linalg.det(J)
        self.slopes = np.einsum("qai,eqji->eqaj", slopes, np.linalg.inv(J))

    def forces(self, u: Any) -> Any:
        """Return the forces of the stress in the nodes, shape (nodes, 2)."""
        F = np.eye(2) + np.einsum("eai,eqaj->eqij", u[self.elements], self.slopes)
        inverse = np.linalg.inv(F).transpose(0, 1, 3, 2)
        P = F - inverse + LAMBDA * np.log(np.linalg.det(F))[..., None, None] * inverse
        forces = np.zeros_like(u)
        local = np.einsum("eqij,eqaj,eq->eai", P, self.slopes, self.areas)
        np.add.at(forces, self.elements, local)
        return forces


# %%
# Computation
# -----------
# One sweep of the displacement for fixed ends, one for ends that slide.
def stretched(block: Block, sliding: bool = False) -> Any:
    """Return the branch of deformed states with the force on the right end."""
    count = len(block.nodes)

    def residual(u: Any, stretch: Any) -> Any:
        balance = block.forces(u)
        balance[block.left, 0] = u[block.left, 0]
        balance[block.right, 0] = u[block.right, 0] - 2.0 * stretch
        held = block.left[:1] if sliding else np.concatenate([block.left, block.right])
        balance[held, 1] = u[held, 1]
        return {"u": balance}

    problem = Problem(residual, params={"stretch": 0.0}, blocks={"u": (count, 2)}, fields=True)
    force = {"force": lambda x: block.forces(x.reshape(-1, 2))[block.right, 0].sum()}
    return problem.sweep(np.zeros(2 * count), "stretch", STRETCHES, outputs=force)


def exact_force(stretch: float) -> float:
    """Return the force for ends that slide: no stress across the block."""
    length = 1.0 + stretch

    def across(height: Any) -> Any:
        return height - 1.0 / height + LAMBDA * np.log(length * height) / height

    height = Problem(across).solve([1.0]).x[0]
    return length - 1.0 / length + LAMBDA * np.log(length * height) / length


def main(picture: str | None = None, nx: int = 32, ny: int = 16) -> dict[str, Any]:
    """Stretch the block, draw if a file is named, and return the forces."""
    block = Block(nx, ny)
    fixed, sliding = stretched(block), stretched(block, sliding=True)
    if picture is not None:
        draw(picture, block, fixed, sliding)
    return {
        "stretch": STRETCHES,
        "fixed": fixed["force"],
        "sliding": sliding["force"],
        "exact": np.array([exact_force(s) for s in STRETCHES]),
    }


# %%
# Picture
# -------
# The deformed block, and both forces.
def draw(picture: str, block: Block, fixed: Any, sliding: Any) -> None:
    """Draw both panels side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.0, 3.0), layout="constrained")
    for k, color in ((0, "0.7"), (-1, "C0")):
        corners = block.nodes + fixed.field("u")[k]
        for element in block.elements:
            left.fill(*corners[element].T, facecolor="none", edgecolor=color, lw=0.6)
    left.set(xlabel="x", ylabel="y", title="block at rest and stretched", aspect="equal")
    for name, branch in (("fixed ends", fixed), ("sliding ends", sliding)):
        right.plot(STRETCHES, branch["force"], "o-", ms=3, label=name)
    right.set(xlabel="stretch", ylabel="force / (mu height)", title="force")
    right.legend()
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# The forces over the stretch.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A rubber block stretched to twice its length")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    found = main(parser.parse_args().picture)
    print("stretch   fixed ends   sliding ends   exact")
    for row in zip(*found.values(), strict=True):
        print("{:7.2f} {:12.6f} {:14.6f} {:9.6f}".format(*row))
