"""Small signals: admittance, impedance and capacitance at any bias and frequency.

One idea: around a solution the same equations answer a small sinusoidal voltage by one complex
linear system, which is `Problem.small_signal` of `sgsolve`. What is said here is physics: what the
equations store (carriers), and that the fluxes on the edges are unknowns beside the potentials::

    j(potentials) - j                       = 0     on every edge, divided by its conductance
    sum j -+ U V  -+  d/dt (n V)            = 0     at every node

Eliminating them would hide what recombines and what is stored behind the rounding errors of the
conductances: an inversion layer that no contact reaches would have no level below 1e5 Hz. Kept, the
system is good from 1e-6 Hz up. Its pattern is analysed once for all frequencies and biases.

References: S. E. Laux, IEEE Trans. Electron Devices 32 (1985) 2028; for fluxes as unknowns,
F. Brezzi, L. D. Marini, P. Pietra, SIAM J. Numer. Anal. 26 (1989) 1342.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sgsolve import Problem, ad
from sgsolve.errors import InputError

from .boundary import fixed_potentials
from .carriers import carriers, fluxes
from .checks import contact as check_contact
from .start import poisson_alone
from .terminal import balance, charge, cuts, losses

if TYPE_CHECKING:
    from .device import Device

Array = Any


class SmallSignal:
    """Admittances of a device, at as many biases and frequencies as wanted.

    Parameters
    ----------
    device : Device
        Without charged traps: their occupation would need equations of its own.

    Attributes
    ----------
    analyses : int
        How often a pattern has been analysed so far.

    Examples
    --------
    >>> from physics import Device, Ohmic, interval
    >>> import numpy as np
    >>> bar = Device(interval(np.linspace(0, 1e-3, 101)), np.full(101, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> y = SmallSignal(bar).admittance(bar.equilibrium(), "a", [1e3])
    >>> round(float(y[0].real), 1)                                        # q N mu / L, S/cm^2
    160.2
    """

    def __init__(self, device: Device) -> None:
        if device.traps:
            raise InputError(
                "traps: small signals of traps that hold charge are not modelled; `quasi_static` "
                "is, or leave `traps` away"
            )
        self.device, self.analyses = device, 0
        lay = device.layout
        self._n, self._m, self._edges = lay.n, lay.n_s, len(lay.carrier_ratio)
        self._problem = Problem(
            self._residual,
            params={**device.parameters, "conductances": np.ones(2 * self._edges)},
            storage=self._stored,
        )

    def admittance(
        self, x: np.ndarray, contact: str, frequencies: Sequence[float], at: str = "", **p: Any
    ) -> np.ndarray:
        """Current into a contact per voltage at the same contact, or at another.

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

        Returns
        -------
        ndarray of complex, shape (len(frequencies),)
            S/cm^2, or S/cm in two dimensions.
        """
        device, read = self.device, at or contact
        check_contact(device, contact)
        q = device.parameters | p
        cut = cuts(device, x, read, q)

        def current(y: Array, **q: Any) -> Array:
            s = carriers(device, self._potentials(y), q)
            return balance(device, s, self._fluxes(y), q, cut)

        def stored(y: Array, **q: Any) -> Array:
            return charge(device, self._potentials(y), read, q, cut)

        seeded = ad.seed(x)
        flux = ad.hstack(fluxes(device, carriers(device, seeded, q), q))
        conductances = abs(flux.jacobian).max(axis=1).toarray().ravel()
        response = self._problem.small_signal(
            np.concatenate([x, ad.value(flux)]),
            "V_" + contact,
            frequencies,
            outputs={"current": (current, stored)},
            **p,
            conductances=conductances,
        )
        self.analyses += response.stats.n_analyse
        return response["current"]

    def capacitance(
        self, x: np.ndarray, contact: str, frequencies: Sequence[float], **p: Any
    ) -> np.ndarray:
        """Imaginary part of the admittance over the angular frequency, F/cm^2 or F/cm."""
        y = self.admittance(x, contact, frequencies, **p)
        return y.imag / (2 * np.pi * np.asarray(frequencies, dtype=float))

    def _potentials(self, y: Array) -> Array:
        return y[: self._n + 2 * self._m]

    def _fluxes(self, y: Array) -> tuple[Array, Array]:
        first = self._n + 2 * self._m
        return y[first : first + self._edges], y[first + self._edges :]

    def _residual(self, y: Array, conductances: np.ndarray, **p: Any) -> Array:
        """Poisson's equation, both balances of the fluxes that are unknowns, and what they are."""
        device, lay, n, m = self.device, self.device.layout, self._n, self._m
        x = self._potentials(y)
        s = carriers(device, x, p)
        demanded, free = fixed_potentials(device, p, s.vt), lay.carrier_free
        jn, jp = self._fluxes(y)
        lost_n, lost_p = losses(device, s, p)
        held_n = (1.0 - free) * (s.un - demanded[n : n + m])
        held_p = (1.0 - free) * (s.up - demanded[n + m :])
        parts = [
            device.residual(x, **p)[:n],
            free * (lay.carrier_divergence @ jn - lost_n) + held_n,
            free * (lay.carrier_divergence @ jp + lost_p) + held_p,
            (ad.hstack(fluxes(device, s, p)) - ad.hstack([jn, jp])) / conductances,
        ]
        return ad.hstack(parts)

    def _stored(self, y: Array, **p: Any) -> Array:
        """Carriers, in the balances; nothing in the other equations."""
        lay = self.device.layout
        s = carriers(self.device, self._potentials(y), p)
        weight = lay.volumes * lay.carrier_free / s.vt
        nothing = np.zeros(self._n), np.zeros(2 * self._edges)
        return ad.hstack([nothing[0], -weight * s.n, weight * s.p, nothing[1]])


def quasi_static(device: Device, x: np.ndarray, contact: str, **p: Any) -> float:
    """Capacitance of an electrode so slow that all carriers stay in equilibrium, F/cm^2 or F/cm.

    The derivative of the electrode's charge by its voltage, by Poisson's equation alone: the
    quasi-Fermi potentials stay where they are.

    Parameters
    ----------
    x : ndarray
        A solution without direct current, at the parameters `p`.
    contact : str
        A gate.
    """
    check_contact(device, contact)
    n, m = device.layout.n, device.layout.n_s
    none = (np.zeros(m), np.zeros(m))

    def stored(u: Array, **q: Any) -> Array:
        return charge(device, ad.hstack([u, x[n:]]), contact, q, none)

    poisson = poisson_alone(device, x[n:])
    return float(poisson.sensitivity(x[:n], "V_" + contact, of=stored, **p))
