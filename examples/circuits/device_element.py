"""Devices of `sgsolve.devices` as elements of a circuit.

The voltages of a device's contacts are those of the circuit's nodes, and its terminal currents,
with their displacement parts, enter the sums of currents there. All equations are solved together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from nodal_analysis import GROUND, Circuit, Equations

from sgsolve import Problem
from sgsolve.devices import Device, TimeForm


class DeviceElement:
    """A device between nodes of a circuit.

    Parameters
    ----------
    device : Device
    contacts : mapping of str to str
        The node at each contact.
    area : float
        Of the device, cm^2 (cm of width in two dimensions).
    """

    def __init__(self, device: Device, contacts: Mapping[str, str], area: float) -> None:
        self.contacts, self.area, self.parameters = dict(contacts), area, device.parameters
        x = device.equilibrium()
        self.form = TimeForm(device, x, device.parameters)
        self.start = self.form.unknowns(x, device.parameters)
        self.pairs = [self.form.current(name) for name in contacts]

    def at(self, voltages: Mapping[str, Any]) -> dict[str, Any]:
        """Return the device's parameters at voltages of the circuit's nodes."""
        return self.parameters | {
            f"V_{contact}": voltages[node] for contact, node in self.contacts.items()
        }


class DeviceCircuit(Circuit):
    """A circuit that may contain devices.

    Examples
    --------
    A bar of silicon of 62.4 Ohm and a resistor divide a voltage that rises slowly:

    >>> from sgsolve.devices import Ohmic, interval
    >>> bar = Device(interval(np.linspace(0, 1e-3, 21)), np.full(21, 1e15),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0})
    >>> circuit = DeviceCircuit()
    >>> circuit.voltage("in", "0", lambda t: 1e3 * t)
    >>> circuit.resistor("in", "out", 62.4151)
    >>> circuit.device(bar, {"a": "out", "b": "0"}, area=1e-4)
    >>> run = circuit.problem().transient(circuit.zeros(), (0.0, 1e-3))
    >>> print(f"{circuit.at('out', run.x):.4f}")
    0.5000
    """

    def __init__(self) -> None:
        super().__init__()
        self.devices: list[DeviceElement] = []

    def device(self, device: Device, contacts: Mapping[str, str], area: float) -> None:
        """Add a device, see `DeviceElement`."""
        for node in contacts.values():
            self._number(node)
        self.devices.append(DeviceElement(device, contacts, area))

    def zeros(self) -> np.ndarray:
        """Return a start without voltages: the devices in equilibrium."""
        return np.concatenate([super().zeros(), *[one.start for one in self.devices]])

    def tolerances(self, rtol: float) -> dict[str, Any]:
        """Return absolute tolerances of the devices, as `atol` of a transient."""
        return {
            f"{name}_{i}": value
            for i, one in enumerate(self.devices)
            for name, value in one.form.tolerances(rtol).items()
        }

    def problem(self) -> Problem:
        """Return the equations of the circuit, then those of the devices."""
        lumped, k, own = Equations(self), self.n, []
        blocks = {"v": slice(0, len(self.nodes))}
        if k > len(self.nodes):
            blocks["i"] = slice(len(self.nodes), k)
        for i, one in enumerate(self.devices):
            own.append(slice(k, k + len(one.start)))
            for name, part in one.form.blocks.items():
                blocks[f"{name}_{i}"] = slice(k + part.start, k + part.stop)
            k = own[-1].stop

        def joined(x: Any, values: Any, which: int, of_device: Callable[..., Any]) -> Any:
            """Add what the devices take from the nodes; append their own rows."""
            voltages = {GROUND: 0.0} | {node: x[i] for node, i in self.nodes.items()}
            rows = []
            for one, part in zip(self.devices, own, strict=True):
                p, y = one.at(voltages), x[part]
                for pair, node in zip(one.pairs, one.contacts.values(), strict=True):
                    if node != GROUND:
                        place = np.eye(1, self.n, self.nodes[node])[0]
                        values = values + place * (one.area * pair[which](y, **p))
                rows.append(of_device(one.form)(y, **p))
            return np.concatenate([values, *rows])

        def flow(x: Any, t: float, ac: float) -> Any:
            return joined(x, lumped.flow(x[: self.n], t, ac), 0, lambda form: form.residual)

        def storage(x: Any) -> Any:
            return joined(x, lumped.storage(x[: self.n]), 1, lambda form: form.stored)

        return Problem(flow, params={"ac": 0.0}, storage=storage, blocks=blocks)
