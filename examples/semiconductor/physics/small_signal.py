"""Small signals: admittance, impedance and capacitance at any bias and frequency.

One idea: around a solution the same residual answers a small sinusoidal voltage by one complex
linear system, ``(J + i omega C) dx = -dF/dV``. J is the Jacobian of the solve, C the derivative by
dx/dt, which comes from the carriers that each equation stores; both by automatic differentiation.
They share one pattern, analysed once for all frequencies and biases.

What limits it: where carriers are cut off from every contact (an inversion layer), only storage and
recombination tell their level, and below about 1e5 Hz these are smaller than the rounding errors of
the conductances between neighbours; the linear solver then refuses the system as singular.
`quasi_static` is the limit of no frequency, where carriers are in equilibrium with their contacts.

Reference: S. E. Laux, IEEE Trans. Electron Devices 32 (1985) 2028.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from sgsolve import ad, linear
from sgsolve.pattern import Pattern

from .carriers import carriers
from .sensitivity import by_parameters, dense
from .terminal import charge, cuts

if TYPE_CHECKING:
    from .device import Device

Array = Any


def storage(device: Device, x: Array, p: dict[str, Any]) -> Array:
    """What each equation stores: ``F(x) + d storage/dt = 0``, linearised at the value of x.

    The equations of the carriers are divided by their densities (see `layout`); so is this, by the
    densities at the bias, which do not change with time.
    """
    lay = device.layout
    s = carriers(device, x, p)
    weight = lay.volumes / ad.value(s.vt)
    electrons = (-device.scales["n"] * weight / ad.value(s.n)) * s.n
    holes = (device.scales["p"] * weight / ad.value(s.p)) * s.p
    return ad.hstack([np.zeros(lay.n), electrons, holes])


class SmallSignal:
    """Admittances of a device, at as many biases and frequencies as wanted.

    Parameters
    ----------
    device : Device

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
        self.device = device
        self._solver: Any = None
        self._pattern: Any = None

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
        p = device.parameters | p
        cut = cuts(device, x, read, p)
        name = ["V_" + contact]
        by_voltage = by_parameters(lambda q: device.residual(x, **q), name, p, len(x))[:, 0]
        seeded = ad.seed(x)
        current = device.current(seeded, read, cut=cut, **p)
        stored = charge(device, seeded, read, p, cut)
        in_x = dense(current, (1, len(x)))[0], dense(stored, (1, len(x)))[0]
        in_v = [
            by_parameters(lambda q: device.current(x, read, cut=cut, **q), name, p, 1)[0, 0],
            by_parameters(lambda q: charge(device, x, read, q, cut), name, p, 1)[0, 0],
        ]
        J, C = self._matrices(x, p)
        result = np.empty(len(frequencies), dtype=complex)
        for i, frequency in enumerate(frequencies):
            omega = 2j * np.pi * frequency
            self._solver.factorize(csr_array((J + omega * C, *self._indices), shape=self._shape))
            dx = self._solver.solve(-by_voltage)
            result[i] = (in_x[0] + omega * in_x[1]) @ dx + in_v[0] + omega * in_v[1]
        return result

    def capacitance(
        self, x: np.ndarray, contact: str, frequencies: Sequence[float], **p: Any
    ) -> np.ndarray:
        """Imaginary part of the admittance over the angular frequency, F/cm^2 or F/cm."""
        y = self.admittance(x, contact, frequencies, **p)
        return y.imag / (2 * np.pi * np.asarray(frequencies, dtype=float))

    @property
    def analyses(self) -> int:
        """How often the pattern has been analysed."""
        return 0 if self._solver is None else int(self._solver.stats.n_analyse)

    def _matrices(self, x: np.ndarray, p: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """Values of J and C on the pattern of J, which holds that of C."""
        device = self.device
        jacobian = device.problem.jacobian(x, **p)
        if self._solver is None:
            self._pattern = device.problem.sparsity(x, **p)
            self._solver = linear.auto(self._pattern)
        self._indices, self._shape = (jacobian.indices, jacobian.indptr), jacobian.shape
        stored = ad.assemble(storage(device, ad.seed(x), p), self._pattern)
        return jacobian.data, stored


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
    p = device.parameters | p
    name, n = ["V_" + contact], device.layout.n
    none = (np.zeros(device.layout.n_s), np.zeros(device.layout.n_s))
    by_voltage = by_parameters(lambda q: device.residual(x, **q), name, p, len(x))[:n, 0]
    stored = charge(device, ad.seed(x), contact, p, none)
    in_v = by_parameters(lambda q: charge(device, x, contact, q, none), name, p, 1)[0, 0]
    poisson = csr_array(device.problem.jacobian(x, **p)[:n, :n])
    solver = linear.auto(Pattern.of(poisson))
    solver.factorize(poisson)
    return float(in_v - dense(stored, (1, len(x)))[0, :n] @ solver.solve(by_voltage))
