"""Integrators that the programs on transients compare: ours, those of SUNDIALS and of SciPy.

SUNDIALS' IDA and CVODE come from the package scikit-sundae and are left out where it is not
installed. All get the same equations and our sparse Jacobian, whose pattern is found before. Those
that are compiled get f and its Jacobian from our kernels.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from inspect import signature
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from sgsolve import Problem, ad
from sgsolve.transient import Bdf, RungeKutta

Vector = np.ndarray
MOST_STEPS = 1_000_000


class UnsuitedError(Exception):
    """An integrator has no form for the equations of a case."""


@dataclass
class Case:
    """dQ(y)/dt = f(y) or f(y, t), from y0 over a time.

    Attributes
    ----------
    storage : callable, optional
        Q; left out, y itself.
    atol : float or array
        Absolute tolerances of the runs, over rtol.
    apart : bool
        The unknowns are of different sizes: errors are relative to each one, not to the largest.
    exact : array, optional
        The solution at the end, where a formula gives it.
    """

    name: str
    f: Callable
    y0: Vector
    end: float
    storage: Callable | None = None
    atol: Any = 0.01
    apart: bool = False
    exact: Vector | None = None

    def __post_init__(self):
        self.timed = len(signature(self.f).parameters) == 2
        seeded = ad.seed_sparsity(self.y0)
        both = self.rhs(0.0, seeded) + self.charge(seeded)
        self.pattern = ad.sparsity_pattern(both).with_diagonal()
        numbered = self.pattern.matrix(np.arange(1, self.pattern.nnz + 1)).tocsc()
        self.by_column = numbered.data.astype(int) - 1
        self.problem, self.compiled = self._problem(), self._problem(compiled=True)

    def _problem(self, **settings) -> Problem:
        if self.timed:
            return Problem(lambda y, t: -self.f(y, t), storage=self.charge, **settings)
        return Problem(lambda y: -self.f(y), storage=self.charge, **settings)

    def rhs(self, t, y):
        """Return f."""
        return self.f(y, t) if self.timed else self.f(y)

    def charge(self, y):
        """Return Q."""
        return 1.0 * y if self.storage is None else self.storage(y)

    def values(self, y, t=0.0):
        """Return the values of df/dy on the pattern."""
        return ad.jacobian_values(self.rhs(t, ad.seed(y)), self.pattern)

    def masses(self, y):
        """Return the values of dQ/dy on the pattern."""
        return ad.jacobian_values(self.charge(ad.seed(y)), self.pattern)

    @cached_property
    def by_kernels(self) -> Case:
        """The same with f and df/dy by kernels; f has no time."""
        kernels, case = ad.compiled(self.f, at_once=True), copy.copy(self)
        J = kernels.jacobian(self.y0)
        rows = np.repeat(np.arange(len(self.y0)), np.diff(J.indptr))
        numbered = self.pattern.matrix(np.arange(1, self.pattern.nnz + 1))
        places = np.asarray(numbered[rows, J.indices]).ravel() - 1

        def values(y, t=0.0):
            found = np.zeros(self.pattern.nnz)
            found[places] = kernels.jacobian(y).data
            return found

        case.f, case.values = kernels, values
        return case

    def jacobian(self, y, t=0.0):
        """Return df/dy by columns, as SciPy's solvers want it."""
        return self.pattern.matrix(self.values(y, t)).tocsc()

    @cached_property
    def slope(self) -> Vector:
        """The slope at the start, with the least norm where some of it is not determined."""
        f = self.rhs(0.0, self.y0)
        if self.storage is None:
            return f
        return np.linalg.lstsq(self.pattern.matrix(self.masses(self.y0)).toarray(), f)[0]


