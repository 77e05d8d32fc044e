"""Contacts: their nodes, and the conditions that hold there.

An ohmic contact fixes all three potentials, by neutrality and equilibrium. A Schottky contact fixes
the electrostatic potential, and a carrier leaves at its recombination velocity. A gate fixes the
electrostatic potential only, on nodes of an insulator, or through an insulator that is not meshed.
Each contact adds one parameter to the device, ``V_<name>``, its voltage in V. The equations and the
solvers ask a contact what it declares, see ``Contact``, and never for its class.

Reference: S. Selberherr, Analysis and Simulation of Semiconductor Devices (1984), section 5.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...errors import InputError, ShapeError

Nodes = int | Sequence[int] | np.ndarray


class Contact:
    """What a contact declares. Another kind of contact is a dataclass that overrides these.

    Attributes
    ----------
    nodes : int or sequence of int
    area : float or ndarray
        Measure of the boundary that belongs to each node.
    offset : float
        Of a gate: potential at the nodes minus the voltage, V.
    barrier : float
        Conduction band above the Fermi level of the metal, eV, if there is a barrier.
    fixes_carriers : bool
        Whether the levels of the carriers at its nodes are that of the metal.
    has_barrier : bool
        Whether carriers pass a barrier, at the velocities of ``velocities()``.
    is_gate : bool
        Whether it carries no direct current.
    """

    nodes: Nodes
    area: float | np.ndarray = 1.0
    offset: float = 0.0
    barrier: float
    fixes_carriers: ClassVar[bool] = False
    has_barrier: ClassVar[bool] = False
    is_gate: ClassVar[bool] = False

    def potential(self, neutral: Callable[[], Any], Ec: Callable[[], Any], vt: Any) -> Any:
        """Return the potential at the nodes minus the voltage, per vt; a number or an array.

        ``neutral`` gives the potential of neutrality, per vt; ``Ec`` gives the conduction band at
        the nodes, eV.
        """
        return self.offset / vt

    def velocities(self) -> tuple[float, float]:
        """Return the velocities at which electrons and holes pass the barrier, cm/s.

        Raises
        ------
        InputError
            A contact with ``has_barrier`` does not define them.
        """
        raise InputError(
            f"{type(self).__name__} declares has_barrier: define velocities(), which returns the "
            "two velocities of electrons and holes, cm/s"
        )

    def coupled(self, nodes: np.ndarray) -> CoupledGate | None:
        """Return the gate that acts on these nodes of the semiconductor without fixing them."""
        return None


@dataclass(frozen=True)
class Ohmic(Contact):
    """Charge neutrality and equilibrium at the contact's nodes.

    A node in several regions is neutral as a whole. The charge of traps in the volume counts, that
    of traps at an interface does not. Minority carriers recombine at the contact without delay. A
    contact on the narrow base of a transistor therefore takes much of the collector's current; a
    `Schottky` with ``v_n=0`` or ``v_p=0`` takes one carrier only.

    Parameters
    ----------
    nodes : int or sequence of int
        Node numbers; negative ones count from the end. Or a mask, a bool for every node.

    See Also
    --------
    Schottky, Gate

    Examples
    --------
    The first node of a mesh, and the last one:

    >>> from sgsolve.devices import Ohmic
    >>> contacts = {"anode": Ohmic(0), "cathode": Ohmic(-1)}
    """

    fixes_carriers: ClassVar[bool] = True

    nodes: Nodes

    def potential(self, neutral: Callable[[], Any], Ec: Callable[[], Any], vt: Any) -> Any:
        """That of neutrality."""
        return neutral()


@dataclass(frozen=True)
class Schottky(Contact):
    """Thermionic emission over a barrier.

    Parameters
    ----------
    nodes : int or sequence of int
        Node numbers.
    barrier : float
        Conduction band above the Fermi level of the metal, eV; at most 1 eV outside the gap.
    v_n, v_p : float
        Recombination velocities, cm/s; ``A* T^2 / (q Nc)``, about 2.5e6 for electrons in silicon.
        At 0 the contact does not take that carrier.
    area : float or ndarray, default 1
        Measure of the boundary that belongs to each node, cm**(dim - 1); 1 in one dimension.

    See Also
    --------
    Ohmic, Gate

    Examples
    --------
    A barrier of 0.8 eV at the first node:

    >>> from sgsolve.devices import Schottky
    >>> Schottky(0, barrier=0.8).barrier
    0.8
    """

    has_barrier: ClassVar[bool] = True

    nodes: Nodes
    barrier: float
    v_n: float = 2.573e6
    v_p: float = 1.93e6
    area: float | np.ndarray = 1.0

    def potential(self, neutral: Callable[[], Any], Ec: Callable[[], Any], vt: Any) -> Any:
        """That at which the conduction band is the barrier above the metal."""
        return (Ec() - self.barrier) / vt

    def velocities(self) -> tuple[float, float]:
        """As they were given."""
        return self.v_n, self.v_p


@dataclass(frozen=True)
class Gate(Contact):
    """An electrode that carries no direct current.

    Parameters
    ----------
    nodes : int or sequence of int
        Nodes on a meshed insulator, whose potential the gate fixes. If `capacitance` is given:
        nodes of the semiconductor's surface behind an insulator that is not meshed.
    offset : float, default 0
        Potential at the nodes minus the applied voltage, V. With the bands' energies counted from
        the vacuum level this is minus the work function of the metal.
    capacitance : float, optional
        Of the insulator per area, F/cm^2.
    area : float or ndarray, default 1
        Measure of the boundary that belongs to each node, cm**(dim - 1); with `capacitance` only.

    Raises
    ------
    InputError
        If a number is wrong; `Device` checks the nodes.

    See Also
    --------
    Ohmic, Schottky

    Examples
    --------
    An oxide of 10 nm that is not meshed:

    >>> from sgsolve.devices import Gate
    >>> gate = Gate(0, capacitance=3.9 * 8.854e-14 / 1e-6)
    >>> f"{gate.capacitance:.3g}"  # F/cm^2
    '3.45e-07'
    """

    is_gate: ClassVar[bool] = True

    nodes: Nodes
    offset: float = 0.0
    capacitance: float | None = None
    area: float | np.ndarray = 1.0

    def coupled(self, nodes: np.ndarray) -> CoupledGate | None:
        """The gate behind its insulator, if a capacitance stands for that."""
        if self.capacitance is None:
            return None
        return CoupledGate(nodes, np.ones(len(nodes)) * self.area * self.capacitance, self.offset)


@dataclass(frozen=True)
class CoupledGate:
    """A gate behind an insulator that is not meshed, on the nodes of a device.

    Attributes
    ----------
    nodes : ndarray of int, shape (k,)
    coupling : ndarray, shape (k,)
        Capacitance to each node, F (times cm^(dim - 3)).
    offset : float
        See `Gate`.
    """

    nodes: np.ndarray
    coupling: np.ndarray
    offset: float

    def charge(self, voltage: Any, psi: Any) -> Any:
        """Charge opposite to each node, C, at a voltage and the potentials of the nodes."""
        return self.coupling * (voltage + self.offset - psi)


@dataclass(frozen=True)
class Surface:
    """A surface where carriers recombine.

    Parameters
    ----------
    nodes : sequence of int
        Nodes of the surface, or a mask, a bool for every node.
    area : float or ndarray
        Measure of the surface that belongs to each node, cm**(dim - 1).
    region : str or pair of str, optional
        In a device with `Regions`: whose carriers recombine. At an interface of two regions the
        electrons of the first name and the holes of the second recombine. Needed where a node is
        in several regions.

    See Also
    --------
    Device : Takes it as ``surfaces={"name": Surface(nodes)}``.

    Examples
    --------
    >>> from sgsolve.devices import Surface
    >>> Surface([0, 1, 2], area=1e-4).area
    0.0001
    """

    nodes: Sequence[int] | np.ndarray
    area: float | np.ndarray = 1.0
    region: str | tuple[str, str] | None = None


def node_numbers(name: str, contact: Contact, n: int) -> np.ndarray:
    """Node numbers of a contact, checked, counted from the start."""
    check_numbers(f"contact {name!r}", contact)
    return node_list(f"contact {name!r}", contact.nodes, contact.area, n)


def node_list(what: str, nodes: Nodes, area: float | np.ndarray, n: int) -> np.ndarray:
    """Node numbers counted from the start, in the order of their areas if these differ."""
    nodes = np.atleast_1d(np.asarray(nodes))
    if nodes.dtype == bool and nodes.shape == (n,):
        nodes = np.flatnonzero(nodes)
    if nodes.dtype.kind not in "iu" or nodes.ndim != 1 or not len(nodes):
        raise InputError(f"{what}: nodes must be a list of node numbers, got {nodes!r}")
    if nodes.min() < -n or nodes.max() >= n:
        raise InputError(f"{what}: has nodes outside the mesh of {n} nodes")
    nodes = np.where(nodes < 0, nodes + n, nodes)
    if np.ndim(area) == 0:
        return np.unique(nodes)
    if np.shape(area) != nodes.shape:
        raise ShapeError(
            f"{what}: needs one area, or one for each of its {len(nodes)} nodes, got shape "
            f"{np.shape(area)}"
        )
    if len(np.unique(nodes)) < len(nodes):
        raise InputError(f"{what}: names a node twice; add its areas up")
    return nodes


def check_numbers(what: str, contact: Contact | Surface) -> None:
    """Raise for numbers of a contact or a surface that cannot be right."""
    for name in ("v_n", "v_p", "area", "capacitance"):
        value = getattr(contact, name, None)
        if value is not None and not (np.isfinite(value).all() and np.min(value) >= 0.0):
            raise InputError(f"{what}: {name} must not be negative, got {np.min(value):g}")
    if getattr(contact, "capacitance", None) == 0.0:
        raise InputError(f"{what}: capacitance must be positive, got 0; leave such a gate away")
