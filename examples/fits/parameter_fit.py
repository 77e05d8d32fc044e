"""Fit of parameters with exact sensitivities
==========================================

Five parameters of a solar cell from its measured curve, and a conductivity at 100 places.

Run ``python examples/fits/parameter_fit.py --picture fit.png``.

Left: forward sensitivities are the Jacobian of ``scipy.optimize.least_squares``. The data are those
of a cell of R.T.C. France (T. Easwarakhanthan et al., Int. J. Solar Energy 4 (1986) 1).
Right: the gradient of a misfit by all 100 values costs one adjoint solve.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from scipy.optimize import least_squares, minimize

from sgsolve import Problem

# %%
# Five parameters
# ---------------
# Voltage (V) and current (A) of the cell at 33 degrees Celsius; the current stands on both sides of
# the equation of the cell.
MEASURED = np.array(
    [
        [-0.2057, 0.7640], [-0.1291, 0.7620], [-0.0588, 0.7605], [0.0057, 0.7605],
        [0.0646, 0.7600], [0.1185, 0.7590], [0.1678, 0.7570], [0.2132, 0.7570],
        [0.2545, 0.7555], [0.2924, 0.7540], [0.3269, 0.7505], [0.3585, 0.7465],
        [0.3873, 0.7385], [0.4137, 0.7280], [0.4373, 0.7065], [0.4590, 0.6755],
        [0.4784, 0.6320], [0.4960, 0.5730], [0.5119, 0.4990], [0.5265, 0.4130],
        [0.5398, 0.3165], [0.5521, 0.2120], [0.5633, 0.1035], [0.5736, -0.0100],
        [0.5833, -0.1230], [0.5900, -0.2100],
    ]
)  # fmt: skip
V, CURRENT = MEASURED.T
THERMAL = 1.380649e-23 * 306.15 / 1.602176634e-19  # kT/q in V
START = {"photo": 0.7, "log_sat": -14.0, "ideality": 1.5, "series": 0.02, "shunt": 30.0}


def cell(
    current: Any, photo: float, log_sat: float, ideality: float, series: float, shunt: float
) -> Any:
    """Balance of currents in A, at each voltage; resistances in Ohm."""
    drop = V + series * current
    diode = np.exp(log_sat) * np.expm1(drop / (ideality * THERMAL))
    return photo - diode - drop / shunt - current


def fit_cell() -> dict[str, Any]:
    """Fit the five parameters; return them, the currents, and the root mean square in A."""
    problem = Problem(cell, params=START)

    def solve(values: np.ndarray) -> Any:
        return problem.at(**dict(zip(START, values.tolist(), strict=True))).solve(CURRENT)

    def slopes(values: np.ndarray) -> np.ndarray:
        by = problem.sensitivity(solve(values), list(START))
        return np.column_stack([by[name] for name in START])

    start = list(START.values())
    fit = least_squares(lambda v: solve(v).x - CURRENT, start, jac=slopes, x_scale="jac")
    rms = float(np.sqrt(np.mean(fit.fun**2)))
    return {"values": dict(zip(START, fit.x, strict=True)), "current": solve(fit.x).x, "rms": rms}


# %%
# A hundred parameters
# --------------------
# The conductivity of a heated rod, from temperatures with errors of 0.005. Differences between
# neighbors cost a penalty.
def find_conductivity(n: int = 100, error: float = 5e-3, penalty: float = 0.1) -> dict[str, Any]:
    """Return the places, the true conductivity and the one that was found."""
    h = 1.0 / n
    x = h * (np.arange(n) + 0.5)

    def heat(u: Any, log_k: Any) -> Any:
        full = np.concatenate([[0.0], u, [0.0]])
        flux = -np.exp(log_k) * (full[1:] - full[:-1]) / h
        return flux[1:] - flux[:-1] - 10.0 * h

    true = np.log(1.0 + 0.8 * np.exp(-(((x - 0.65) / 0.12) ** 2)))
    problem = Problem(heat, params={"log_k": true})
    data = problem.solve(np.zeros(n - 1)).x + error * np.sin(40.0 * np.arange(1, n))

    def misfit(u: Any) -> Any:
        return 0.5 * h * np.sum((u - data) ** 2) / error**2

    def objective(w: np.ndarray) -> tuple[float, np.ndarray]:
        result = problem.at(log_k=np.cumsum(w) * np.sqrt(h)).solve(np.zeros(n - 1))
        slope = problem.sensitivity(result, "log_k", functional=misfit)
        gradient = np.sqrt(h) * np.cumsum(slope[::-1])[::-1] + penalty * w
        return float(misfit(result.x) + 0.5 * penalty * w @ w), gradient

    fit = minimize(objective, np.zeros(n), jac=True, method="L-BFGS-B", options={"maxcor": 50})
    return {"x": x, "true": np.exp(true), "found": np.exp(np.cumsum(fit.x) * np.sqrt(h))}


def main(picture: str | None = None) -> dict[str, Any]:
    """Run both fits, draw them if a file is named, and return the results."""
    found = {"cell": fit_cell(), "rod": find_conductivity()}
    if picture is not None:
        draw(picture, found)
    return found


# %%
# Picture
# -------
# The measured curve with its fit, and the conductivity.
def draw(picture: str, found: dict[str, Any]) -> None:
    """Draw both panels side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = (panel.subplots() for panel in figure.subfigures(1, 2))
    left.plot(V, CURRENT, "o", mfc="none", label="measured")
    left.plot(V, found["cell"]["current"], label="fit")
    left.set(xlabel="voltage (V)", ylabel="current (A)", title="5 parameters: forward")
    left.legend(loc="lower left")
    rod = found["rod"]
    right.plot(rod["x"], rod["true"], "k--", label="true")
    right.plot(rod["x"], rod["found"], label="found")
    right.set(xlabel="x", ylabel="conductivity", title="100 parameters: adjoint")
    right.legend(loc="upper left")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# The parameters of the cell, and the place of the highest conductivity.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fit of parameters with exact sensitivities")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    fits = main(parser.parse_args().picture)
    for name, value in fits["cell"]["values"].items():
        print(f"{name:9s}{value:10.5f}")
    print(f"root mean square: {fits['cell']['rms']:.4e} A")
    print(f"highest conductivity at x = {fits['rod']['x'][fits['rod']['found'].argmax()]:.2f}")
