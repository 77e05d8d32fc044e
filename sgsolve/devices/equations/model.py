"""The data of a device that its equations read."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ..constants import Constants
from ..meshes.cell_fields import CellFields
from ..meshes.mesh import Mesh
from ..meshes.regions import Regions
from ..models.carrier_statistics import CarrierStatistics
from ..models.contacts import Contact, Surface
from ..models.device_layout import CarrierRows, DeviceLayout
from ..models.heat import Heat
from ..models.interfaces import EmissionEdges, Interface
from ..models.ions import IonRegion
from ..models.trap_levels import LevelNodes
from ..models.tunnel_junction import Tunneling

Model = Callable[..., Any]


class DeviceModel:
    """Mesh, contacts, models and parameters of a device, see `Device`.

    Attributes
    ----------
    layout : DeviceLayout
        Where the unknowns are.
    poisson_rows : (csr_array, ndarray)
        Divergence of the dielectric fluxes with every row divided by its coupling, and the factors.
    carrier_rows : dict of str to CarrierRows
        The same for electrons ("n") and holes ("p").
    firmness : ndarray
        What is added to the diagonal of the Jacobian, see `floating.firmness`.
    trap_levels : dict of str to LevelNodes
        Traps whose occupation takes time.
    heat : Heat or None
        The heat equation.
    ionization : function or None
        Coefficient of impact ionization, see `ionization`.
    regions : Regions or None
        Where parameters run over pairs of a node and a region.
    emission : EmissionEdges or None
        Edges where carriers pass by emission.
    tunneling : Tunneling or None
        Tunnel junctions.
    built_in : dict
        Neutral potentials of the contacts, with the parameters that they were computed for.
    demanded : tuple or None
        Values of `fixed_potentials`, after the parameters that they were computed for.
    """

    mesh: Mesh
    contacts: dict[str, Contact]
    constants: Constants
    recombination: tuple[Model, ...]
    traps: tuple[Model, ...]
    mobility: Model | None
    field: str
    flux: str
    surfaces: dict[str, Surface]
    interfaces: dict[str, Interface]
    ions: dict[str, IonRegion]
    regions: Regions | None
    heat: Heat | None
    trap_levels: dict[str, LevelNodes]
    ionization: Model | None
    statistics: CarrierStatistics
    parameters: dict[str, Any]
    layout: DeviceLayout
    poisson_rows: tuple[csr_array, np.ndarray]
    carrier_rows: dict[str, CarrierRows]
    firmness: np.ndarray
    emission: EmissionEdges | None
    tunneling: Tunneling | None
    built_in: dict[str, Any]
    demanded: tuple[list[float], list[Any], np.ndarray] | None

    @cached_property
    def cell_fields(self) -> CellFields:
        """Fields and current densities in the cells."""
        return CellFields(self)

    @property
    def keeps_fluxes(self) -> bool:
        """Whether a state has the fluxes after the potentials.

        Impact ionization multiplies them. A tunnel junction conducts so well that, between two
        regions without a contact, the sum of their balances would be rounded away.
        """
        return self.ionization is not None or self.tunneling is not None

    @property
    def thermal_voltage(self) -> float:
        """``k T / q`` in V at the device's own temperature."""
        return self.constants.thermal_voltage(self.parameters["T"])
