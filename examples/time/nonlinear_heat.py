"""Nonlinear heat equation in two dimensions
=========================================

SciPy's ``solve_ivp`` with an exact sparse Jacobian.

Run ``python examples/time/nonlinear_heat.py --picture heat.png``.

u_t = div(2 u grad u): the conductivity grows with the temperature u, and is zero where u is zero.
Heat therefore spreads behind a sharp front. The solution of Barenblatt is known in closed form,
u = max(0, 1 - r^2 / (16 sqrt(t))) / sqrt(t).
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from sgsolve import ad

SIDE, TIMES = 8.0, (1.0, 8.0)


# %%
# Equations
# ---------
# One unknown for each cell of a square grid; no heat flows through the boundary.
def rate(t: float, y: Any, n: int) -> Any:
    """du/dt in the cells of an n x n grid, shape (n * n,)."""
    h = 2.0 * SIDE / n
    u = y.reshape(n, n)
    to_right = -(u[1:] ** 2 - u[:-1] ** 2) / h  # 2 u grad u = grad u^2
    upwards = -(u[:, 1:] ** 2 - u[:, :-1] ** 2) / h
    to_right = np.pad(to_right, ((1, 1), (0, 0)))
    upwards = np.pad(upwards, ((0, 0), (1, 1)))
    outflow = to_right[1:] - to_right[:-1] + upwards[:, 1:] - upwards[:, :-1]
    return -outflow.ravel() / h


def exact(t: float, n: int) -> np.ndarray:
    """Solution of Barenblatt in the middles of the cells, shape (n, n)."""
    x = SIDE * (2.0 * (np.arange(n) + 0.5) / n - 1.0)
    square = x[:, None] ** 2 + x**2
    return np.asarray(np.maximum(0.0, 1.0 - square / (16.0 * np.sqrt(t))) / np.sqrt(t))


# %%
# Computation
# -----------
# ``argnum=1`` asks for the derivative by the second argument of ``rate``.
def main(picture: str | None = None, n: int = 48) -> dict[str, Any]:
    """Integrate, draw if a file is named, and return solution and error."""
    start = exact(TIMES[0], n).ravel()
    run = solve_ivp(
        rate,
        TIMES,
        start,
        method="BDF",
        args=(n,),
        jac=ad.jacobian_function(rate, argnum=1),
        rtol=1e-5,
        atol=1e-7,
    )
    u = run.y[:, -1].reshape(n, n)
    found = {
        "u": u,
        "mean error": float(abs(u - exact(TIMES[1], n)).mean()),
        "heat": (start.sum(), u.sum()),
        "run": run,
    }
    if picture is not None:
        draw(picture, found)
    return found


# %%
# Picture
# -------
# The temperature with the front of the exact solution, and a section.
def draw(picture: str, found: dict[str, Any]) -> None:
    """Draw both panels side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = (panel.subplots() for panel in figure.subfigures(1, 2))
    u, end = found["u"], TIMES[1]
    n = len(u)
    extent = (-SIDE, SIDE, -SIDE, SIDE)
    drawn = left.imshow(u.T, origin="lower", extent=extent)
    angle = np.linspace(0.0, 2.0 * np.pi, 200)
    left.plot(4.0 * end**0.25 * np.cos(angle), 4.0 * end**0.25 * np.sin(angle), "w--", lw=1)
    left.set(xlabel="x", ylabel="y", title=f"temperature at t = {end:g}")
    left.figure.colorbar(drawn, ax=left)
    x = SIDE * (2.0 * (np.arange(n) + 0.5) / n - 1.0)
    for t, values, color in ((TIMES[0], exact(TIMES[0], n), "C1"), (end, u, "C0")):
        right.plot(x, exact(t, n)[n // 2], "k", lw=0.8, label="exact" if t == end else None)
        right.plot(x, values[n // 2], "o", mfc="none", ms=4, color=color, label=f"t = {t:g}")
    right.set(xlabel="x", ylabel="u", title="section through the middle")
    right.legend()
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# What the integration did, and its error.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Nonlinear heat equation in two dimensions")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    solved = main(parser.parse_args().picture)
    run = solved["run"]
    print(f"{len(run.t) - 1} steps, {run.nfev} evaluations, {run.njev} Jacobians")
    print(f"mean error {solved['mean error']:.2e}, largest value {solved['u'].max():.4f}")
