"""A device of `sgsolve.devices` as an element of a circuit.

The voltages of its contacts are those of the circuit's nodes, and its terminal currents, with their
displacement parts, enter the sums of currents there. All equations are solved together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
        self.nodes, self.area = list(contacts.values()), area
        x = device.equilibrium()
        self.form = TimeForm(device, x, device.parameters)
        self.start = self.form.unknowns(x, device.parameters)
        self.names = [f"V_{name}" for name in contacts]
        self.pairs = [self.form.current(name) for name in contacts]
        self.parameters = device.parameters

    def flow(self, x: Any, voltages: Sequence[Any]) -> tuple[list[Any], Any]:
        """Return the currents that are conducted from the nodes, A, and the device's equations."""
        p = self._parameters(voltages)
        sent = [self.area * conducted(x, **p) for conducted, _ in self.pairs]
        return sent, self.form.residual(x, **p)

    def storage(self, x: Any, voltages: Sequence[Any]) -> tuple[list[Any], Any]:
        """Return the charges at the contacts, C, and what the device stores."""
        p = self._parameters(voltages)
        held = [self.area * displaced(x, **p) for _, displaced in self.pairs]
        return held, self.form.stored(x, **p)

    def _parameters(self, voltages: Sequence[Any]) -> dict[str, Any]:
        return self.parameters | dict(zip(self.names, voltages, strict=True))
