"""Checks of a device and of its states, made before any work."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import DataTypeError, InputError, NotFiniteError, ShapeError
from ....results import Branch, Result
from ...meshes.mesh import Mesh
from ...meshes.regions import Regions
from ...models.contacts import check_numbers, node_list
from ...models.interfaces import SheetCharge
from ...models.model_arguments import more_arguments
from ..model import DeviceModel
from .kinds import check_real

DENSEST = 1e23  # cm^-3
PAIRS = "pairs of a node and a region"


def doping(mesh: Mesh, regions: Regions | None, values: Any) -> np.ndarray:
    """Net doping as an array over the nodes, or the pairs of a node and a region, or an error."""
    check_real("doping", values)
    array = np.asarray(values, dtype=float)
    many, what = (mesh.n, "nodes") if regions is None else (len(regions.nodes), PAIRS)
    if array.shape != (many,):
        raise ShapeError(
            f"doping: needs one value for each of the {many} {what}, got shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise NotFiniteError("doping: has values that are not finite")
    check_densest(array)
    return array


def check_densest(values: np.ndarray) -> None:
    """Raise for more dopants than a crystal has atoms."""
    top = float(np.abs(values).max())
    if top > DENSEST:
        raise InputError(
            f"doping: reaches {top:.3g} per cm^3, and no crystal has more than {DENSEST:g} atoms; "
            "densities are per cm^3"
        )


def surfaces(device: DeviceModel) -> None:
    """Raise for surfaces on nodes that are not there."""
    lay = device.layout
    for name, where in device.surfaces.items():
        what = f"surface {name!r}"
        check_numbers(what, where)
        nodes, _ = lay.sides(what, where)
        given = np.asarray(where.nodes)
        if len(nodes) < (given.sum() if given.dtype == bool else given.size):
            raise InputError(f"{what}: names a node twice")


def sheets(device: DeviceModel) -> list[str]:
    """Names of the sheets of charge; an error if one sits on nodes that are not there."""
    found = {k: v for k, v in device.interfaces.items() if isinstance(v, SheetCharge)}
    for name, sheet in found.items():
        node_list(f"interface {name!r}", sheet.nodes, sheet.area, device.layout.n)
    return list(found)


def flux(name: str) -> str:
    """The name of a flux, or an error."""
    if name not in ("diffusion_enhanced", "excess_potential"):
        raise InputError(f"flux: must be 'diffusion_enhanced' or 'excess_potential', got {name!r}")
    return name


def field(name: str) -> str:
    """The name of a driving field, or an error."""
    if name not in ("potential", "quasi_fermi"):
        raise InputError(f"field: must be 'potential' or 'quasi_fermi', got {name!r}")
    return name


def cells(device: DeviceModel) -> None:
    """Make the fields in the cells now, where a model needs them: an error comes before any work.

    Impact ionization does, and recombination that takes the field.
    """
    in_field = any("field" in more_arguments(model) for model in device.recombination)
    if in_field or device.ionization is not None:
        _ = device.cell_fields


def held_carriers(device: DeviceModel) -> None:
    """Refuse contacts that leave the number of carriers open; between ions they do not matter."""
    if not (device.layout.reached or device.ions):
        raise InputError(
            "contacts: gates alone leave the number of carriers open; give the semiconductor "
            "an Ohmic or a Schottky contact"
        )


def state(device: DeviceModel, name: str, x: Any) -> None:
    """Raise for what cannot be a state of the device."""
    if isinstance(x, Result | Branch):
        kind = type(x).__name__
        raise DataTypeError(f"{name}: must be an array, not a {kind}; give its {kind.lower()}.x")
    least = device.layout.n + 2 * device.layout.n_s
    if np.ndim(x) != 1 or np.shape(x)[0] < least:
        raise ShapeError(
            f"{name}: a state of this device has psi, phin and phip in one array, {least} values "
            f"or more; got shape {np.shape(x)}"
        )
