"""Fold curve: the locus of a fold while a second parameter changes.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), ch. 4.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays import Vector
from ...bifurcation import Stability
from ...bifurcation.codimension_two import (
    BOGDANOV_TAKENS,
    CUSP,
    LARGE,
    ON_FOLDS,
    ZERO_HOPF,
    CodimensionTwo,
    frequency_on_axis,
    has_pair_on_axis,
    is_pair_zero,
    oscillation_test,
    pair_test,
)
from ...bifurcation.normal_forms.codimension_two_forms import zero_hopf_form
from ...bifurcation.normal_forms.directional import slopes_along
from ...bifurcation.normal_forms.form_coefficients import (
    bogdanov_takens_form,
    cubic_coefficient,
    fold_coefficient,
)
from ...continuation.columns import Column
from ...continuation.runs.view import View
from ...continuation.stepper import Point
from ...errors import LinearSolveError
from ...results.branch import Branch
from ...results.special_points import SpecialPoint
from ..curves.chosen_point import chosen_point
from ..curves.curve_run import asked_of, at_point, run_curve, start_at_special_point
from ..equations.definition import ProblemDefinition
from ..equations.residual_system import ResidualSystem
from .fold_family import FoldFamily
from .mass_pencil import ROUNDING, MassPencil, sizes_along, two_parameter_view

QUADRATIC = "quadratic"
KINDS = ("fold", "branch point", *ON_FOLDS)


def fold_curve(
    problem: ProblemDefinition,
    branch: Branch,
    name: str,
    bounds: tuple[float, float] | None,
    special: SpecialPoint | int,
    **options: Any,
) -> Branch:
    """Follow a fold of a branch while a second parameter changes; see `Problem.fold_curve`."""
    problem.refuse_null_space("fold_curve")
    fold = chosen_point(branch, special, "fold")
    stability = options["stability"]
    options["stability"] = Stability.of(stability) if problem.storage is None else None
    asked = asked_of(bounds, options, (name, branch.name), (QUADRATIC,), KINDS)
    system, x, start = start_at_special_point(problem, branch, fold, name, asked[1], "fold")
    x = _without_rounding(x, branch.states)
    place = _without_rounding(np.array([fold.parameter]), branch.parameter)
    z, p = np.append(x, place), branch.name
    vector = fold.vector if fold.vector is not None else np.ones(len(x))
    vector = vector * np.sign(vector[int(np.argmax(np.abs(vector)))])
    with problem.lend(system, x) as workspace:
        largest = float(np.abs(branch.parameter).max())
        pencil = MassPencil(problem, system, stability or True, x)
        matrices = pencil.at(x, {p: fold.parameter, name: start})[1:]
        sizes = sizes_along(system, branch, matrices)
        family = FoldFamily(system, workspace, (p, name), z, vector, sizes, largest)
        settings = Stability.or_default(stability)
        detectors = _fold_curve_detectors(_FoldTests(family, pencil, settings), asked[2].detect)
        view = _fold_view((p, name), system)
        origin = at_point(np.append(z, start))
        return run_curve(family, workspace, view, origin, *asked, "folds", detectors=detectors)


def _fold_view(names: tuple[str, str], system: ResidualSystem) -> View:
    """Return the view of a curve of folds: the first parameter moves with the second."""

    def stripped_fold(special: SpecialPoint) -> SpecialPoint:
        found = replace(special, x=special.x[:-1], vector=None, tangent=None, other_tangent=None)
        found.along = {names[0]: float(special.x[-1])}
        return found

    return two_parameter_view(names, system, stripped_fold)


def _without_rounding(values: Vector, along: Vector) -> Vector:
    """Return numbers with zero in place of those that rounding made of zero, along a branch."""
    largest = float(np.abs(along).max(initial=0.0))
    found: Vector = np.where(np.abs(values) <= ROUNDING * largest, 0.0, values)
    return found


class _FoldTests:
    """The test functions along a curve of folds."""

    def __init__(self, family: FoldFamily, pencil: MassPencil, settings: Stability) -> None:
        self._family, self._pencil, self._settings = family, pencil, settings
        self.large = family.n - 1 > LARGE

    def _params(self, z: Vector, q: float) -> dict[str, float]:
        return {self._family.p: float(z[-1]), self._family.q: q}

    def cusp(self, z: Vector, q: float) -> float:
        """Return the coefficient of the fold; NaN where it is not defined."""
        try:
            v, w = self._family.critical(z, q)
            return fold_coefficient(self._pencil.function(self._params(z, q)), z[:-1], v, w)
        except (LinearSolveError, ArithmeticError):
            return float("nan")

    def quadratic(self, point: Point) -> float:
        """Return a of y' = a y^2 at a point; it has no finite value at a Bogdanov-Takens point."""
        known = point.tests.get(CUSP)
        value = self.cusp(point.x, point.p) if known is None else float(known)
        v, w = self._family.critical(point.x, point.p)
        stored = self._stored(point.x, point.p, v, w)
        return -value / stored / float(np.linalg.norm(v)) if stored else float("nan")

    def double_form(self, z: Vector, q: float) -> dict[str, float]:
        """Return the coefficients at a Bogdanov-Takens point; nothing if they are not defined."""
        try:
            form = bogdanov_takens_form(self._pencil.function(self._params(z, q)), z[:-1])
        except (LinearSolveError, ArithmeticError):
            return {}
        return dict(zip("ab", form, strict=True))

    def zero_hopf(self, z: Vector, q: float) -> dict[str, float]:
        """Return the coefficients at a zero-Hopf point; nothing if they are not defined."""
        function = self._pencil.function(self._params(z, q))
        try:
            return zero_hopf_form(function, z[:-1], frequency_on_axis(self.others(z, q)))
        except (LinearSolveError, ArithmeticError):
            return {}

    def cubic(self, z: Vector, q: float) -> dict[str, float]:
        """Return the coefficient of the third order, at a cusp."""
        v, w = self._family.critical(z, q)
        function = self._pencil.function(self._params(z, q))
        _, J, _ = self._pencil.at(z[:-1], self._params(z, q))
        stored = self._stored(z, q, v, w)
        b = cubic_coefficient(J, slopes_along(function, z[:-1], v), v, w)[1]
        return {"c": -b / stored / float(v @ v)} if stored else {}

    def double_zero(self, z: Vector, q: float) -> float:
        """Return w C v, which vanishes where zero is a double eigenvalue."""
        return self._stored(z, q, *self._family.critical(z, q))

    def _stored(self, z: Vector, q: float, v: Vector, w: Vector) -> float:
        _, _, C = self._pencil.at(z[:-1], self._params(z, q))
        return float(w @ (C @ v))

    def others(self, z: Vector, q: float) -> Vector:
        """Return the eigenvalues without that which is zero; of large systems the leading ones."""
        return self._pencil.others(z[:-1], self._params(z, q), self._settings, (0.0,))


def _fold_curve_detectors(tests: _FoldTests, wanted: tuple[str, ...]) -> list[CodimensionTwo]:
    found = list[CodimensionTwo]()
    pairs, on_axis = (
        (oscillation_test, is_pair_zero) if tests.large else (pair_test, has_pair_on_axis)
    )
    if CUSP in wanted:
        columns = (Column(QUADRATIC, tests.quadratic),)
        found.append(CodimensionTwo(CUSP, tests.cusp, None, tests.cubic, columns))
    if BOGDANOV_TAKENS in wanted:
        found.append(CodimensionTwo(BOGDANOV_TAKENS, tests.double_zero, None, tests.double_form))
    if ZERO_HOPF in wanted:
        found.append(
            CodimensionTwo(
                ZERO_HOPF,
                lambda z, q: pairs(tests.others(z, q)),
                lambda z, q: on_axis(tests.others(z, q)),
                tests.zero_hopf,
            )
        )
    return found
