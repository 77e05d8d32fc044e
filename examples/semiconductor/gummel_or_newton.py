"""Gummel's iteration and Newton's method
======================================

Both methods on the same diode: the rounds of one and the factorizations of the other
at every voltage.

At low voltage the currents hardly change the potential, and solving the equations in turn
converges in few rounds. At high injection it takes more and more rounds. Newton's method factorizes
its Jacobian two to five times at every voltage.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pn_diode import diode
from report import figure, run, save, table

from sgsolve.devices import gummel

VOLTAGES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0]


@dataclass
class Comparison:
    """What `main` returns: voltages (V), rounds of Gummel, factorizations of Newton, currents."""

    voltage: np.ndarray
    rounds: np.ndarray
    steps: np.ndarray
    currents: np.ndarray


# %%
# Computation
# -----------
# ``main`` computes, prints a table and returns the data.
def main(voltages: Sequence[float] = VOLTAGES, picture: str | None = None) -> Comparison:
    """Solve each voltage from the one before by both, print and draw the counts."""
    device = diode()
    x = y = device.equilibrium()
    rounds, steps, currents, histories = [], [], [], {}
    for voltage in voltages:
        x, changes = gummel(device, x, V_top=voltage)
        result = device.solve(y, V_top=voltage)
        y = result.x
        rounds.append(len(changes))
        steps.append(result.stats.n_factor)
        currents.append([device.current(z, "top", V_top=voltage) for z in (x, y)])
        histories[voltage] = changes
    data = Comparison(np.asarray(voltages), np.array(rounds), np.array(steps), np.array(currents))
    print(
        table(
            {
                "V (V)": data.voltage,
                "Gummel": data.rounds,
                "Newton": data.steps,
                "J, Gummel": data.currents[:, 0],
                "J, Newton": data.currents[:, 1],
            }
        )
    )
    if picture:
        drawing, (left, right) = figure(2)
        left.plot(data.voltage, data.rounds, "o-", label="rounds of Gummel")
        left.plot(data.voltage, data.steps, "s-", label="factorizations of Newton")
        left.set(xlabel="voltage (V)", ylabel="number", ylim=(0, None))
        left.legend()
        for voltage in list(histories)[1::2]:
            right.semilogy(histories[voltage], label=f"{voltage:g} V")
        right.set(xlabel="round", ylabel="largest change (kT/q)", title="Gummel")
        right.legend(fontsize=8)
        save(drawing, picture)
    return data


# %%
# Output
# ------
# The table and the picture of this run.
if __name__ == "__main__":
    run(main, "gummel_or_newton")