def ours(method, compiled=False, default=False):
    """Return our runs; by default without absolute tolerances."""

    def run(case: Case, rtol: float):
        problem = case.compiled if compiled else case.problem
        atol = None if default else rtol * np.broadcast_to(case.atol, case.y0.shape)
        branch = problem.transient(
            case.y0,
            (0.0, case.end),
            steps=method,
            rtol=rtol,
            atol=atol,
            keep_states="none",
            max_steps=MOST_STEPS,
        )
        if not branch.success:
            raise RuntimeError(branch.message)
        stats = branch.stats
        return branch.x, (len(branch) - 1, stats.nfev, stats.njev, stats.n_factor)

    return run


def scipys(method):
    """Return runs of SciPy, for ordinary equations."""

    def run(case: Case, rtol: float):
        if case.storage is not None:
            raise UnsuitedError("SciPy has no storage")
        found = solve_ivp(
            case.rhs,
            (0.0, case.end),
            case.y0,
            method=method,
            rtol=rtol,
            atol=rtol * np.broadcast_to(case.atol, case.y0.shape),
            jac=lambda t, y: case.jacobian(y, t),
            t_eval=[case.end],
        )
        if not found.success:
            raise RuntimeError(found.message)
        return found.y[:, -1], (0, found.nfev, found.njev, found.nlu)

    return run


def ida(case: Case, rtol: float):
    """Run IDA, on dQ/dy y' - f = 0."""
    from sksundae.ida import IDA

    count = [0, 0]
    constant = case.storage is None

    def residual(t, y, yp, res):
        count[0] += 1
        rates = yp if constant else case.pattern.matrix(case.masses(y)) @ yp
        res[:] = rates - case.rhs(t, y)

    def jacobian(t, y, yp, res, cj, J):
        count[1] += 1
        values = -case.values(y, t)
        if constant:
            M = case.pattern.matrix(values)
            M.setdiag(M.diagonal() + cj)
            values = M.data
        else:
            values += cj * case.masses(y)
        J[:] = values[case.by_column]

    solver = IDA(residual, jacfn=jacobian, **_options(case, rtol))
    found = solver.solve(np.array([0.0, case.end]), case.y0, case.slope)
    if not found.success:
        raise RuntimeError(found.message)
    return found.y[-1], (0, count[0], count[1], count[1])


def cvode(case: Case, rtol: float):
    """Run CVODE, for ordinary equations."""
    from sksundae.cvode import CVODE

    if case.storage is not None:
        raise UnsuitedError("CVODE has no storage")
    count = [0, 0]

    def rhs(t, y, yp):
        count[0] += 1
        yp[:] = case.rhs(t, y)

    def jacobian(t, y, yp, J):
        count[1] += 1
        J[:] = case.values(y, t)[case.by_column]

    solver = CVODE(rhs, jacfn=jacobian, **_options(case, rtol))
    found = solver.solve(np.array([0.0, case.end]), case.y0)
    if not found.success:
        raise RuntimeError(found.message)
    return found.y[-1], (0, count[0], count[1], 0)


def _options(case: Case, rtol: float) -> dict[str, Any]:
    return {
        "rtol": rtol,
        "atol": rtol * np.broadcast_to(case.atol, case.y0.shape),
        "linsolver": "sparse",
        "sparsity": case.pattern.matrix(np.ones(case.pattern.nnz)).tocsc(),
        "max_num_steps": MOST_STEPS,
    }


def with_kernels(run):
    """Return runs with f and its Jacobian by kernels, for equations without storage and time."""

    def compiled_run(case: Case, rtol: float):
        if case.storage is not None or case.timed:
            raise UnsuitedError("kernels are for f(y)")
        return run(case.by_kernels, rtol)

    return compiled_run


SUNDIALS = {"IDA": ida, "CVODE": cvode} if find_spec("sksundae") else {}
SUNDIALS |= {f"{name}, compiled": with_kernels(run) for name, run in SUNDIALS.items()}
INTEGRATORS = {
    "sgsolve Bdf": ours(Bdf()),
    "Bdf, compiled": ours(Bdf(), compiled=True),
    "sgsolve ESDIRK4": ours(RungeKutta()),
    **SUNDIALS,
    "SciPy BDF": scipys("BDF"),
    "SciPy Radau": scipys("Radau"),
}
