"""Open-circuit voltage and maximum power point of a solar cell."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from ..device import Device
from ..equations.transport.terminal import current
from ..solving.start import solve_device
from .drive import reached


def open_circuit(
    device: Device, contact: str, guess: float = 0.0, x: np.ndarray | None = None, **p: Any
) -> float:
    """Return the voltage at which a contact carries no current.

    Parameters
    ----------
    device : Device
        The device, such as a solar cell in light.
    contact : str
        The contact.
    guess : float
        Voltage to start from, V.
    x : ndarray, optional
        The solution at the guess; computed without an initial guess by default.
    **p
        Other parameters.

    Returns
    -------
    float
        V.

    Raises
    ------
    ConvergenceError
        If there is no such voltage within reach.
    InputError
        If no current flows near the guess.
    ParameterError
        If the voltage of the contact is among the parameters.

    See Also
    --------
    power_point : The point of most power.
    at_current : Any current.

    Examples
    --------
    A junction of 3 um in light that generates 10^21 pairs per cm^3 and second:

    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, graded, interval, open_circuit, srh
    >>> x = graded([0.0, 1e-4, 3e-4], 1e-5, 1e-7)
    >>> silicon = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1400.0, "mu_p": 450.0, "G": 1e21}
    >>> silicon |= {"tau_n": 1e-6, "tau_p": 1e-6, "n1": 1e10, "p1": 1e10}
    >>> doping, contacts = np.where(x < 1e-4, -1e18, 1e16), {"p": Ohmic(0), "n": Ohmic(-1)}
    >>> cell = Device(interval(x), doping, contacts, silicon, recombination=[srh])
    >>> print(f"{open_circuit(cell, 'p'):.2f} V")
    0.50 V
    """
    return reached(device, contact, 0.0, guess, x, p)[0]


def power_point(device: Device, contact: str, v_oc: float, **p: Any) -> tuple[float, float]:
    """Return the largest power that a device in light delivers, and its voltage.

    Parameters
    ----------
    device : Device
        The device, such as a solar cell in light.
    contact : str
        The contact.
    v_oc : float
        The voltage at open circuit, V: the power is largest below it.
    **p
        Other parameters.

    Returns
    -------
    power : float
        W/cm^2; W/cm in two dimensions, W in three.
    voltage : float
        V.

    See Also
    --------
    open_circuit : The voltage without current.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, graded, interval, open_circuit, power_point, srh
    >>> x = graded([0.0, 1e-4, 3e-4], 1e-5, 1e-7)
    >>> silicon = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1400.0, "mu_p": 450.0, "G": 1e21}
    >>> silicon |= {"tau_n": 1e-6, "tau_p": 1e-6, "n1": 1e10, "p1": 1e10}
    >>> doping, contacts = np.where(x < 1e-4, -1e18, 1e16), {"p": Ohmic(0), "n": Ohmic(-1)}
    >>> cell = Device(interval(x), doping, contacts, silicon, recombination=[srh])
    >>> power, voltage = power_point(cell, "p", open_circuit(cell, "p"))
    >>> print(f"{1e3 * power:.1f} mW/cm^2 at {voltage:.2f} V")
    10.3 mW/cm^2 at 0.42 V
    """
    name = "V_" + contact
    x = solve_device(device, None, p).x

    def power(voltage: float) -> float:
        here = {**p, name: voltage}
        state = solve_device(device, x, here).x
        return float(voltage * current(device, state, contact, {**device.parameters, **here}))

    best = minimize_scalar(power, bounds=(0.0, v_oc), method="bounded", options={"xatol": 1e-7})
    return -float(best.fun), float(best.x)
