"""Small signals: admittance, impedance and capacitance at any bias and frequency.

One idea: around a solution the same equations answer a small sinusoidal voltage by one complex
linear system, ``(J + i omega C) dx = -dF/dV``, with J and C by automatic differentiation of fluxes,
rates and densities. The fluxes on the edges are unknowns here beside the potentials::

    d j(dx) - dj                            = 0     on every edge, divided by its conductance
    sum dj -+ (dU + i omega dn) V           = 0     at every node

Eliminating them would hide what recombines and what is stored behind the rounding errors of the
conductances: an inversion layer that no contact reaches would have no level below 1e5 Hz. Kept, the
system is good from 1e-3 Hz up. Its pattern is analysed once for all frequencies and biases.

References: S. E. Laux, IEEE Trans. Electron Devices 32 (1985) 2028; for fluxes as unknowns,
F. Brezzi, L. D. Marini, P. Pietra, SIAM J. Numer. Anal. 26 (1989) 1342.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from sgsolve import ad, linear
from sgsolve.pattern import Pattern

from .boundary import emission, surface_rate
from .carriers import carriers, fluxes, recombination_rate
from .sensitivity import by_parameters, dense
from .terminal import charge, cuts

if TYPE_CHECKING:
    from .device import Device

Array = Any


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
        seeded, n = ad.seed(x), len(x)
        current = device.current(seeded, read, cut=cut, **p)
        stored = charge(device, seeded, read, p, cut)
        in_x = dense(current, (1, n))[0], dense(stored, (1, n))[0]
        in_v = [
            by_parameters(lambda q: device.current(x, read, cut=cut, **q), name, p, 1)[0, 0],
            by_parameters(lambda q: charge(device, x, read, q, cut), name, p, 1)[0, 0],
        ]
        steady, moving = mixed_blocks(device, seeded, p)
        right = mixed_side(device, x, name, p)
        result = np.empty(len(frequencies), dtype=complex)
        for i, frequency in enumerate(frequencies):
            omega = 2j * np.pi * frequency
            self._factorize(steady, moving, omega)
            dx = self._solver.solve(-right)[:n]
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

    def _factorize(self, steady: list, moving: list, omega: complex) -> None:
        """Add both matrices up on one pattern, found from the first of them."""
        rows, columns, data = (np.concatenate(part) for part in zip(*steady, *moving, strict=True))
        data = data.astype(complex)
        data[-sum(len(block[2]) for block in moving) :] *= omega
        if self._solver is None:
            n = int(rows.max()) + 1
            self._pattern, self._position = Pattern.from_coordinates(rows, columns, (n, n))
            self._solver = linear.auto(self._pattern)
        values = np.zeros(self._pattern.nnz, dtype=complex)
        np.add.at(values, self._position, data)
        self._solver.factorize(self._pattern.matrix(values))


def mixed_blocks(device: Device, x: Array, p: dict[str, Any]) -> tuple[list, list]:
    """Blocks of the matrix of the steady state, and of what is multiplied by ``i omega``.

    Unknowns are psi, phin, phip, then the electron and the hole fluxes over ``q vt``; equations are
    Poisson's, the balances of electrons and of holes, then one for each flux. A block is rows,
    columns and values of its entries; entries at the same place add up.
    """
    lay = device.layout
    s = carriers(device, x, p)
    n, m = lay.n, lay.n_s
    weight = lay.volumes * lay.carrier_free / ad.value(s.vt)
    steady = [_block(device.residual(x, **p)[:n])]
    moving, flux_at = [], n + 2 * m
    quantities = zip(
        (-1.0, 1.0), losses(device, s, p), (s.n, s.p), fluxes(device, s, p), strict=True
    )
    for k, (sign, loss, density, flux) in enumerate(quantities):
        row = n + k * m
        steady.append(_block((sign * lay.carrier_free) * loss, row))
        nodes = np.arange(m) + row
        steady.append((nodes, nodes, (1.0 - lay.carrier_free) / ad.value(s.vt)))
        leaving = lay.carrier_divergence.tocoo()
        sums = leaving.data * lay.carrier_free[leaving.row]
        steady.append((leaving.row + row, leaving.col + flux_at, sums))
        conductance = abs(flux.jacobian).max(axis=1).toarray().ravel()
        edges = np.arange(len(conductance)) + flux_at
        steady.append(_block((1.0 / conductance) * flux, flux_at))
        steady.append((edges, edges, -1.0 / conductance))
        moving.append(_block((sign * weight) * density, row))
        flux_at += len(conductance)
    return steady, moving


def _block(y: Array, row: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Entries of the derivative of y, explicit zeros too; none if y does not depend on the seed."""
    if not isinstance(y, ad.ADArray):
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0)
    entries = y.jacobian.tocoo()
    return entries.row + row, entries.col, entries.data


def mixed_side(device: Device, x: np.ndarray, name: list[str], p: dict[str, Any]) -> np.ndarray:
    """Derivative of the equations by a voltage, the balances not divided by densities."""
    lay = device.layout
    s = carriers(device, x, p)
    right = by_parameters(lambda q: device.residual(x, **q), name, p, len(x))[:, 0]
    for where, density, carrier in ((lay.n, s.n, "n"), (lay.n + lay.n_s, s.p, "p")):
        scale = device.scales[carrier]
        rows = slice(where, where + lay.n_s)
        right[rows] *= np.where(scale > 0, density / np.where(scale > 0, scale, 1.0), 1.0)
    return np.concatenate([right, np.zeros(2 * len(lay.carrier_ratio))])


def losses(device: Device, s: Any, p: dict[str, Any]) -> tuple[Array, Array]:
    """Electrons and holes lost at each node, in the volume, at surfaces, into metals, over vt."""
    rate = device.layout.volumes * recombination_rate(device, s, p)
    at_surfaces = surface_rate(device, s, p)
    rate = (rate if at_surfaces is None else rate + at_surfaces) / s.vt
    metal = emission(device, s, p)
    return (rate, rate) if metal is None else (rate + metal[0] * s.n, rate + metal[1] * s.p)


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
