"""Hopf curve: the locus of a Hopf point while a second parameter changes.

Reference: Y. A. Kuznetsov, Elements of Applied Bifurcation Theory (2004), chapter 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ...arrays import Vector
from ...bifurcation import Stability
from ...bifurcation.codimension_two import (
    BOGDANOV_TAKENS,
    DOUBLE_HOPF,
    GENERALIZED_HOPF,
    LARGE,
    ON_HOPF_POINTS,
    ZERO_HOPF,
    CodimensionTwo,
    frequency_on_axis,
    has_pair_on_axis,
    is_pair_zero,
    is_real_zero,
    oscillation_test,
    pair_test,
    pencil_eigenvalues,
    real_test,
)
from ...bifurcation.normal_forms.codimension_two_forms import (
    double_hopf_form,
    second_lyapunov,
    zero_hopf_form,
)
from ...bifurcation.normal_forms.form_coefficients import (
    bogdanov_takens_form,
    hopf_form,
    null_vectors,
)
from ...continuation.columns import Column
from ...continuation.runs.view import View
from ...continuation.stepper import Point
from ...errors import InputError, LinearSolveError
from ...results.branch import Branch
from ...results.special_points import SpecialPoint
from ..curves.chosen_point import chosen_point
from ..curves.curve_run import asked_of, at_point, run_curve, start_at_special_point
from ..equations.definition import ProblemDefinition
from ..equations.residual_system import ResidualSystem
from .hopf_family import HopfFamily
from .mass_pencil import MassPencil, sizes_along, two_parameter_view

KINDS = ("fold", *ON_HOPF_POINTS)
PHASE = 0.7  # of the critical vector at the start


def hopf_curve(
    problem: ProblemDefinition,
    branch: Branch,
    name: str,
    bounds: tuple[float, float] | None,
    special: SpecialPoint | int,
    stability: Any,
    **options: Any,
) -> Branch:
    """Follow a Hopf point while a second parameter changes; see `Problem.hopf_curve`."""
    problem.refuse_null_space("hopf_curve")
    point, p = chosen_point(branch, special, "hopf"), branch.name
    asked = asked_of(bounds, {**options, "stability": None}, (name, p), ("frequency", "l1"), KINDS)
    system, x, q = start_at_special_point(problem, branch, point, name, asked[1], "Hopf point")
    pencil = MassPencil(problem, system, stability, x)
    params = {p: point.parameter, name: q}
    sizes = sizes_along(system, branch, pencil.at(x, params)[1:])
    y = _hopf_start(pencil, x, point, params, sizes)
    largest = float(np.abs(branch.parameter).max()), abs(q)
    family = HopfFamily(system, pencil, (p, name), y, sizes, largest)
    detectors = _hopf_curve_detectors(family, asked[2].detect, Stability.or_default(stability))
    with problem.workspaces.lend() as workspace:
        view = _view((p, name), system)
        origin = at_point(np.append(y, q))
        return run_curve(
            family, workspace, view, origin, *asked, "hopf points", detectors=detectors
        )


def _hopf_start(
    pencil: MassPencil, x: Vector, point: SpecialPoint, params: dict[str, float], sizes: Vector
) -> Vector:
    """Return the unknowns of the Hopf point of a branch."""
    _, J, C = pencil.at(x, params)
    omega = abs(point.frequency)
    values = pencil_eigenvalues(J, C) if len(x) <= LARGE else np.array([1j * omega])
    nearest = values[int(np.argmin(np.abs(values - 1j * omega)))]
    if not abs(nearest - 1j * omega) <= 1e-3 * omega:
        raise InputError(
            f"{point}: with this mass matrix no pair of eigenvalues is on the imaginary axis; pass "
            "the same stability= as to the branch"
        )
    omega = float(nearest.imag)
    if not 0.0 < omega * omega < np.inf:
        raise InputError(
            f"{point}: the square of its frequency overflows; take other units of time"
        )
    q, _ = null_vectors(J, C, omega)
    # no special phase: the real part must not be across the null vector of a Bogdanov-Takens point
    parts = q / sizes
    q = q * np.exp(1j * (PHASE - 0.5 * np.angle(parts @ parts)))
    q = q / np.linalg.norm((q / sizes).real)
    return np.concatenate([x, q.real, q.imag / omega, [omega**2, params[next(iter(params))]]])


def _view(names: tuple[str, str], system: ResidualSystem) -> View:
    n = system.n

    def stripped(special: SpecialPoint) -> SpecialPoint:
        y = special.x
        found = replace(special, x=y[:n], vector=None, tangent=None, other_tangent=None)
        found.along = {names[0]: float(y[-1])}
        if found.kind != BOGDANOV_TAKENS:
            found.frequency = float(np.sqrt(max(float(y[-2]), 0.0)))
        return found

    return two_parameter_view(names, system, stripped)


class _Tests:
    """The test functions along a curve of Hopf points."""

    def __init__(self, family: HopfFamily, settings: Stability) -> None:
        self._family, self._settings = family, settings

    def kappa(self, y: Vector, q: float) -> float:
        """Return the square of the frequency: zero at a Bogdanov-Takens point."""
        return self._family.split(y)[3]

    def omega(self, point: Point) -> float:
        """Return the frequency of a point."""
        return float(np.sqrt(max(self.kappa(point.x, point.p), 0.0)))

    def c1(self, y: Vector, q: float) -> float:
        """Return the real part of c1; NaN where the normal form is not defined."""
        x, u, w, kappa, _ = self._family.split(y)
        if kappa <= 0.0:
            return float("nan")
        omega = float(np.sqrt(kappa))
        pencil = self._family.pencil.function(self._family.params(y, q))
        try:
            return float(hopf_form(pencil, x, omega, u + 1j * omega * w).c1.real)
        except (LinearSolveError, ArithmeticError):
            return float("nan")

    def l1(self, point: Point) -> float:
        """Return the first Lyapunov coefficient of a point."""
        omega = self.omega(point)
        c1 = point.tests.get(GENERALIZED_HOPF)
        value = self.c1(point.x, point.p) if c1 is None else float(c1)
        return value / omega if omega else float("nan")

    def form(self, kind: str, y: Vector, q: float) -> dict[str, float]:
        """Return the coefficients of the normal form; nothing if they are not defined."""
        x, u, w, kappa, _ = self._family.split(y)
        pencil = self._family.pencil.function(self._family.params(y, q))
        omega = float(np.sqrt(max(kappa, 0.0)))
        try:
            if kind == BOGDANOV_TAKENS:
                return dict(zip("ab", bogdanov_takens_form(pencil, x), strict=True))
            if kind == GENERALIZED_HOPF:
                return second_lyapunov(pencil, x, omega, u + 1j * omega * w)
            if kind == ZERO_HOPF:
                return zero_hopf_form(pencil, x, omega)
            return double_hopf_form(pencil, x, (omega, frequency_on_axis(self.others(y, q))))
        except (LinearSolveError, ArithmeticError):
            return {}

    def others(self, y: Vector, q: float) -> Vector:
        """Return the eigenvalues without the critical pair; of large systems the leading ones."""
        x, _, _, kappa, _ = self._family.split(y)
        critical, family = complex(np.emath.sqrt(-kappa)), self._family
        return family.pencil.others(x, family.params(y, q), self._settings, (critical, -critical))


def _hopf_curve_detectors(
    family: HopfFamily, wanted: tuple[str, ...], settings: Stability
) -> list[CodimensionTwo]:
    tests = _Tests(family, settings)
    columns = (Column("frequency", tests.omega), Column("l1", tests.l1))

    def detector(kind: str, test: Any, proof: Any = None, columns: Any = ()) -> CodimensionTwo:
        return CodimensionTwo(kind, test, proof, partial(tests.form, kind), columns)

    found = [detector(GENERALIZED_HOPF, tests.c1, columns=columns)]
    if BOGDANOV_TAKENS in wanted:
        found.append(detector(BOGDANOV_TAKENS, tests.kappa))
    large = family.size > LARGE
    pairs, on_axis = (oscillation_test, is_pair_zero) if large else (pair_test, has_pair_on_axis)

    def of(function: Callable[[Vector], Any]) -> Callable[[Vector, float], Any]:
        return lambda y, q: function(tests.others(y, q))

    if ZERO_HOPF in wanted:
        found.append(detector(ZERO_HOPF, of(real_test), of(is_real_zero) if large else None))
    if DOUBLE_HOPF in wanted:
        found.append(detector(DOUBLE_HOPF, of(pairs), of(on_axis)))
    return found
