"""Small signals: admittance, impedance and capacitance at any bias and frequency.

`Problem.small_signal` solves the linearized equations. This module adds the terminal currents and
the charges stored at contacts and in the equations. The fluxes on the edges are unknowns beside the
potentials (`kept_fluxes`): without them an inversion layer that no contact reaches has no level
below 1e5 Hz; with them the system is accurate from 1e-6 Hz. Its pattern is analyzed once for all
frequencies and biases.

With self-heating the equations are those in time (`TimeForm`), linearized: the temperature moves
with the voltage below the frequency at which heat is carried off, and not above.

Reference: S. E. Laux, IEEE Trans. Electron Devices 32 (1985) 2028.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ... import ad
from ...errors import InputError
from ..device import Device
from ..equations.argument_checks.parameter_checks import contact as check_contact
from ..equations.argument_checks.parameter_checks import overrides
from ..equations.carriers import after_fluxes, carriers
from ..equations.potential_form import QUASI
from ..equations.time_form import TimeForm
from ..equations.transport.terminal import balance, charge, cuts
from ..models.heat import check_no_heat
from ..solving.kept_fluxes import KeptFluxes

Array = Any


class SmallSignal:
    """Admittances of a device, at any biases and frequencies.

    Parameters
    ----------
    device : Device
        Without charged traps: their occupation would need equations of its own. Self-heating needs
        its ``capacity``.

    Attributes
    ----------
    analyses : int
        How often a pattern has been analyzed so far.

    Raises
    ------
    InputError
        If the device has charged traps, or heat without a capacity.

    See Also
    --------
    quasi_static : At frequency zero, for gates.
    conductance : The slope of the current.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, SmallSignal, interval
    >>> bar = Device(interval(np.linspace(0, 1e-3, 101)), np.full(101, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> y = SmallSignal(bar).admittance(bar.equilibrium(), "a", [1e3])
    >>> round(float(y[0].real), 1)  # q N mu / L, S/cm^2
    160.2
    """

    def __init__(self, device: Device) -> None:
        if device.traps:
            raise InputError(
                "traps: functions give their charge in the steady state only; give `trap_levels` "
                "for small signals, or use `quasi_static`"
            )
        self.device, self.analyses = device, 0
        self._form: KeptFluxes | None = None
        if device.heat is None:
            self._form = KeptFluxes(device, moving=True)
        elif device.heat.capacity is None:
            raise InputError(
                "heat: small signals need its capacity, such as capacity=1.63 in J/(cm^3 K)"
            )

    def admittance(
        self, x: np.ndarray, contact: str, frequencies: Sequence[float], at: str = "", **p: Any
    ) -> np.ndarray:
        """Return the current into a contact per voltage at the same contact, or at another.

        Parameters
        ----------
        x : ndarray
            The solution at the parameters `p`.
        contact : str
            Where the voltage is applied.
        frequencies : sequence of float
            Hz.
        at : str, optional
            Contact where the current is read; the same by default.
        **p
            The parameters of the solution that differ from the device's.

        Returns
        -------
        ndarray of complex, shape (len(frequencies),)
            S/cm^2; S/cm in two dimensions, S in three.
        """
        check_contact(self.device, contact)
        return self.response(x, "V_" + contact, frequencies, at or contact, **p)

    def response(
        self, x: np.ndarray, name: str, frequencies: Sequence[float], at: str, **p: Any
    ) -> np.ndarray:
        """Return the current into a contact per change of a parameter that oscillates.

        With ``"G"`` it is the response of a photodetector to modulated light.

        Parameters
        ----------
        x : ndarray
            The solution at the parameters `p`.
        name : str
            A parameter of the device that is a number: the generation ``G``, a sheet of charge.
        frequencies : sequence of float
            Hz.
        at : str
            Contact where the current is read.
        **p
            The parameters of the solution that differ from the device's.

        Returns
        -------
        ndarray of complex, shape (len(frequencies),)
            A/cm^2 per unit of the parameter; A/cm in two dimensions, A in three.
        """
        read = at
        check_contact(self.device, read)
        overrides(self.device, {name: (self.device.parameters | p).get(name, 0.0)})
        if name == "T":
            raise InputError("name: small signals of the temperature are not modeled")
        if self._form is None:
            form = TimeForm(self.device, x, self.device.parameters | p)
            y, flows = form.unknowns(x, self.device.parameters | p), form.current(read)
            problem = form.problem
        else:
            problem, y = self._form.problem, self._form.whole(x, p)
            flows = self._current(self._form, x, read, p)
        response = problem.at(**p).small_signal(y, name, frequencies, outputs={"current": flows})
        self.analyses += response.stats.n_analyze
        return response["current"]

    def _current(
        self, form: KeptFluxes, x: np.ndarray, read: str, p: Mapping[str, Any]
    ) -> tuple[Callable[..., Array], Callable[..., Array]]:
        """What flows into a contact, and what is stored on its side of the cuts."""
        device, cut = self.device, cuts(self.device, x, read, self.device.parameters | dict(p))

        def current(y: Array, /, **q: Any) -> Array:
            return balance(device, form.carriers(y, q), form.fluxes(y), q, cut)

        def stored(y: Array, /, **q: Any) -> Array:
            return charge(device, form.carriers(y, q), read, q, cut)

        return current, stored

    def capacitance(
        self, x: np.ndarray, contact: str, frequencies: Sequence[float], **p: Any
    ) -> np.ndarray:
        """Return the imaginary part of the admittance over the angular frequency.

        Parameters
        ----------
        x, contact, frequencies, **p
            As in `admittance`.

        Returns
        -------
        ndarray, shape (len(frequencies),)
            F/cm^2; F/cm in two dimensions, F in three.
        """
        y = self.admittance(x, contact, frequencies, **p)
        return y.imag / (2 * np.pi * np.asarray(frequencies, dtype=float))


def quasi_static(device: Device, x: np.ndarray, contact: str, **p: Any) -> float:
    """Return the capacitance of an electrode at low frequency, with carriers in equilibrium.

    It is the derivative of the electrode's charge by its voltage, by Poisson's equation alone: the
    quasi-Fermi potentials stay where they are. The number of mobile ions is conserved.

    Parameters
    ----------
    device : Device
        The device.
    x : ndarray
        A solution without direct current, at the parameters `p`.
    contact : str
        A gate.
    **p
        The parameters of the solution that differ from the device's.

    Returns
    -------
    float
        F/cm^2; F/cm in two dimensions, F in three.

    See Also
    --------
    SmallSignal.capacitance : At a frequency.

    Examples
    --------
    In accumulation the capacitance of a gate is nearly that of its oxide:

    >>> import numpy as np
    >>> from sgsolve.devices import Device, Gate, Ohmic, graded, interval, quasi_static
    >>> x = graded([0.0, 1e-4], 1e-8, 1e-8)
    >>> oxide = 3.45e-8  # F/cm^2
    >>> mos = Device(interval(x), np.full(len(x), -1e16),
    ...              {"gate": Gate(0, capacitance=oxide), "body": Ohmic(-1)},
    ...              {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> result = mos.solve(V_gate=-4.0)
    >>> round(quasi_static(mos, result.x, "gate", V_gate=-4.0) / oxide, 2)
    0.99
    """
    check_contact(device, contact)
    check_no_heat(device, "quasi-static capacitances")
    n, m = device.layout.n, device.layout.n_s

    def stored(y: Array, /, **q: Any) -> Array:
        quasi = q.pop(QUASI)
        none = np.zeros(device.layout.pairs), np.zeros(device.layout.pairs)
        s = carriers(device, ad.hstack([y[:n], quasi, y[n:]]), q)
        return charge(device, s, contact, q, none)

    levels = x[after_fluxes(device, x) :][: len(device.ions)]
    problem = device.electrostatic_problem.at(**{**p, QUASI: x[n : n + 2 * m]})
    slope = problem.sensitivity(np.concatenate([x[:n], levels]), "V_" + contact, functional=stored)
    return float(slope)
