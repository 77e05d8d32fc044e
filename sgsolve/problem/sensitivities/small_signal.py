"""Small signals: the response of unknowns and outputs to a small oscillation of a parameter.

Around a solution the response of ``F(x, p) + d/dt Q(x, p) = 0`` to ``dp exp(i omega t)`` is the
solution of one complex linear system::

    (J + i omega C) dx = -(F_p + i omega Q_p) dp        J = dF/dx,  C = dQ/dx

All matrices are computed by automatic differentiation at the steady state. J and C together have
one sparsity pattern, which is analyzed once for all frequencies and all steady states.

Reference: S. E. Laux, IEEE Trans. Electron Devices 32 (1985) 2028, section II.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arrays import Vector, real_array
from ...errors import DataTypeError, InputError
from ...linear.null_basis import annihilated
from ...pattern import Pattern
from ...results.blocks import Blocks
from ...results.diagram import axes_or_new
from ...results.history import Stats, counted
from ...results.result import Result
from ...results.table import table_lines
from ...solvers.state.workspace import NULL, Workspace
from ..equations.definition import ProblemDefinition
from ..equations.parameters import parameter_derivative
from ..equations.residual_system import ResidualSystem
from ..equations.storage import Storage
from .balanced_slopes import check_balanced
from .functional import Functional

PURPOSE = "small signal"


@dataclass(eq=False)
class SmallSignalResponse:
    """Small-signal response, per unit of the parameter that oscillates.

    Attributes
    ----------
    frequencies : ndarray, shape (k,)
        Cycles per unit of time.
    states : ndarray of complex, shape (k, n), or None
        Of the unknowns; not kept where outputs were asked for.
    outputs : dict of str to ndarray of complex, shape (k,) or (k, m)
        Also as ``response["name"]``.
    stats : Stats
        Cost of the linear algebra.
    blocks : Blocks
        Names and shapes of blocks of the unknowns.

    See Also
    --------
    Problem.small_signal : Returns it.

    Examples
    --------
    >>> from sgsolve import Problem
    >>> rc = Problem(lambda v, u: v - u, params={"u": 0.0}, storage=lambda v: 1.0 * v)
    >>> response = rc.small_signal(rc.solve([0.0]), "u", [0.0], outputs={"v": lambda v: v[0]})
    >>> response["v"]
    array([1.+0.j])
    """

    frequencies: NDArray[np.float64]
    states: NDArray[np.complex128] | None
    outputs: dict[str, NDArray[np.complex128]] = field(default_factory=dict)
    stats: Stats = field(default_factory=Stats)
    blocks: Blocks | None = None

    def __repr__(self) -> str:
        read = ", ".join(self.outputs) or "all unknowns"
        count = counted(len(self.frequencies), "frequency", "frequencies")
        return f"SmallSignalResponse({count}: {read})"

    def __str__(self) -> str:
        columns = {"frequency": self.frequencies}
        lines = []
        for name, values in self.outputs.items():
            if values.ndim > 1:
                lines.append(f"{name}: shape {values.shape}")
                continue
            columns[f"|{name}|"] = np.abs(values)
            columns[f"phase of {name}"] = np.angle(values, deg=True)
        if self.states is not None:
            lines.append(
                f"states: shape {self.states.shape}, one row for each frequency; "
                "columns: give outputs={...}"
            )
        if len(columns) > 1:
            lines.append("phases in degrees")
        return "\n".join(lines + table_lines(columns))

    def field(self, block: str) -> NDArray[np.complex128]:
        """Return a block of the unknowns at all frequencies, shape ``(k, *shape)``.

        Parameters
        ----------
        block : str
            Name of a block of the problem.

        Returns
        -------
        ndarray of complex, shape (k, ...)

        Raises
        ------
        InputError
            If the problem has no such block, or outputs were asked for.

        See Also
        --------
        Branch.field : The same for the points of a branch.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> rc = Problem(lambda v, u: v - u, params={"u": 0.0}, storage=lambda v: 1.0 * v,
        ...              blocks={"v": (1, 2)})
        >>> rc.small_signal(rc.solve([0.0, 0.0]), "u", [0.0]).field("v")
        array([[[1.+0.j, 1.+0.j]]])
        """
        if self.states is None:
            raise InputError("the states were not kept, because outputs were asked for")
        blocks = self.blocks or Blocks(self.states.shape[-1])
        found: NDArray[np.complex128] = blocks.field(self.states, block)
        return found

    def __getitem__(self, name: str) -> NDArray[np.complex128]:
        if name not in self.outputs:
            known = ", ".join(self.outputs) or "none; ask for outputs={...}, or take .states"
            raise InputError(f"there is no output {name!r}; there are {known}")
        return self.outputs[name]

    def plot(self, name: str | None = None, ax: Any = None, **style: Any) -> Any:
        """Draw magnitudes of outputs over the frequency, on logarithmic axes.

        Parameters
        ----------
        name : str, optional
            One output; all by default. Without outputs, all unknowns.
        ax : matplotlib Axes, optional
            A new figure by default. Needs the extra ``sgsolve[plot]``.
        **style
            Passed on to matplotlib.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        InputError
            If there is no such output, or matplotlib is not installed.
        """
        curves = dict(self.outputs) if name is None else {name: self[name]}
        if self.states is not None and name is None:
            curves["unknowns"] = self.states
        ax = axes_or_new(ax)
        for label, values in curves.items():
            ax.loglog(self.frequencies, np.abs(values), label=label, **style)
        ax.set_xlabel("frequency")
        ax.legend()
        return ax


def checked_frequencies(frequencies: ArrayLike) -> NDArray[np.float64]:
    """Validate the frequencies, and return them as an array."""
    values = np.atleast_1d(real_array(frequencies, "frequencies: need numbers"))
    if values.ndim != 1 or not values.size:
        raise InputError(f"frequencies: need a list of numbers, got shape {values.shape}")
    if not (np.isfinite(values).all() and (values >= 0.0).all()):
        raise InputError("frequencies: must be finite and not negative")
    return values


def mass_matrix(problem: ProblemDefinition, x: ArrayLike) -> Any:
    """Return dQ/dx; see `Problem.mass_matrix`."""
    system, solution = problem.solution(x)
    return Storage(problem.storage, system).matrix(solution)


def small_signal(
    problem: ProblemDefinition,
    at: Result | ArrayLike,
    name: str,
    frequencies: ArrayLike,
    outputs: Mapping[str, Any] | None,
) -> SmallSignalResponse:
    """Return how unknowns follow an oscillating parameter; see `Problem.small_signal`."""
    problem.signature.numeric(name)
    system, x = problem.solution(at)
    storage = Storage(problem.storage, system)
    values = checked_frequencies(frequencies)
    with problem.lend(system, x) as workspace:
        return responses(system, workspace, x, name, values, storage, outputs)


def responses(
    system: ResidualSystem,
    workspace: Workspace,
    x: Vector,
    name: str,
    frequencies: NDArray[np.float64],
    storage: Storage,
    outputs: Mapping[str, Any] | None = None,
) -> SmallSignalResponse:
    """Solve for all frequencies."""
    matrix = _Matrix(system, workspace, x, storage)
    steady = parameter_derivative(system, x, name)
    moving = storage.by_parameter(x, name)
    if not isinstance(outputs, Mapping | None):
        raise DataTypeError(f"outputs must map names to functions, not {outputs!r}")
    read = {
        key: _LinearizedOutput(o, system, x, name, storage.rate)
        for key, o in (outputs or {}).items()
    }
    states: list[Vector] = []
    found: dict[str, list[Any]] = {key: [] for key in read}
    before = workspace.counts()
    for frequency in frequencies:
        omega = 2j * np.pi * frequency
        workspace.gauge(matrix.open_at_rest if omega == 0 else matrix.open, PURPOSE)
        solver = workspace.solver(matrix.pattern, PURPOSE)
        solver.factorize(matrix.at(omega))
        driven = steady + omega * moving
        check_balanced(solver, driven, name)
        dx = solver.solve(-driven)
        for key, output in read.items():
            found[key].append(output.at(dx, omega))
        if not read:
            states.append(dx)
    spent = workspace.counts().since(before)
    spent.backend = solver.name
    return SmallSignalResponse(
        frequencies,
        None if read else np.array(states),
        {key: np.array(values) for key, values in found.items()},
        spent,
        system.blocks,
    )


class _Matrix:
    """J + i omega C on one pattern.

    Attributes
    ----------
    open_at_rest, open : ndarray, shape (n, k), or None
        The levels that no equation determines at frequency zero, and at others: those of which
        nothing is stored.
    """

    def __init__(
        self, system: ResidualSystem, workspace: Workspace, x: Vector, storage: Storage
    ) -> None:
        _, J = system.linearize_confirmed(x)
        C = storage.matrix(x)
        known: Pattern = workspace.derived(
            PURPOSE + " pattern", system.pattern, lambda: system.pattern.union(storage.pattern(x))
        )
        own = Pattern.of(C)
        self.pattern = known.union(own)
        self._J, self._C = J.data, C.data
        V = workspace.null_space
        self.open_at_rest, self.open = V, None if V is None else annihilated(C, V, NULL)
        self._place_J = self.pattern.positions(system.pattern)
        self._place_C = self.pattern.positions(own)

    def at(self, omega: complex) -> Any:
        """Return the matrix at an angular frequency times i."""
        data = np.zeros(self.pattern.nnz, dtype=np.complex128)
        data[self._place_J] = self._J
        data[self._place_C] += omega * self._C
        return self.pattern.matrix(data)


class _LinearizedOutput:
    """``g(x, p) + d/dt h(x, p)``, linearized."""

    def __init__(
        self,
        of: Callable[..., Any] | tuple[Callable[..., Any], Callable[..., Any]],
        system: ResidualSystem,
        x: Vector,
        name: str,
        rate: str | None,
    ) -> None:
        params = {**system.defaults, **system.params}
        steady, stored = of if isinstance(of, tuple) else (of, None)
        g = Functional(steady, x, params, constant=stored is not None)
        self._g, self._g_p, self._shape = g.gradient, g.by_parameter(name)[:, 0], g.shape
        self._h, self._h_p = 0.0 * self._g, np.zeros(g.size)
        if rate is not None:
            self._h = g.by_parameter(rate)
        if stored is not None:
            h = Functional(stored, x, params, constant=True)
            if h.shape != g.shape:
                raise InputError(f"an output returns shape {g.shape}, what it stores {h.shape}")
            self._h, self._h_p = h.gradient, h.by_parameter(name)[:, 0]

    def at(self, dx: Vector, omega: complex) -> Any:
        """Return its amplitude."""
        steady = self._g @ dx + self._g_p
        return (steady + omega * (self._h @ dx + self._h_p)).reshape(self._shape)
