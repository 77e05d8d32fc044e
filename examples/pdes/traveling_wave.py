"""A wave that travels
===================

A front of the Nagumo equation as a relative equilibrium, and its velocity.

Run ``python examples/pdes/traveling_wave.py --picture front.png``.

The equation u_t = u_xx + u (1 - u) (u - a) has fronts u(x - c t) from 1 to 0. In a frame that moves
with the front it rests: u_xx + c u_x + u (1 - u) (u - a) = 0. The velocity c is one more unknown.
One more equation fixes the place of the front: its shift against a reference is across the slope of
the reference. Exactly, c = (1 - 2 a) / sqrt(2). Rotating waves on a ring are found the same way,
with the angle in place of x.
"""

# sphinx_gallery_thumbnail_number = 1
from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sgsolve import Branch, Problem

N, LENGTH = 200, 40.0
X = np.linspace(-0.5 * LENGTH, 0.5 * LENGTH, N)
H = X[1] - X[0]
REFERENCE = 1.0 / (1.0 + np.exp(X / np.sqrt(2.0)))
SLOPE = np.gradient(REFERENCE, H)


def derivatives(u: Any) -> tuple[Any, Any]:
    """First and second derivative of order 4; u is 1 to the left and 0 to the right."""
    v = np.concatenate([[1.0, 1.0], u, [0.0, 0.0]])
    first = (8.0 * (v[3:-1] - v[1:-3]) - (v[4:] - v[:-4])) / (12.0 * H)
    second = (16.0 * (v[3:-1] + v[1:-3]) - (v[4:] + v[:-4]) - 30.0 * u) / (12.0 * H**2)
    return first, second


def front(u: Any, c: Any, a: float) -> Any:
    """Residual F of F + dQ/dt = 0 in the frame that moves, with the condition for the place."""
    first, second = derivatives(u)
    return {
        "u": -(second + c * first + u * (1.0 - u) * (u - a)),
        "c": np.sum(SLOPE * (u - REFERENCE)) * H,
    }


def storage(u: Any, c: Any) -> Any:
    """What the equations store: u; the velocity stores nothing."""
    return {"u": 1.0 * u, "c": 0.0 * c}


# %%
# The velocity along a branch
# ---------------------------
# The condition for the place removes the eigenvalue 0 of a shift; the others tell the stability.
def main(picture: str | None = None) -> Branch:
    """Follow the front while a changes, and draw it."""
    problem = Problem(
        front, params={"a": 0.1}, blocks={"u": (N,), "c": ()}, fields=True, storage=storage
    )
    start = problem.pack(u=REFERENCE, c=0.5)
    branch = problem.continuation(
        start, "a", (0.1, 0.9), max_step=0.1, stability=True, outputs={"velocity": velocity}
    )
    if picture is not None:
        draw(picture, branch)
    return branch


def velocity(x: Any) -> Any:
    """The velocity of the front, behind all values of u."""
    return x[N]


def draw(picture: str, branch: Branch) -> None:
    """Draw the velocity, and the first and the last front."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.0, 3.2), layout="constrained")
    branch.plot("velocity", left)
    left.plot(branch["a"], (1.0 - 2.0 * branch["a"]) / np.sqrt(2.0), "k:", label="exact")
    left.legend(frameon=False)
    left.set(title="velocity")
    for i in (0, -1):
        right.plot(X, branch.field("u")[i], label=f"a = {branch['a'][i]:.1f}")
    right.legend(frameon=False)
    right.set(xlabel="x - c t", ylabel="u", title="front", xlim=(-10.0, 10.0))
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# The velocity, and its error.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A traveling front of the Nagumo equation")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    fronts = main(parser.parse_args().picture)
    for a, c in zip(fronts["a"], fronts["velocity"], strict=True):
        exact = (1.0 - 2.0 * a) / np.sqrt(2.0)
        print(f"a = {a:.4f}: velocity {c:+.6f}, error {c - exact:+.1e}")
