"""Equations in time whose solutions are known, and a plain loop of steps without a front door."""

from collections.abc import Callable

import numpy as np

from sgsolve import ad
from sgsolve.results.blocks import Blocks
from sgsolve.solvers.state.workspace import Workspace
from sgsolve.transient.error_weights import ErrorWeights
from sgsolve.transient.evolution import Derivatives
from sgsolve.transient.implicit.implicit_solver import ImplicitSolver
from sgsolve.transient.methods.bdf import BdfStepper
from sgsolve.transient.methods.time_step import RejectedStep
from sgsolve.transient.starts.consistent_start import consistent_start


def _array(y):
    return ad.hstack(y) if isinstance(y, list) and any(isinstance(v, ad.ADArray) for v in y) else y


class Equations:
    """F(x, t) + d/dt Q(x) = 0 from two functions."""

    conservative = True
    currents = None
    as_written = None

    def __init__(self, flow: Callable, charge: Callable, x0, t0: float = 0.0):
        self.flow, self.charge = flow, charge
        x0 = np.asarray(x0, dtype=float)
        self.n, self.blocks, self.x0 = len(x0), Blocks(len(x0)), x0
        J = ad.sparsity_pattern(_array(flow(t0, ad.seed_sparsity(x0))))
        C = ad.sparsity_pattern(_array(charge(ad.seed_sparsity(x0))))
        self.stores = np.diff(C.indptr) > 0
        self.pattern = J.union(C).with_diagonal()

    def residual(self, t, x, a, q):
        Q = np.asarray(self.charge(x), dtype=float)
        return np.asarray(self.flow(t, x), dtype=float) + a * (Q - q), Q

    def derivatives(self, t, x, a, q):
        parts = self.flow(t, ad.seed(x)), self.charge(ad.seed(x))
        return Derivatives(*[ad.jacobian_values(_array(part), self.pattern) for part in parts])

    def capacity(self, t, x):
        return ad.jacobian_values(_array(self.charge(ad.seed(x))), self.pattern)

    def confirm(self, t, x, a, q, G):
        return True


class Run:
    """A run with one method from t0 to t1: where it came, and what it cost."""

    def __init__(self, equations, t0, t1, rtol=1e-6, atol=None, make=BdfStepper, first=None):
        self.workspace = Workspace()
        weights = ErrorWeights(equations.blocks, rtol, atol, None)
        weights.observe(equations.x0)
        self.implicit = ImplicitSolver(equations, self.workspace, weights)

        def no_solve(system, x):
            raise AssertionError("the start is consistent")

        start = consistent_start(
            equations, self.workspace, weights, (t0, t1), equations.x0, no_solve
        )
        size = weights.norm(start.slope, weights.weights(start.x))
        h = first or min(1e-3 * (t1 - t0), 0.5 / max(size, 1e-300))
        self.stepper = make(self.implicit)
        self.stepper.start(t0, start, h)
        self.accepted, self.rejected, self.charges = 0, 0, []
        self._go(t1)
        self.x, self.stats = self.stepper.x, self.workspace.counts()

    def _go(self, t1):
        stepper = self.stepper
        while stepper.t < t1:
            if stepper.t + stepper.h > t1 * (1 - 1e-13):
                stepper.resize(t1 - stepper.t)
            outcome = stepper.attempt(min(t1, stepper.t + stepper.h))
            if isinstance(outcome, RejectedStep):
                self.rejected += 1
                assert self.rejected < 1000, outcome.reason
                stepper.reject(outcome)
                continue
            stepper.accept(outcome)
            self.accepted += 1
            self.charges.append(outcome.charge.copy())
