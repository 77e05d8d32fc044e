"""Power flow and nose curve of a 14-bus grid
==========================================

AC power flow of the IEEE 14-bus test case, and the largest load that the grid can carry.

Run ``python examples/circuits/power_flow.py --picture nose.png``.

The unknowns are the angles of all voltages but that of the slack bus, and the magnitudes at the
buses without a generator. The equations are the balances of active and reactive power,
S = V conj(Y V), per unit of 100 MVA. All loads and generators are multiplied by ``loading``. The
solution branch turns back at a fold, which is the loading limit.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from sgsolve import Branch, Problem, ad

# %%
# Data
# ----
# Published in the archive of power system test cases, University of Washington: for each bus the
# load (MW, MVAr), the generation (MW), the magnitude and the angle (degrees) of the voltage.
BUS = np.array(
    [
        [0.0, 0.0, 232.4, 1.060, 0.00],
        [21.7, 12.7, 40.0, 1.045, -4.98],
        [94.2, 19.0, 0.0, 1.010, -12.72],
        [47.8, -3.9, 0.0, 1.019, -10.33],
        [7.6, 1.6, 0.0, 1.020, -8.78],
        [11.2, 7.5, 0.0, 1.070, -14.22],
        [0.0, 0.0, 0.0, 1.062, -13.37],
        [0.0, 0.0, 0.0, 1.090, -13.36],
        [29.5, 16.6, 0.0, 1.056, -14.94],
        [9.0, 5.8, 0.0, 1.051, -15.10],
        [3.5, 1.8, 0.0, 1.057, -14.79],
        [6.1, 1.6, 0.0, 1.055, -15.07],
        [13.5, 5.8, 0.0, 1.050, -15.16],
        [14.9, 5.0, 0.0, 1.036, -16.04],
    ]
)
LOAD, GENERATION = (BUS[:, 0] + 1j * BUS[:, 1]) / 100, BUS[:, 2] / 100
PUBLISHED = BUS[:, 3] * np.exp(1j * np.radians(BUS[:, 4]))
SHUNT = {8: 0.19j}  # a capacitor at bus 9
# From bus, to bus, resistance, reactance, line charging (per unit), tap ratio of a transformer.
LINES = np.array(
    [
        [1, 2, 0.01938, 0.05917, 0.0528, 1.0],
        [1, 5, 0.05403, 0.22304, 0.0492, 1.0],
        [2, 3, 0.04699, 0.19797, 0.0438, 1.0],
        [2, 4, 0.05811, 0.17632, 0.0340, 1.0],
        [2, 5, 0.05695, 0.17388, 0.0346, 1.0],
        [3, 4, 0.06701, 0.17103, 0.0128, 1.0],
        [4, 5, 0.01335, 0.04211, 0.0, 1.0],
        [4, 7, 0.0, 0.20912, 0.0, 0.978],
        [4, 9, 0.0, 0.55618, 0.0, 0.969],
        [5, 6, 0.0, 0.25202, 0.0, 0.932],
        [6, 11, 0.09498, 0.19890, 0.0, 1.0],
        [6, 12, 0.12291, 0.25581, 0.0, 1.0],
        [6, 13, 0.06615, 0.13027, 0.0, 1.0],
        [7, 8, 0.0, 0.17615, 0.0, 1.0],
        [7, 9, 0.0, 0.11001, 0.0, 1.0],
        [9, 10, 0.03181, 0.08450, 0.0, 1.0],
        [9, 14, 0.12711, 0.27038, 0.0, 1.0],
        [10, 11, 0.08205, 0.19207, 0.0, 1.0],
        [12, 13, 0.22092, 0.19988, 0.0, 1.0],
        [13, 14, 0.17093, 0.34802, 0.0, 1.0],
    ]
)


# %%
# Equations
# ---------
# The admittance matrix is constant. The balance of complex power gives two real equations at each
# bus; those of buses where a generator holds the magnitude, or of the slack bus, are left out.
def admittance() -> Any:
    """Admittance matrix of the grid, sparse and complex, shape (14, 14), per unit."""
    n = len(BUS)
    i, j = LINES[:, :2].astype(int).T - 1
    series = 1.0 / (LINES[:, 2] + 1j * LINES[:, 3])
    end = series + 0.5j * LINES[:, 4]
    tap = LINES[:, 5]
    bus = np.array(list(SHUNT))
    rows = np.concatenate([i, j, i, j, bus])
    columns = np.concatenate([i, j, j, i, bus])
    values = [end / tap**2, end, -series / tap, -series / tap, list(SHUNT.values())]
    return csr_array((np.concatenate(values), (rows, columns)), shape=(n, n))


Y = ad.freeze(admittance())
PQ = np.array([3, 4, 6, 8, 9, 10, 11, 12, 13])  # buses with an unknown magnitude
KNOWN = BUS[:, 3].copy()
KNOWN[PQ] = 0.0
BLOCKS = {"angle": (len(BUS) - 1,), "magnitude": PQ.shape}


def voltage(angle: Any, magnitude: Any) -> Any:
    """Complex voltages at all buses from the unknowns, per unit."""
    n = len(BUS)
    size = ad.sparsesum([KNOWN, ad.sparsevec(n, PQ, magnitude)])
    return size * np.exp(1j * np.concatenate([[0.0], angle]))


def mismatch(angle: Any, magnitude: Any, loading: float) -> Any:
    """Balances of active and reactive power, per unit."""
    V = voltage(angle, magnitude)
    S = V * np.conj(Y @ V) - loading * (GENERATION - LOAD)
    return {"angle": S.real[1:], "magnitude": S.imag[PQ]}


# %%
# Computation
# -----------
# Power flow from the flat start, then the solution branch past the loading limit.
def main(picture: str | None = None) -> dict[str, Any]:
    """Solve, follow the branch, draw it if a file is named; return voltages and branch."""
    problem = Problem(mismatch, params={"loading": 1.0}, blocks=BLOCKS, fields=True)
    result = problem.solve(problem.pack(angle=0.0, magnitude=1.0))
    V = voltage(result["angle"], result["magnitude"])

    def magnitudes(x: np.ndarray) -> np.ndarray:
        return np.asarray(abs(voltage(**problem.unpack(x))))

    branch = problem.continuation(
        result.x, "loading", (1.0, 10.0), outputs={"V": magnitudes}, max_step=0.2, max_points=60
    )
    if picture is not None:
        draw(picture, V, branch)
    return {"V": V, "branch": branch}


# %%
# Picture
# -------
# Voltages against the published ones, and the nose curve of three buses.
def draw(picture: str, V: np.ndarray, branch: Branch) -> None:
    """Draw both panels side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = (panel.subplots() for panel in figure.subfigures(1, 2))
    bus = np.arange(1, len(V) + 1)
    left.plot(bus, abs(V), "o", mfc="none", label="computed")
    left.plot(bus, abs(PUBLISHED), "k+", label="published")
    left.set(xlabel="bus", ylabel="voltage (per unit)", title="power flow", ylim=(1.0, 1.12))
    left.set_xticks(bus[1::3])
    left.legend(ncols=2, loc="upper left")
    for k in (4, 9, 14):
        right.plot(branch["loading"], branch["V"][:, k - 1], label=f"bus {k}")
    limit = branch.folds[0].parameter
    right.axvline(limit, color="k", lw=0.8, ls="--")
    right.set(xlabel="loading", ylabel="voltage (per unit)", title=f"limit at {limit:.3f}")
    right.legend(loc="center left")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# The voltages, and the loading limit.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Power flow of the IEEE 14-bus case")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    found = main(parser.parse_args().picture)
    for number, phasor in enumerate(found["V"], start=1):
        print(f"bus {number:2d}: {abs(phasor):.4f} at {np.degrees(np.angle(phasor)):7.3f} degrees")
    print(*found["branch"].special_points)
