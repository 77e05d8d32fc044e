"""J and C of the equations in time for each state and value of two parameters, and their view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...arrays import Vector
from ...bifurcation import Stability
from ...bifurcation.codimension_two import LARGE, leading_eigenvalues, pencil_eigenvalues, without
from ...bifurcation.normal_forms.directional import Pencil
from ...bifurcation.spectra.balance import Balance
from ...continuation.runs.view import View
from ...errors import InputError
from ...pattern import Pattern
from ...results.branch import Branch
from ...results.special_points import SpecialPoint
from ..equations.definition import ProblemDefinition
from ..equations.residual_system import ResidualSystem
from ..equations.storage import Storage

ROUNDING = 1e-12  # part of the largest value on a branch up to which a number is zero


class MassPencil:
    """J = dF/dx and C in F + C dx/dt = 0.

    C is dQ/dx of the storage; without one it is -M of the settings, in M dx/dt = F, where M is the
    identity by default.

    Parameters
    ----------
    system : ResidualSystem
        Prepared.
    stability : Stability or True
    """

    def __init__(
        self, problem: ProblemDefinition, system: ResidualSystem, stability: Any, x: Vector
    ) -> None:
        self._system, self._storage, self._constant = system, None, None
        if stability is True and problem.storage is not None:
            self._storage = problem.storage
            self._pattern = Storage(self._storage, system).pattern(x)
            return
        settings = Stability.of(stability)
        if not isinstance(settings, Stability) or callable(settings.mass):
            raise InputError(
                f"stability must be True or a Stability() with a constant mass, not {stability!r}"
            )
        self._constant = sp.csr_array(-settings.matrix(system.n))
        self._pattern = Pattern.of(self._constant)

    @property
    def pattern(self) -> Pattern:
        """Where J or C may have entries."""
        return self._system.pattern.union(self._pattern)

    def at(self, x: Vector, params: Mapping[str, float]) -> tuple[Vector, Any, Any]:
        """Return F, J and C; `ArithmeticError` where the model ends."""
        system = self._system.at(params)
        with np.errstate(all="ignore"):
            F, J = system.linearize(x)
            if self._constant is not None:
                return F, J, self._constant
            return F, J, Storage(self._storage, system).matrix(x)

    def function(self, params: Mapping[str, float]) -> Pencil:
        """Return ``pencil(x)`` -> J and C; None where they are not finite."""

        def pencil(x: Vector) -> tuple[Any, Any] | None:
            try:
                _, J, C = self.at(x, params)
            except ArithmeticError:
                return None
            finite = np.isfinite(J.data).all() and np.isfinite(C.data).all()
            return (J, C) if finite else None

        return pencil

    def others(
        self,
        x: Vector,
        params: Mapping[str, float],
        settings: Stability,
        critical: tuple[complex, ...],
    ) -> Vector:
        """Return the eigenvalues without the critical ones; of large systems the leading ones."""
        _, J, C = self.at(x, params)
        if len(x) > LARGE:
            values = leading_eigenvalues(J, C, settings.shifts, settings.count, critical[0])
        else:
            values = pencil_eigenvalues(J, C)
        return without(values, critical)


def sizes_along(system: ResidualSystem, branch: Branch, matrices: tuple[Any, Any]) -> Vector:
    """Return the size of each unknown: the user's, or the largest of its block on a branch.

    Blocks that are zero all along it, but for rounding, are measured by the units that J and C
    show.
    """
    if system.scale is not None:
        return system.scale
    largest = system.blocks.norms(np.abs(branch.states).max(axis=0))
    units = Balance.of(*matrices).columns
    sizes = system.blocks.spread(largest, 1.0) / units
    known = sizes > ROUNDING * sizes.max()
    usual = float(np.median(sizes[known])) if known.any() else 1.0
    found: Vector = units * np.where(known, sizes, usual)
    return found


def two_parameter_view(
    names: tuple[str, str], system: ResidualSystem, special: Callable[[SpecialPoint], SpecialPoint]
) -> View:
    """Return the view of a curve whose unknowns are x, others, and the first parameter."""
    (p, q), n = names, system.n
    return View(
        names=(q, p),
        params=system.params,
        blocks=system.blocks,
        moved=lambda y, value: {q: value, p: float(y[-1])},
        state=lambda y: y[:n],
        special=special,
        place=lambda value: f"{q} = {value:.10g}",
    )
