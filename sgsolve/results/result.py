"""`Result`: what a solve returns, whether it succeeded or not.

It holds the solution or best point, the residual, the history and the costs. Its reports name the
equations with the largest residual and what to try.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import Blocks
from .diagram import axes_or_new
from .history import History, Stats, counted
from .status import Status

SCIPY_NAMES = ("x", "success", "status", "message", "fun", "nfev", "njev", "nit")
EQUALLY_WRONG = 0.1  # of the largest scaled residual: such equations are compared by the residual


@dataclass(eq=False)
class Result:
    """The outcome of ``Problem.solve``.

    Attributes
    ----------
    x : ndarray, shape (n,)
        The solution; after a failure the best iterate.
    status : Status
        Why it ended; ``status.success`` and ``success`` say whether it is a solution.
    message : str
        Status, numbers and advice in one sentence or two.
    residual : ndarray, shape (n,)
        The residual at x, freshly evaluated. SciPy's name `fun` works too.
    scaled_residual : ndarray, shape (n,)
        The residual relative to the size of the terms of each equation: without units.
    history : History
        One record per iteration.
    stats : Stats
        Counts and seconds; `nit`, `nfev`, `njev` are there under SciPy's names too.
    solver : str
        The solver, or the stage of `Robust`, that ended it.
    stages : list of str
        For `Robust`: each stage and how it ended.
    params : dict
        The parameters of this solve.
    blocks : Blocks
        Names of unknowns and equations.
    sizes : ndarray, shape (n,)
        The size of every unknown, to which steps are relative.
    system : System
        The equations; `jacobian` is evaluated from them.
    remark : str
        A note on a success: a Jacobian that is singular at the solution.
    null_space : ndarray, shape (n, k), or None
        Orthonormal directions along which no equation determines x, such as the level of a
        pressure without a reference. They are looked for if the Jacobian is singular at the
        solution and none were declared.

    See Also
    --------
    Problem.solve : Returns it.
    Status : Why it ended.

    Examples
    --------
    >>> from sgsolve import Problem
    >>> result = Problem(lambda x: x**2 - 4.0).solve([1.0])
    >>> result.success, result.x, result.stats.nit > 2
    (True, array([2.]), True)
    """

    x: NDArray[Any]
    status: Status
    message: str
    residual: NDArray[Any]
    scaled_residual: NDArray[Any]
    history: History
    stats: Stats
    solver: str
    blocks: Blocks
    stages: list[str] = field(default_factory=list)
    params: Mapping[str, Any] = field(default_factory=dict)
    remark: str = ""
    null_space: Any = field(default=None, repr=False)
    sizes: Any = field(default=None, repr=False)
    system: Any = field(default=None, repr=False)

    @property
    def success(self) -> bool:
        """Whether x is a solution."""
        return self.status.success

    @property
    def fun(self) -> NDArray[Any]:
        """The residual, under SciPy's name, in the shape of x."""
        return self.residual.reshape(self.x.shape)

    @property
    def nit(self) -> int:
        """Number of iterations."""
        return self.stats.nit

    @property
    def nfev(self) -> int:
        """Number of evaluations of the residual without derivatives."""
        return self.stats.nfev

    @property
    def njev(self) -> int:
        """Number of evaluations of the residual with its Jacobian."""
        return self.stats.njev

    @property
    def jacobian(self) -> Any:
        """The Jacobian at x, a ``csr_array`` of shape (n, n), evaluated when asked for."""
        if self.system is None:
            raise AttributeError("this result was unpickled and has no problem")
        x = self.x.reshape(-1)
        if not self.system.is_prepared:  # the solver took products with the Jacobian only
            self.system.prepare(x)
        return self.system.linearize(x)[1]

    def __bool__(self) -> bool:
        return self.success

    def keys(self) -> tuple[str, ...]:
        """Return the names of the items: those of SciPy, then the blocks."""
        return (*SCIPY_NAMES, *(name for name in self.blocks.names if name not in SCIPY_NAMES))

    def __getitem__(self, name: str) -> Any:
        """The unknowns of a block, in its shape, a view of `x`; or an attribute that SciPy has.

        A block comes first: ``result["x"]`` is the whole vector unless a block has that name.
        """
        if name in self.blocks:
            return self.blocks.field(self.x.reshape(-1), name)
        if name not in SCIPY_NAMES:
            raise KeyError(f"a result has no {name!r}; it has {', '.join(self.keys())}")
        return getattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def get(self, name: str, default: Any = None) -> Any:
        """Return an item, or a default if there is none."""
        return self[name] if name in self.keys() else default

    def items(self) -> list[tuple[str, Any]]:
        """Return names and values."""
        return [(name, self[name]) for name in self]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "system": None}

    def worst(self, count: int = 3) -> list[tuple[str, float]]:
        """Return the equations with the largest scaled residuals, and their residuals.

        Those within a tenth of the largest scaled residual are equally wrong. They come first, in
        the order of their residuals.

        Parameters
        ----------
        count : int
            How many.

        Returns
        -------
        list of (name, residual)
            The residual is in the user's units.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> result = Problem(lambda x: x**2 - [4.0, -1.0]).solve([1.0, 1.0], raise_on_failure=False)
        >>> result.worst(1)[0][0]
        'x[1]'
        """
        size = np.abs(self.scaled_residual)
        size = np.where(np.isfinite(size), size, np.inf)
        residual = np.where(np.isfinite(self.residual), np.abs(self.residual), np.inf)
        first = size >= EQUALLY_WRONG * size.max()
        order = np.lexsort((-size, np.where(first, -residual, 0.0), ~first))[:count]
        return [(self.blocks.label(int(i)), float(np.abs(self.residual[i]))) for i in order]

    def __repr__(self) -> str:
        return (
            f"Result({self.status.name}, {counted(self.x.size, 'unknown')}, residual "
            f"{_largest(self.residual):.1e}, {counted(self.nit, 'iteration')} by {self.solver})"
        )

    def __str__(self) -> str:
        return _table(self)

    def explain(self) -> str:
        """Return a report: what happened, the largest residuals, what to try.

        Returns
        -------
        str
            Several lines.

        Examples
        --------
        >>> from sgsolve import Problem, solvers
        >>> result = Problem(lambda x: x**2 - 4.0).solve([1e6], solvers.Newton(max_iterations=3),
        ...                                              raise_on_failure=False)
        >>> print(result.explain().split(" (")[0])
        the iteration limit was reached
        """
        lines = [self.message, ""]
        if self.stages:
            lines += ["Stages:", *(f"  {stage}" for stage in self.stages), ""]
        lines += ["Worst equations (residual in your units):"]
        lines += [f"  {name:<20s} {value:.3e}" for name, value in self.worst(5)]
        if len(self.blocks) > 1 and len(self.history):
            last = self.history[-1]
            lines += ["", "Largest residual and last change in each block (your units):"]
            lines += [
                f"  {name:<20s} {value:.3e}  {last.steps[name]:.3e}"
                for name, value in last.residuals.items()
            ]
        lines += ["", "Iterations:", str(self.history), "", f"Cost: {self.stats}"]
        if self.status.advice:
            lines += ["", f"What to try: {self.status.advice}."]
            lines += [f"See section {self.status.name} of docs/howto/failures.md."]
        return "\n".join(lines)

    def plot(self, ax: Any = None) -> Any:
        """Draw residual and step of every iteration on a logarithmic axis.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default. Needs the extra ``sgsolve[plot]``.

        Returns
        -------
        matplotlib Axes

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from sgsolve import Problem
        >>> axes = Problem(lambda x: x**2 - 4.0).solve([1.0]).plot()
        >>> axes.get_yscale()
        'log'
        >>> plt.close(axes.figure)
        """
        ax = axes_or_new(ax)
        iteration = np.arange(len(self.history))
        ax.semilogy(iteration, self.history.column("scaled"), "o-", label="scaled residual")
        ax.semilogy(iteration[1:], self.history.column("step")[1:], "s--", label="relative step")
        ax.set_xlabel("iteration")
        ax.set_title(f"{self.solver}: {self.status.name}")
        ax.legend()
        return ax


def _table(result: Result) -> str:
    stats = result.stats
    worst = ", ".join(f"{name} {value:.1e}" for name, value in result.worst(3))
    rows = [
        ("status", f"{result.status.name}: {result.status.text}"),
        ("unknowns", f"{result.x.size}"),
        (
            "residual",
            f"{_largest(result.residual):.3e} (scaled {_largest(result.scaled_residual):.1e})",
        ),
        ("worst", worst),
        ("iterations", f"{stats.nit} by {result.solver}"),
        ("evaluations", stats.evaluations),
        ("linear", f"{stats.backend or 'none'}: {stats.linear}"),
        ("time", stats.times),
    ]
    if result.remark:
        rows.append(("remark", result.remark))
    if result.status.advice:
        rows.append(("advice", result.status.advice))
    return "\n".join(f"{name:>12s}  {text}" for name, text in rows)


def _largest(vector: NDArray[Any]) -> float:
    return float(np.abs(vector).max()) if len(vector) else 0.0
