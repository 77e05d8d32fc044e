"""Modified nodal analysis: a circuit from its elements, as a problem of sgsolve.

The unknowns are the voltages of the nodes and the currents of voltage sources and inductors. The
equations are the sums of currents at the nodes, and one equation for each such current. Elements
of one kind are evaluated together.

Reference: C.-W. Ho, A. Ruehli and P. Brennan, IEEE Trans. Circuits Syst. 22 (1975) 504; J. Ebers
and J. Moll, Proc. IRE 42 (1954) 1761 (transistor).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from sgsolve import Problem

GROUND = "0"
THERMAL = 0.025852  # V, thermal voltage at 300 K
LARGEST = 40.0  # of the exponent; the exponential continues as a straight line beyond


def exponential(a: Any) -> Any:
    """Return exp(a) - 1, as a straight line for large a so that it cannot overflow."""
    inside = np.minimum(a, LARGEST)
    return np.exp(inside) * (1.0 + (a - inside)) - 1.0


@dataclass
class Branches:
    """Elements of one kind between two nodes, with one value each."""

    plus: list[str] = field(default_factory=list)
    minus: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, plus: str, minus: str, value: Any) -> None:
        """Add one element."""
        self.plus.append(plus)
        self.minus.append(minus)
        self.values.append(value)


class Circuit:
    """A list of elements between named nodes; the node ``"0"`` is the ground.

    Examples
    --------
    A divider of two resistors:

    >>> circuit = Circuit()
    >>> circuit.voltage("in", "0", 3.0)
    >>> circuit.resistor("in", "out", 1e3)
    >>> circuit.resistor("out", "0", 2e3)
    >>> x = circuit.problem().at(t=0.0).solve(circuit.zeros()).x
    >>> round(float(circuit.at("out", x)), 9)
    2.0
    """

    def __init__(self) -> None:
        kinds = ("resistors", "capacitors", "inductors", "voltages", "currents", "diodes")
        self.kinds = {kind: Branches() for kind in kinds}
        self.transistors: list[tuple[str, str, str, dict[str, float]]] = []
        self.nodes: dict[str, int] = {}

    def _add(self, kind: str, plus: str, minus: str, value: Any) -> None:
        for node in (plus, minus):
            self._number(node)
        self.kinds[kind].add(plus, minus, value)

    def _number(self, node: str) -> None:
        if node != GROUND:
            self.nodes.setdefault(node, len(self.nodes))

    def resistor(self, plus: str, minus: str, ohm: float) -> None:
        """Add a resistor."""
        self._add("resistors", plus, minus, ohm)

    def capacitor(self, plus: str, minus: str, farad: float) -> None:
        """Add a capacitor."""
        self._add("capacitors", plus, minus, farad)

    def inductor(self, plus: str, minus: str, henry: float) -> None:
        """Add an inductor."""
        self._add("inductors", plus, minus, henry)

    def voltage(self, plus: str, minus: str, volt: float | Callable[[float], float]) -> None:
        """Add a voltage source, a number or a function of time."""
        self._add("voltages", plus, minus, volt)

    def current(self, plus: str, minus: str, ampere: float | Callable[[float], float]) -> None:
        """Add a current source from plus to minus."""
        self._add("currents", plus, minus, ampere)

    def diode(
        self,
        plus: str,
        minus: str,
        saturation: float = 1e-12,
        ideality: float = 1.0,
        junction: float = 0.0,
    ) -> None:
        """Add a diode: saturation current in A, ideality factor, capacitance in F."""
        self._add("diodes", plus, minus, (saturation, ideality * THERMAL))
        if junction:
            self.capacitor(plus, minus, junction)

    def npn(self, collector: str, base: str, emitter: str, **values: float) -> None:
        """Add a transistor after Ebers and Moll.

        ``saturation`` (A), ``forward`` and ``reverse`` (current gains), ``transit`` (s, forward
        transit time), ``junction`` (F, capacitance of each junction).
        """
        defaults = {
            "saturation": 1e-15,
            "forward": 100.0,
            "reverse": 1.0,
            "transit": 0.0,
            "junction": 0.0,
        }
        for node in (collector, base, emitter):
            self._number(node)
        self.transistors.append((collector, base, emitter, {**defaults, **values}))

    @property
    def n(self) -> int:
        """Number of unknowns."""
        extra = len(self.kinds["voltages"].plus) + len(self.kinds["inductors"].plus)
        return len(self.nodes) + extra

    def zeros(self) -> np.ndarray:
        """Return a start with all voltages and currents zero, shape (n,)."""
        return np.zeros(self.n)

    def at(self, node: str, x: Any) -> Any:
        """Return the voltage of a node in a state."""
        return x[self.nodes[node]]

    def breakpoints(self, begin: float, end: float) -> list[float]:
        """Return the times at which sources jump or have a kink."""
        sources = [*self.kinds["voltages"].values, *self.kinds["currents"].values]
        times = [s.breakpoints(begin, end) for s in sources if hasattr(s, "breakpoints")]
        return sorted({t for some in times for t in some})

    def problem(self) -> Problem:
        """Return the equations: parameters ``t`` and ``ac``, a small change of the first source."""
        equations = Equations(self)
        blocks = {"v": range(len(self.nodes))}
        if self.n > len(self.nodes):
            blocks["i"] = range(len(self.nodes), self.n)
        return Problem(equations.flow, params={"ac": 0.0}, storage=equations.storage, blocks=blocks)


class Equations:
    """The equations of a circuit on arrays, one operation for all elements of a kind."""

    def __init__(self, circuit: Circuit) -> None:
        self.n_nodes = len(circuit.nodes)
        kinds = circuit.kinds
        self.incidence = {
            kind: _incidence(circuit.nodes, one.plus, one.minus) for kind, one in kinds.items()
        }
        self.conductance = 1.0 / np.array(kinds["resistors"].values)
        self.capacitance = np.array(kinds["capacitors"].values)
        self.inductance = np.array(kinds["inductors"].values)
        self.saturation, self.slope = np.array(kinds["diodes"].values).reshape(-1, 2).T
        self.first = np.eye(1, len(kinds["voltages"].values))[0]
        self.voltages, self.currents = kinds["voltages"].values, kinds["currents"].values
        names = list(zip(*[t[:3] for t in circuit.transistors], strict=True)) or [(), (), ()]
        collector, base, emitter = (list(one) for one in names)
        self.forward = _incidence(circuit.nodes, base, emitter)
        self.reverse = _incidence(circuit.nodes, base, collector)
        values = [t[3] for t in circuit.transistors]
        keys = values[0] if values else ()
        self.npn = {key: np.array([v[key] for v in values]) for key in keys}

    def flow(self, x: Any, t: float, ac: float) -> Any:
        """Return the currents out of the nodes, and the equations of sources and inductors."""
        v, i_source, i_inductor = self._parts(x)
        A = self.incidence
        out = A["resistors"] @ (self.conductance * (A["resistors"].T @ v))
        out = out + A["voltages"] @ i_source + A["inductors"] @ i_inductor
        out = out + A["currents"] @ np.array([_value(s, t) for s in self.currents])
        out = out + A["diodes"] @ (self.saturation * exponential((A["diodes"].T @ v) / self.slope))
        if self.npn:
            out = out + self._transistors(v)
        level = np.array([_value(s, t) for s in self.voltages]) + ac * self.first
        return np.concatenate([out, A["voltages"].T @ v - level, -(A["inductors"].T @ v)])

    def storage(self, x: Any) -> Any:
        """Return the charges of the nodes, nothing for sources, the flux of inductors."""
        v, i_source, i_inductor = self._parts(x)
        A = self.incidence["capacitors"]
        charge = A @ (self.capacitance * (A.T @ v))
        if self.npn:
            be, bc = self.forward.T @ v, self.reverse.T @ v
            diffused = self.npn["transit"] * self.npn["saturation"] * exponential(be / THERMAL)
            charge = charge + self.forward @ (diffused + self.npn["junction"] * be)
            charge = charge + self.reverse @ (self.npn["junction"] * bc)
        return np.concatenate([charge, 0.0 * i_source, self.inductance * i_inductor])

    def _parts(self, x: Any) -> tuple[Any, Any, Any]:
        sources = self.n_nodes + len(self.voltages)
        return x[: self.n_nodes], x[self.n_nodes : sources], x[sources:]

    def _transistors(self, v: Any) -> Any:
        """Return the currents of the transistors out of the nodes."""
        npn = self.npn
        forward = npn["saturation"] * exponential((self.forward.T @ v) / THERMAL)
        reverse = npn["saturation"] * exponential((self.reverse.T @ v) / THERMAL)
        transfer = forward - reverse  # from collector to emitter
        through = self.forward - self.reverse
        return (
            self.forward @ (forward / npn["forward"])
            + self.reverse @ (reverse / npn["reverse"])
            + through @ transfer
        )


def _value(source: Any, t: float) -> float:
    return float(source(t)) if callable(source) else float(source)


def _incidence(nodes: dict[str, int], plus: list[str], minus: list[str]) -> Any:
    """Return +1 where an element leaves a node, -1 where it enters, shape (nodes, elements)."""
    entries = [(nodes[p], k, 1.0) for k, p in enumerate(plus) if p != GROUND]
    entries += [(nodes[m], k, -1.0) for k, m in enumerate(minus) if m != GROUND]
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    return sp.csr_array((values, (rows, columns)), shape=(len(nodes), len(plus)))
