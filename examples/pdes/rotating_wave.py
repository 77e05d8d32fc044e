"""A wave that rotates
===================

Waves of the complex Ginzburg-Landau equation on a ring as relative equilibria.

Run ``python examples/pdes/rotating_wave.py --picture ring.png``.

On a ring with the angle s the equation

    A_t = (1 + i alpha) D A_ss + A - (1 + i beta) abs(A)^2 A

does not change if A is shifted by an angle, or multiplied by exp(i phi). Its waves A = R exp(i (k
s - w t)) rotate: in a frame that turns as they do they rest. The angular velocity w of the phase
is one more unknown, and one more equation fixes the phase: A against a reference is not turned. A
wave of constant size needs no other frame; a shift of it is a change of its phase. Exactly, R^2 =
1 - D k^2 and w = beta R^2 + alpha D k^2. The waves with k = 2 lose their stability where D grows.
"""

# sphinx_gallery_thumbnail_number = 1
from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from sgsolve import Branch, Problem

N, ALPHA, BETA, K = 48, 0.5, -0.8, 2
ANGLES = 2.0 * np.pi * np.arange(N) / N
H = 2.0 * np.pi / N
WAVE = 4.0 * np.sin(0.5 * K * H) ** 2 / H**2  # k^2 of the second difference
REFERENCE = np.cos(K * ANGLES), np.sin(K * ANGLES)


def curvature(a: Any) -> Any:
    """The second derivative on the ring."""
    return (np.roll(a, 1) - 2.0 * a + np.roll(a, -1)) / H**2


def ring(a: Any, b: Any, w: Any, D: float) -> Any:
    """Residual F of F + dQ/dt = 0 for A = a + i b in the frame that turns with the phase."""
    A, B, square = curvature(a), curvature(b), a**2 + b**2
    real = D * (A - ALPHA * B) + a - square * (a - BETA * b) - w * b
    imaginary = D * (B + ALPHA * A) + b - square * (b + BETA * a) + w * a
    c, s = REFERENCE
    return {"a": -real, "b": -imaginary, "w": np.sum(c * b - s * a) * H}


def storage(a: Any, b: Any, w: Any) -> Any:
    """What the equations store: both parts of A; the velocity stores nothing."""
    return {"a": 1.0 * a, "b": 1.0 * b, "w": 0.0 * w}


def velocity(x: Any) -> Any:
    """The angular velocity of the phase, behind all values of A."""
    return x[2 * N]


# %%
# The velocity along a branch
# ---------------------------
# The condition for the phase removes the eigenvalue 0 of a rotation; the others tell the stability.
def main(picture: str | None = None) -> Branch:
    """Follow the wave while the diffusion changes, and draw it."""
    problem = Problem(
        ring,
        params={"D": 0.02},
        blocks={"a": (N,), "b": (N,), "w": ()},
        fields=True,
        storage=storage,
    )
    start = problem.pack(a=REFERENCE[0], b=REFERENCE[1], w=BETA)
    branch = problem.continuation(
        start,
        "D",
        (0.02, 0.2),
        step=0.02,
        detect=(),
        stability=True,
        outputs={"velocity": velocity},
    )
    if picture is not None:
        draw(picture, branch)
    return branch


def draw(picture: str, branch: Branch) -> None:
    """Draw the velocity, and the first and the last wave."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.0, 3.2), layout="constrained")
    branch.plot("velocity", left)
    left.set(title="angular velocity")
    for i in (0, -1):
        right.plot(ANGLES, branch.field("a")[i], label=f"D = {branch['D'][i]:.2f}")
    right.legend(frameon=False)
    right.set(xlabel="angle", ylabel="real part", title="wave with k = 2")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# The velocity, its error, and the number of unstable eigenvalues.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A rotating wave of the Ginzburg-Landau equation")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    waves = main(parser.parse_args().picture)
    for D, w, unstable in zip(waves["D"], waves["velocity"], waves["unstable"], strict=True):
        exact = BETA * (1.0 - D * WAVE) + ALPHA * D * WAVE
        print(f"D = {D:.4f}: velocity {w:+.6f}, error {w - exact:+.1e}, unstable {unstable}")
