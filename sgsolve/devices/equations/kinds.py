"""Checks of the types of a device's arguments, before they are used.

The message names the argument, what was given and what is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import DataTypeError
from ..constants import Constants
from ..meshes.mesh import Mesh
from ..meshes.regions import Regions
from ..models.contacts import Gate, Ohmic, Schottky, Surface
from ..models.heat import Heat
from ..models.interfaces import SheetCharge, Thermionic
from ..models.ions import Ion
from ..models.trap_levels import TrapLevel
from ..models.tunnel_junction import TunnelJunction


def check_kinds(given: Mapping[str, Any]) -> None:
    """Raise for arguments of the wrong kind, by their names in `Device`."""
    _check_one("mesh", given["mesh"], Mesh, "a Mesh, such as interval(x) gives")
    _check_one("constants", given["constants"], Constants, "Constants")
    _check_named("contacts", given["contacts"], (Ohmic, Schottky, Gate), "Ohmic, Schottky or Gate")
    _check_named("surfaces", given["surfaces"] or {}, (Surface,), "Surface")
    _check_named(
        "interfaces",
        given["interfaces"] or {},
        (Thermionic, SheetCharge, TunnelJunction),
        "Thermionic, SheetCharge or TunnelJunction",
    )
    _check_named("trap_levels", given["trap_levels"] or {}, (TrapLevel,), "TrapLevel")
    _check_named("ions", given["ions"] or {}, (Ion,), "Ion")
    if given["heat"] is not None:
        _check_one("heat", given["heat"], Heat, "Heat")
    if given["regions"] is not None:
        _check_one("regions", given["regions"], Regions, "Regions")
    _check_one("parameters", given["parameters"], Mapping, "a dictionary of names and values")
    for name, value in given["parameters"].items():
        check_real(name, value)
    for name in ("recombination", "traps"):
        models = given[name]
        if callable(models) or not isinstance(models, Sequence) or not all(map(callable, models)):
            raise DataTypeError(f"{name}: must be a list of functions, got {models!r}")
    if given["mobility"] is not None and not callable(given["mobility"]):
        raise DataTypeError(f"mobility: must be a function, got {given['mobility']!r}")
    if given["ionization"] is not None and not callable(given["ionization"]):
        raise DataTypeError(f"ionization: must be a function, got {given['ionization']!r}")
    statistics = given["statistics"]
    known = hasattr(statistics, "log_gamma") and not isinstance(statistics, type)
    if statistics is not None and not known:
        raise DataTypeError(
            f"statistics: must be an object with log_gamma, such as Blakemore(); got {statistics!r}"
        )


def check_real(name: str, value: Any) -> None:
    """Raise for what is no real number and no array of real numbers."""
    if np.asarray(value).dtype.kind not in "iuf":
        raise DataTypeError(f"{name}: must be a number or an array of numbers, got {value!r}")


def _check_one(name: str, value: Any, kind: Any, wanted: str) -> None:
    if not isinstance(value, kind):
        raise DataTypeError(f"{name}: must be {wanted}, not {type(value).__name__}")


def _check_named(name: str, values: Any, kinds: tuple[type, ...], wanted: str) -> None:
    _check_one(name, values, Mapping, f"a dictionary of names and {wanted}")
    for key, value in values.items():
        if not isinstance(value, kinds):
            raise DataTypeError(f"{name}: {key!r} must be {wanted}, not {value!r}")
