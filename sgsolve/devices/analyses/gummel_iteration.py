"""Gummel's iteration: the three equations are solved in turn until the potentials converge.

Poisson's equation with fixed quasi-Fermi potentials has one solution, which Newton's method finds
from any start. Each continuity equation is solved for its own quasi-Fermi potential. At low current
the equations are weakly coupled and few rounds suffice. At high current the rounds converge slowly,
while Newton's method for all three equations takes five steps. The iteration is a fallback where
that diverges, and a comparison.

Reference: H. K. Gummel, IEEE Trans. Electron Devices 11 (1964) 455.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ad
from ...errors import ConvergenceError, InputError
from ...problem import Problem
from ..device import Device
from ..models.heat import check_no_heat
from ..solving.methods import cold_method

WHOLE = "whole state"  # no identifier: no parameter of a model is called that


def gummel(
    device: Device, x: np.ndarray, rounds: int = 200, tolerance: float = 1e-10, **p: Any
) -> tuple[np.ndarray, list[float]]:
    """Solve the three equations one after the other, until the potentials no longer change.

    Parameters
    ----------
    device : Device
        The device.
    x : ndarray
        Where to start, such as the solution at another voltage.
    rounds : int
        At most.
    tolerance : float
        Largest change in a round, in units of kT/q.
    **p
        Voltages and other parameters that differ from the device's.

    Returns
    -------
    x : ndarray
        The solution.
    changes : list of float
        The largest change of each round, in kT/q.

    Raises
    ------
    ConvergenceError
        If it still moves after all rounds.
    InputError
        If the device has impact ionization or a tunnel junction.

    See Also
    --------
    Device.solve : All equations at once.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, gummel, interval
    >>> bar = Device(interval(np.linspace(0, 1e-3, 11)), np.full(11, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> x, changes = gummel(bar, bar.equilibrium(), V_a=0.1)
    >>> bool(np.abs(x - bar.solve(V_a=0.1).x).max() < 1e-9)
    True
    """
    check_no_heat(device, "Gummel's rounds")
    if device.keeps_fluxes:
        raise InputError(
            "Gummel's iteration has no fluxes as unknowns, which ionization and tunnel junctions "
            "need; use device.solve instead"
        )
    vt = device.thermal_voltage
    solver = cold_method(vt)
    blocks = device.blocks()
    problems = {name: _alone(device, name) for name in blocks}
    changes: list[float] = []
    for _ in range(rounds):
        before = x
        for name, where in blocks.items():
            part = problems[name].at(**{**p, WHOLE: x}).solve(x[where], solver).x
            x = x.copy()
            x[where] = part
        changes.append(float(np.abs(x - before).max() / vt))
        if changes[-1] < tolerance:
            return x, changes
    raise ConvergenceError(
        f"after {rounds} rounds of Gummel's iteration the potentials still move by "
        f"{changes[-1]:.1e} kT/q; take a smaller step of voltage, or device.solve"
    )


def _alone(device: Device, name: str) -> Problem:
    """The equations of one block, for its own unknowns."""
    where = device.blocks()[name]

    def residual(u: Any, /, **p: Any) -> Any:
        whole = p.pop(WHOLE)
        state = ad.hstack([whole[: where.start], u, whole[where.stop :]])
        return device.residual(state, **p)[where]

    size = device.layout.n + 2 * device.layout.n_s
    return Problem(
        residual,
        params={**device.parameters, WHOLE: np.zeros(size)},
        scale=device.thermal_voltage,
        backend=device.backend,
    )
