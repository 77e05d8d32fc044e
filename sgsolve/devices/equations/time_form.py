"""The equations of a device in time.

The unknowns are psi and the densities of both carriers. What is stored is linear in them. A
density may fall by many decades within a time step, such as in a junction that is emptied. That is
one step of Newton's method; the logarithm of the density would take one for each factor of e. The
balances are those of the carriers, not divided by densities, to conserve what is stored::

    sum D_ij = q (p_i - n_i + N_i) V_i
    sum Jn_ij - q U_i V_i - q V_i dn_i/dt = 0
    sum Jp_ij + q U_i V_i + q V_i dp_i/dt = 0

Impact ionization multiplies the fluxes. Next to a heavily doped layer, drift and diffusion of the
majority cancel, and rounding errors of their difference would make pairs. With ionization the
fluxes on the edges are therefore unknowns too, at the end, as in the steady state (`kept_fluxes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ... import ad
from ...errors import InputError
from ...problem import Problem
from ..models.carrier_statistics import chemical_potential, has_factor
from ..models.heat import contact_parameters, heat_left, heat_scale, local_parameters, stored_heat
from ..models.interfaces import row_weight
from ..models.ions import ion_balances, ion_blocks, ion_weights, split_densities
from ..models.trap_levels import level_blocks, level_captures
from .boundaries.boundary import fixed_densities, fixed_potentials
from .carriers import Carriers, after_fluxes, carriers, log_factors
from .contact_surfaces import ContactSurfaces, Crossing, Pair
from .potential_form import Equations
from .time_tolerances import time_tolerances
from .transport.conduction import conduction, fluxes
from .transport.heat_sources import heat_made
from .transport.ionization import ionized
from .transport.terminal import losses

Array = Any
RATE = 1e6  # 1/s, about that of the filling of traps
LEAST = 1e-100  # cm^-3, of a density whose logarithm is taken
EMPTIEST = -575.0  # logarithm of 1e-250 cm^-3, the lowest density that a row is divided by


class TimeForm:
    """A device's equations in time.

    Parameters
    ----------
    device : Equations
        Without charged traps: their occupation would need equations of its own.
    x : ndarray
        A state (psi, phin, phip) from which the surfaces between the contacts are found: across
        edges that conduct little, where rounding takes the fewest digits of a current.
    p : mapping
        All parameters of that state.

    Attributes
    ----------
    problem : Problem
        For psi (V) at all nodes, then n and p (cm^-3) at the semiconductor's, with its storage;
        with heat the rise of the temperature at all nodes, k (T_i - T) / q in V. Then the ions'
        densities, the filled fractions of trap levels, and with impact ionization both fluxes.

    Raises
    ------
    InputError
        If the device has traps that hold charge, or heat without a capacity.

    See Also
    --------
    Device.transient : Waveforms at the contacts.

    Examples
    --------
    Current into a bar under a voltage that does not change; its displacement part vanishes:

    >>> import numpy as np
    >>> from sgsolve.devices import Device, Ohmic, TimeForm, interval
    >>> bar = Device(interval(np.linspace(0, 1e-3, 51)), np.full(51, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> x, p = bar.solve(V_a=1.0).x, bar.parameters | {"V_a": 1.0}
    >>> form = TimeForm(bar, x, p)
    >>> conducted, displaced = form.current("a")
    >>> round(float(conducted(form.unknowns(x, p), **p)), 1)
    160.2
    """

    def __init__(self, device: Equations, x: np.ndarray, p: Mapping[str, Any]) -> None:
        if device.traps:
            raise InputError(
                "traps: functions give their charge in the steady state only, and their "
                "occupation takes time; give `trap_levels` for transients"
            )
        if device.heat is not None and device.heat.capacity is None:
            raise InputError(
                "heat: transients need its capacity, such as capacity=1.63 in J/(cm^3 K)"
            )
        self.device, lay = device, device.layout
        self._surfaces = ContactSurfaces(device, x, p)
        self._scale = [_row_scale(device, name) for name in "np"]
        self._psi, self._n, self._p = list(device.blocks().values())[:3]
        begin = self._p.stop if device.heat is None else self._p.stop + lay.n
        self._heat = slice(self._p.stop, begin)
        self.blocks = {"psi": self._psi, "n": self._n, "p": self._p} | ion_blocks(device, begin)
        if device.heat is not None:
            self.blocks["heat"], self._heat_scale = self._heat, heat_scale(device)
        self._ions = slice(begin, max(part.stop for part in self.blocks.values()))
        self._filled = level_blocks(device, self._ions.stop)
        self.blocks |= self._filled
        self._end = max(part.stop for part in self.blocks.values())
        if device.ionization is not None:
            middle, edges = self._end + len(lay.carrier_ratio), len(lay.carrier_ratio)
            self.blocks |= {"jn": slice(self._end, middle), "jp": slice(middle, middle + edges)}
            self._flux_scale = np.concatenate([_flux_scale(device, name) for name in "np"])
        self._nothing = np.zeros(lay.n)
        self.problem = Problem(
            self.residual,
            params=device.parameters,
            blocks=self.blocks,
            storage=self.stored,
            backend=device.backend,
        )

    def unknowns(self, x: np.ndarray, p: Mapping[str, Any]) -> np.ndarray:
        """Return the unknowns of this form at a state (psi, phin, phip)."""
        given = local_parameters(self.device, x, p)
        s = carriers(self.device, x, given)
        first, rest = self.device.layout.first, x[after_fluxes(self.device, x) :]
        if len(rest) == self._end - self._ions.start:  # of an earlier run
            filled = [rest[self._ions.stop - self._ions.start :]]
        else:
            filled = [level.steady(s, given) for level in self.device.trap_levels.values()]
        kept = [] if self.device.ionization is None else fluxes(self.device, s, given)
        return np.concatenate(
            [x[self._psi], first(s.n), first(s.p), x[self._heat], *s.ions, *filled, *kept]
        )

    def state(self, y: Array, p: Mapping[str, Any]) -> Array:
        """Return a device's state in time: as in the steady state, then the filled fractions.

        The ions have their densities instead of their levels.
        """
        found = [self.potentials(y, p, True)]
        if self.device.keeps_fluxes:
            s, local = self._carriers(y, p)
            found += fluxes(self.device, s, local) if s.kept else self._fluxes(s, y, local)
        return ad.hstack([*found, y[self._ions.start : self._end]])

    def potentials(self, y: Array, p: Mapping[str, Any], of_size: bool = False) -> Array:
        """Return psi, phin and phip of unknowns of this form, and with heat the temperatures, V.

        Rounding and errors within the tolerance leave negative densities where there is hardly any
        carrier. The level of one is that of almost none, or if `of_size` that of its magnitude.
        """
        device, lay = self.device, self.device.layout
        vt = device.constants.k / device.constants.q * p["T"]
        if device.heat is not None:
            p, vt = local_parameters(device, y, p), vt + y[self._heat][lay.nodes]
        log_n, log_p = (_density_logarithm(y[part], of_size) for part in (self._n, self._p))
        if not has_factor(device.statistics):
            factor_n, factor_p = (lay.first(factor) for factor in log_factors(p, vt))
            eta_n, eta_p = log_n - factor_n, log_p - factor_p
        else:
            Nc, Nv, Ec, Ev = (lay.first(p[name]) for name in ("Nc", "Nv", "Ec", "Ev"))
            eta_n = chemical_potential(device.statistics, log_n - np.log(Nc)) + Ec / vt
            eta_p = chemical_potential(device.statistics, log_p - np.log(Nv)) - Ev / vt
        psi = y[self._psi]
        inside = psi if lay.n == lay.n_s else psi[lay.nodes]
        return ad.hstack([psi, inside - vt * eta_n, inside + vt * eta_p, y[self._heat]])

    def tolerances(self, rtol: float) -> dict[str, Any]:
        """Return the absolute tolerances of a run in time, as for the device alone.

        Parameters
        ----------
        rtol : float
            The relative tolerance of the run.

        Returns
        -------
        dict
            A number or an array to each block, in the units of its unknowns, for ``atol=`` of
            ``Problem.transient``. Fluxes follow from the densities: theirs is so large that it
            limits no step.
        """
        return time_tolerances(self.device, rtol)

    def residual(self, y: Array, /, **p: Any) -> Array:
        """Balance of charge, of electrons and of holes, these in units of the potentials' own."""
        device, lay = self.device, self.device.layout
        given = contact_parameters(device, p)
        s, local = self._carriers(y, given)
        p = dict(local)
        if device.trap_levels:
            s = replace(s, filled=[y[part] for part in self._filled.values()])
        demanded = fixed_potentials(device, given, s.vt)
        moving = self._moving(s, y, given)
        (jn, jp), (lost_n, lost_p) = s.kept or self._fluxes(moving, y, p), losses(device, s, p)
        if device.ionization is not None:
            made = ionized(device, s, (jn, jp), p)
            lost_n, lost_p = lost_n - made, lost_p - made
        n = lay.n
        balance_n = self._scale[0] * (lay.carrier_divergence @ jn - lay.at_rows(lost_n))
        balance_p = self._scale[1] * (lay.carrier_divergence @ jp + lay.at_rows(lost_p))
        held_n, held_p = self._held(y, fixed_densities(device, demanded, given, s.vt))
        n_all, p_all = self._densities(s, y)
        charged = replace(s, n=n_all, p=p_all)
        charge = device.charge_balance(charged, p) + lay.fixed[:n] * s.u - demanded[:n]
        rows = [charge, balance_n + held_n, balance_p + held_p, *ion_balances(device, s)]
        if device.heat is not None:
            left = heat_left(device, s, heat_made(device, moving, (jn, jp), p), p)
            rows.append(self._heat_scale * left + (1.0 - lay.heat_free) * (y[self._heat] / s.vt))
        if s.filled is not None:
            filling = level_captures(device, s, s.filled, p)[2]
            pairs = zip(device.trap_levels.values(), filling, strict=True)
            rows += [-1.0 * part / (level.amount(p) * RATE) for level, part in pairs]
        if s.kept is not None:
            found = ad.hstack(self._fluxes(moving, y, p))
            rows.append((found - ad.hstack(s.kept)) * self._flux_scale)
        return ad.hstack(rows)

    def _carriers(self, y: Array, p: Mapping[str, Any]) -> tuple[Carriers, Mapping[str, Any]]:
        """The state, and all parameters at its temperatures."""
        p = local_parameters(self.device, y, p)
        s = carriers(self.device, self.potentials(y, p), p)
        if self.device.ions:
            s = replace(s, ions=split_densities(self.device, y[self._ions]))
        if "jn" in self.blocks:
            s = replace(s, kept=(y[self.blocks["jn"]], y[self.blocks["jp"]]))
        return s, p

    def _moving(self, s: Carriers, y: Array, p: Mapping[str, Any]) -> Carriers:
        """The state whose levels drive currents between temperatures, and make heat.

        A density that changes its sign within the tolerance would change its level by hundreds of
        kT/q, and with it heat and temperature. Its magnitude changes little. What is lost to
        recombination has the sign of the density, and takes the other levels.
        """
        densities = ad.value(y)[self._n.start : self._p.stop]
        if self.device.heat is None or not (densities < 0.0).any():
            return s
        p = local_parameters(self.device, y, p)
        found = carriers(self.device, self.potentials(y, p, True), p)
        return replace(found, ions=s.ions, kept=s.kept, filled=s.filled)

    def _held(self, y: Array, given: tuple[np.ndarray, Array, Array]) -> list[Array]:
        """Both densities less those that contacts fix, relative to them; 0 at all other nodes.

        Not by their logarithms: those of a minority far below the tolerance would take many steps
        of Newton's method, and have no slope where rounding makes the density negative.
        """
        m, (nodes, *logarithms), rows = self.device.layout.n_s, given, []
        for part, log in zip((self._n, self._p), logarithms, strict=True):
            unit = np.maximum(ad.value(log), EMPTIEST)
            row = y[part][nodes] * np.exp(-unit) - np.exp(log - unit)
            rows.append(ad.sparsesum([ad.sparsevec(m, nodes, row)]))
        return rows

    def _fluxes(self, s: Carriers, y: Array, p: Mapping[str, Any]) -> tuple[Array, Array]:
        """Return both currents on the edges over ``q vt``; they are linear in the densities."""
        a, b = self.device.layout.carrier_a, self.device.layout.carrier_b
        (weight_n, drift_n, _), (weight_p, drift_p, _) = conduction(self.device, s, p)
        n, h = self._densities(s, y)
        jn = weight_n * (n[b] * drift_n.back - n[a] * drift_n.ahead)
        jp = weight_p * (h[a] * drift_p.back - h[b] * drift_p.ahead)
        return jn, jp

    def stored(self, y: Array, /, **p: Any) -> Array:
        """Return what each equation stores: carriers, ions, heat; nothing in Poisson's equation."""
        device, lay = self.device, self.device.layout
        vt = device.constants.k / device.constants.q * p["T"]
        weight_n, weight_p = (lay.at_pairs(scale) * lay.volumes / vt for scale in self._scale)
        ions = ion_weights(device, vt) * y[self._ions]
        if lay.pairs == lay.n_s:
            n, h = y[self._n], y[self._p]
        else:
            n, h = self._densities(self._carriers(y, p)[0], y)
        held = [lay.at_rows(part) for part in (-weight_n * n, weight_p * h)]
        if device.heat is not None:
            held.append(self._heat_scale * stored_heat(device, y[self._heat], p))
        held += [ions, y[self._ions.stop : self._end] / RATE]
        if device.ionization is not None:
            held.append(np.zeros(2 * len(lay.carrier_ratio)))
        return ad.hstack([self._nothing, *held])

    def _densities(self, s: Carriers, y: Array) -> tuple[Array, Array]:
        """Return both densities at the pairs, from those at the first pairs and given ratios."""
        lay, (n, h) = self.device.layout, (y[self._n], y[self._p])
        if lay.pairs == lay.n_s:
            return n, h
        ratio_n, ratio_p = (np.exp(log - log[: lay.n_s][lay.row]) for log in (s.log_n, s.log_p))
        return n[lay.row] * ratio_n, h[lay.row] * ratio_p

    def current(self, name: str) -> Pair:
        """Return the current into the device at a contact as a pair (g, h), meaning g + dh/dt.

        Both are functions of this form's unknowns and of all parameters; currents in A, charges in
        C (times cm^(dim - 3)). The charge is the dielectric flux across the same surface.
        """
        return self._surfaces.current(name, self._crossing)

    def _crossing(self, y: Array, p: Mapping[str, Any]) -> Crossing:
        """Return the carriers, and both currents on the edges over ``q vt``."""
        s, local = self._carriers(y, p)
        return s, s.kept or self._fluxes(self._moving(s, y, p), y, local)


def _density_logarithm(density: Array, of_size: bool) -> Array:
    """Logarithm; of what is negative by rounding that of almost nothing, or of its magnitude."""
    if of_size:
        density = np.abs(density)
    few = ad.value(density) < LEAST
    return np.log(ad.where(few, LEAST, density) if few.any() else density)


def _row_scale(device: Equations, carrier: str) -> np.ndarray:
    """One over what couples each node to its neighbors at the highest doping; 0 where fixed."""
    lay, p = device.layout, device.parameters
    total = abs(lay.carrier_divergence) @ np.abs(row_weight(device, carrier))
    density = max(float(np.abs(p["doping"]).max()), 1.0)
    return np.asarray(lay.carrier_free / (np.where(total > 0.0, total, 1.0) * density))


def _flux_scale(device: Equations, carrier: str) -> np.ndarray:
    """One over what an edge carries at the highest doping."""
    density = max(float(np.abs(device.parameters["doping"]).max()), 1.0)
    return np.asarray(1.0 / (np.abs(row_weight(device, carrier)) * density))
