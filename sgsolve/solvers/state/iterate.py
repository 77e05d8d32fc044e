"""`Iterate`: the current point of a solver, with everything that changes during the solve.

The parts of a solver hold settings only, so that a solver can be printed, reused and shared.
"""

from __future__ import annotations

import math
from time import perf_counter
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError
from ...norms import is_finite, norm2
from ...pattern import matrix_product
from ...results.history import History, Step
from ..limits import Limit
from .counted_system import CountedSystem
from .deadline import Deadline
from .origin import Origin
from .scaling import Scaling, probed
from .system import System
from .workspace import Workspace

PROBES = 4


class Iterate:
    """The current point of a solve.

    Attributes
    ----------
    x, F : ndarray, shape (n,)
        The point and its residual.
    J : csr_array or None
        The Jacobian last evaluated; ``fresh`` says whether at this x.
    magnitudes : csr_array
        ``|J|``, of the Jacobian last evaluated.
    S : ndarray, shape (n,)
        Term size of every equation, from the Jacobian last evaluated.
    weights : ndarray, shape (n,)
        Size of every unknown.
    dx : ndarray, shape (n,)
        The full step after all limits; ``limited`` says whether one acted on ``proposed``, the
        step of the direction.
    phi : float
        Euclidean norm of F / S.
    system : System
        The equations.
    workspace : Workspace
        The linear solver.
    limits : tuple of Limit
        The step limiters.
    deadline : float
        Time at which the solve must end, s.
    origin : Origin or None
        Where the solve began; None while that is this point.
    memory : dict
        State of the parts between iterations, each under its own key.

    See Also
    --------
    NewtonMethod : Its ``callback`` gets it.

    Examples
    --------
    >>> from sgsolve import Problem, solvers
    >>> found = []
    >>> problem = Problem(lambda x: x**2 - 4.0)
    >>> result = problem.solve([1.0], solvers.Newton(), callback=lambda it: found.append(it.phi))
    >>> found[-1] < 1e-9
    True
    """

    def __init__(
        self,
        system: System,
        workspace: Workspace,
        x: Vector,
        F: Vector,
        limits: tuple[Limit, ...] = (),
        deadline: Deadline = math.inf,
        origin: Origin | None = None,
    ) -> None:
        self.system, self.workspace, self.limits, self.origin = system, workspace, limits, origin
        self.counted, self.blocks = CountedSystem(system, workspace, deadline), system.blocks
        self.x, self.F = x, F
        self.x_old = x
        self.moved: tuple[Vector, Vector] | None = None  # the start and its F, if it was moved
        self.J: Any = None
        self.scaling = Scaling(system.blocks, system.scale, len(x))
        self.largest = self.scaling.of_unknowns(x)
        self.S_start: Vector | None = None  # the first S: comparable over the whole solve
        self.measure = math.inf
        self.best: tuple[float, Vector, Vector] | None = None
        self.step: Vector = np.zeros_like(x)
        self.step_old = self.step_older = self.step
        self.F_old = F
        self.peak: Vector = self.scaling.magnitude  # the largest magnitude that each unknown had
        self.fresh = self.factorized = False
        self.limited = False
        self.newton = False  # whether dx is Newton's direction for the fresh Jacobian
        self.regularized = False  # whether dx was found without a factorization of J itself
        self.dx = self.proposed = x
        self.phi = math.inf
        self.damping = math.nan
        self.step_size = self.step_size_old = math.inf
        self.step_size_absolute = self.step_size_absolute_old = math.inf
        self.contraction = 1.0
        self.order = math.nan
        self.correction: Vector | None = None  # simplified Newton correction at x, if known
        self.k = self.age = self.trials = 0
        self.memory: dict[str, Any] = {}
        self.notes: list[str] = []
        self.history = History()
        self.started = perf_counter()

    @property
    def S(self) -> Vector:
        """Term size of every equation, shape (n,)."""
        return self.scaling.S

    @property
    def weights(self) -> Vector:
        """Size of every unknown, shape (n,)."""
        return self.scaling.weights

    @property
    def start_size(self) -> float:
        """Largest magnitude of an unknown where the solve began, or 1."""
        return 1.0 if self.origin is None else self.origin.size

    def evaluate(self, x: Vector) -> Vector | None:
        """Return the residual at a trial point.

        None if it is not finite, or if the point lies outside the model or the limits.
        """
        if not all(limit.admits(x, self.blocks) for limit in self.limits):
            return None
        self.trials += 1
        return self.counted.residual(x)

    def confirm(self) -> bool:
        """Whether F is what the equations give at x, by an evaluation of another kind.

        Systems that evaluate them in another form than the user wrote have a method ``confirm(x,
        F)``. What it does not confirm it does not use again.
        """
        confirm = getattr(self.system, "confirm", None)
        return confirm is None or bool(confirm(self.x, self.F))

    def linearize_at(self, x: Vector) -> bool:
        """Evaluate F and J at x, which becomes the point; False if they are not finite."""
        self.J = None
        found = self.counted.linearize(x)
        return found is not None and self.take(x, *found)

    def take(self, x: Vector, F: Vector, J: Any) -> bool:
        """Take x, with its F and J, as the point; False if the sizes of terms are not finite."""
        self._place(x, F, J)
        self.workspace.doubt_gauge(J)
        self.magnitudes = self.system.pattern.matrix(np.abs(self.J.data))
        return self.scaling.of_equations(self.magnitudes) and self._measured()

    def probe_at(self, x: Vector) -> bool:
        """Find the sizes at x, which becomes the point, from products; False if not finite."""
        F = self.F if x is self.x else self.counted.residual(x)
        if F is None:
            return False
        self._place(x, F, None)
        return self.scaling.probed(self.product, PROBES) and self._measured()

    def _place(self, x: Vector, F: Vector, J: Any) -> None:
        if x is not self.x:
            self.x, self.largest = x, self.scaling.of_unknowns(x)
        self.F, self.J = F, J
        self.fresh, self.factorized, self.age = True, False, 0

    def product(self, v: Vector) -> Vector:
        """Return J v at x, without the matrix."""
        return self.counted.product(self.x, v)

    def terms(self, magnitude: Vector) -> Vector:
        """Return ``|J|`` times the given sizes of the unknowns."""
        terms: Vector = matrix_product(self.magnitudes, magnitude)
        return terms

    def slope_at(self, x: Vector, v: Vector) -> Vector | None:
        """Return J v at another point, not always finite; None if the residual is not."""
        if self.J is None:
            return self.counted.product(x, v)
        found = self.counted.linearize(x)
        return None if found is None else found[1] @ v

    def terms_at(self, x: Vector) -> Vector | None:
        """Return the sizes of the own terms at another point; None if they are not finite."""
        if self.J is None:
            terms = probed(lambda v: self.counted.product(x, v), np.abs(x), PROBES)
        else:
            found = self.counted.linearize(x)
            if found is None:
                return None
            terms = self.system.pattern.matrix(np.abs(found[1].data)) @ np.abs(x)
        return terms if np.isfinite(terms).all() else None

    def _measured(self) -> bool:
        """Take note of new sizes."""
        if self.S_start is None:
            self.S_start = self.S
            self._keep_best()
        self.phi = self.scaling.merit(self.F)
        return True

    def _keep_best(self) -> None:
        """Keep this point if its residual is the smallest so far."""
        self.measure = norm2(self.F / self.S_start)
        if self.best is None or self.measure < self.best[0]:
            self.best = (self.measure, self.x, self.F)

    # linear systems

    def factorize(self) -> None:
        """Factorize the Jacobian unless that is done; raises `LinearSolveError`."""
        if not self.factorized:
            self.counted.factorize(self.J)
            self.factorized = True

    def solve(self, b: Vector) -> Vector:
        """Return J^-1 b with the kept factorization; raises `LinearSolveError`.

        b has the shape (n,) or (n, k).
        """
        return self.counted.solve(b)

    @property
    def backward_error(self) -> float:
        """Backward error of the last linear solve."""
        return float(self.counted.solver.backward_error) if self.factorized else math.nan

    def newton_direction(self) -> Vector:
        """Return -J^-1 F; raises `LinearSolveError`."""
        self.factorize()
        dx = self.solve(-self.F)
        if not is_finite(dx):
            raise LinearSolveError("the step of Newton overflows")
        return dx

    def simplified(self, F: Vector) -> Vector | None:
        """Return -J^-1 F with the kept factorization; None if it has no answer or overflows.

        F has the shape (n,) or (n, k).
        """
        try:
            correction = self.solve(-F)
        except LinearSolveError:
            return None
        return correction if is_finite(correction.reshape(-1)) else None

    # progress

    def limited_step(self, step: Vector) -> Vector:
        """Return the step after all limits; ``limited`` says whether one acted."""
        self.limited = False
        for limit in self.limits:
            shorter = limit.apply(self.x, step, self.blocks)
            if shorter is not step:
                step, self.limited = shorter, True
                note = f"limited by {type(limit).__name__}"
                if note not in self.notes:
                    self.notes.append(note)
        return step

    def accept(self, x: Vector, F: Vector, damping: float) -> None:
        """Move to a trial point."""
        phi_old = self.phi
        self.x_old, self.F_old = self.x, self.F
        self.step_older, self.step_old = self.step_old, self.step
        self.x, self.F = x, F
        self.damping = damping
        self.phi = self.scaling.merit(F)
        self.largest = self.scaling.of_unknowns(x)
        self.peak = np.maximum(self.peak, self.scaling.magnitude)
        if self.scaling.bare and (self.x_old[x != 0.0] == 0.0).any():
            # unknowns were zero, so their terms had no size; now they have
            self.scaling.of_equations(self.magnitudes)
        self.contraction = self.phi / phi_old if phi_old > 0.0 else 0.0
        self.fresh, self.correction = False, None
        self.k += 1
        self.age += 1
        self.step = x - self.x_old
        magnitude = np.abs(self.step)
        older, self.step_size_old = self.step_size_old, self.step_size
        self.step_size_absolute_old = self.step_size_absolute
        self.step_size = float(np.maximum.reduce(magnitude / self.weights))
        self.step_size_absolute = float(np.maximum.reduce(magnitude))
        self.order = observed_order(self.step_size, self.step_size_old, older)
        self._keep_best()

    def record(self) -> None:
        """Write the history of this iteration."""
        residuals = self.blocks.norms(self.F)
        self.history.append(
            Step(
                iteration=self.k,
                residual=max(residuals.values()),
                scaled=float(np.maximum.reduce(self.scaling.scaled(self.F))),
                step=self.step_size if self.k else 0.0,
                damping=self.damping,
                order=self.order,
                trials=self.trials,
                backward_error=self.backward_error,
                fresh=self.age <= 1,
                seconds=perf_counter() - self.started,
                residuals=residuals,
                steps=self.blocks.norms(self.step),
                note=", ".join(self.notes),
            )
        )
        self.trials = 0
        self.notes.clear()


def observed_order(now: float, before: float, older: float) -> float:
    """Return the observed order of convergence from three step sizes."""
    if not (0.0 < now < before < older < math.inf):
        return math.nan
    # differences of logarithms, for a quotient of tiny steps may underflow
    fell = math.log(older) - math.log(before)
    return (math.log(before) - math.log(now)) / fell if fell > 0.0 else math.nan
