"""The equations of a device: the balances of charge, of electrons and of holes, as a residual.

For every free node i with volume V_i, sums over its edges, currents positive outwards::

    sum D_ij  =  q (p_i - n_i + N_i) V_i          D_ab  = eps (psi_a - psi_b) couple / length
    sum Jn_ij =  q U_i V_i                        n = Nc F((psi - phin - Ec) q/kT)
    sum Jp_ij = -q U_i V_i                        p = Nv F((Ev + phip - psi) q/kT)

References: S. Selberherr, Analysis and Simulation of Semiconductor Devices (1984); P. Farrell et
al., Drift-diffusion models, WIAS Preprint 2263 (2016).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ... import ad
from ...ad.functions.linear_algebra.products import sparse_product
from ...problem import Problem
from ..models.heat import contact_parameters, heat_balance, local_parameters
from ..models.interfaces import sheet_charge
from ..models.ions import conservation
from .balances import continuity
from .boundaries.boundary import fixed_potentials, gate_flux
from .carriers import Carriers, carriers
from .model import DeviceModel
from .transport.conduction import fluxes
from .transport.heat_sources import heat_made
from .transport.source_terms import space_charge

# Not an identifier, as all names of parameters of models are: no model can ask for it.
QUASI = "quasi-Fermi potentials"

Array = Any


class Equations(DeviceModel):
    """The residual of a device, and the problems that are made of it.

    Attributes
    ----------
    problem : Problem
        For psi at all nodes, then phin and phip at the semiconductor's, V.
    compiled : bool
        Whether they are evaluated by compiled kernels.
    backend : str or object
        That of all linear systems.
    diagonal : ndarray
        1 in the rows of fixed potentials, plus the firmness.
    forms : dict
        Other forms of the same equations that were made once, see `kept_fluxes.form_of`.
    """

    problem: Problem
    compiled: bool
    backend: Any
    diagonal: np.ndarray
    forms: dict[str, Any]

    @cached_property
    def poisson_problem(self) -> Problem:
        """Poisson's equation alone; ``"quasi-Fermi potentials"`` are a parameter."""

        def residual(u: Any, /, **p: Any) -> Any:
            return self.poisson(ad.hstack([u, p.pop(QUASI)]), **p)

        params = {**self.parameters, QUASI: np.zeros(2 * self.layout.n_s)}
        return Problem(residual, params=params, scale=self.thermal_voltage, backend=self.backend)

    @cached_property
    def electrostatic_problem(self) -> Problem:
        """Poisson's equation with the ions at their numbers: psi, then the levels of the ions.

        The parameter ``"quasi-Fermi potentials"`` holds phin and phip.
        """
        if not self.ions:
            return self.poisson_problem
        n = self.layout.n

        def residual(y: Any, /, **p: Any) -> Any:
            quasi, given = p.pop(QUASI), contact_parameters(self, self.parameters | p)
            s = carriers(self, ad.hstack([y[:n], quasi, y[n:]]), given)
            return ad.hstack([self.charge_row(s, given), conservation(self, s.ions)])

        params = {**self.parameters, QUASI: np.zeros(2 * self.layout.n_s)}
        return Problem(residual, params=params, scale=self.thermal_voltage, backend=self.backend)

    def blocks(self) -> dict[str, slice]:
        """Where the three kinds of unknowns are."""
        n, m = self.layout.n, self.layout.n_s
        found = {"psi": slice(0, n), "phin": slice(n, n + m), "phip": slice(n + m, n + 2 * m)}
        if self.heat is not None:
            found["heat"] = slice(n + 2 * m, 2 * n + 2 * m)
        if self.ions:
            found["level"] = slice(n + 2 * m, n + 2 * m + len(self.ions))
        return found

    def residual(self, x: Array, /, **p: Any) -> Array:
        """Balance of charge at all nodes, of electrons and of holes at the semiconductor's.

        Parameters
        ----------
        x : Array, shape (n + 2 n_s,)
            psi, phin and phip, V, one block after the other.
        **p
            All parameters by name.
        """
        given = contact_parameters(self, self.parameters | p)
        p = dict(local_parameters(self, x, given))
        s = carriers(self, x, p)
        balances, size = (
            ad.hstack([self.charge_balance(s, p), *continuity(self, s, p)]),
            len(self.diagonal),
        )
        y = s.y if not self.ions and self.heat is None else s.y[:size]
        # Rows of fixed potentials are empty so far. The firmness adds nothing to the value.
        here = self.firmness * ad.value(y)
        balances = balances + (y * self.diagonal - (fixed_potentials(self, given, s.vt) + here))
        if self.heat is not None:
            made = heat_made(self, s, fluxes(self, s, p), p)
            return ad.hstack([balances, heat_balance(self, s, made, p)])
        if not self.ions:
            return balances
        return ad.hstack([balances, conservation(self, s.ions)])

    def poisson(self, x: Array, /, **p: Any) -> Array:
        """Balance of charge alone: the first n rows of `residual`."""
        given = contact_parameters(self, self.parameters | p)
        return self.charge_row(carriers(self, x, given), given)

    def charge_row(self, s: Carriers, p: Mapping[str, Any]) -> Array:
        """Return the rows of Poisson's equation at given carriers."""
        n = self.layout.n
        fixed = self.layout.fixed[:n] * s.u - fixed_potentials(self, p, s.vt)[:n]
        return self.charge_balance(s, p) + fixed

    def charge_balance(self, s: Carriers, p: Mapping[str, Any]) -> Array:
        """Balance of charge of a state, 0 at fixed potentials."""
        lay, (divergence, scale) = self.layout, self.poisson_rows
        eps = lay.permittivity(p["eps_r"]) * lay.ratio
        flux = s.du * (eps * (self.constants.eps0 * s.vt))
        charge = space_charge(self, s, p) * (self.constants.q * lay.volumes * scale[lay.inside])
        if not lay.everywhere:
            charge = lay.place_semiconductor @ charge
        balance = sparse_product(divergence, flux) - charge
        sheets = sheet_charge(self, p)
        if sheets is not None:
            balance = balance - (self.constants.q * scale) * sheets
        gates = gate_flux(self, s, p)
        return balance if gates is None else balance + scale * gates
