"""Checks of the types of a device's arguments, before they are used.

The message names the argument, what was given and what is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from ....errors import DataTypeError, NotFiniteError
from ...constants import Constants
from ...meshes.mesh import Mesh
from ...meshes.regions import Regions
from ...models.contacts import Contact, Surface
from ...models.heat import Heat
from ...models.interfaces import SheetCharge, Thermionic
from ...models.ions import Ion
from ...models.trap_levels import TrapLevel
from ...models.tunnel_junction import TunnelJunction

SEVERAL = ("recombination", "traps")  # models of which a device may have several
# What the dictionaries of a device hold: classes, and their names.
PLACED: dict[str, tuple[tuple[type, ...], str]] = {
    "surfaces": ((Surface,), "Surface"),
    "interfaces": (
        (Thermionic, SheetCharge, TunnelJunction),
        "Thermionic, SheetCharge or TunnelJunction",
    ),
    "trap_levels": ((TrapLevel,), "TrapLevel"),
    "ions": ((Ion,), "Ion"),
}


def check_kinds(
    mesh: Any,
    contacts: Any,
    parameters: Any,
    constants: Any,
    models: Mapping[str, Any],
    named: Mapping[str, Any],
    heat: Any,
    regions: Any,
    statistics: Any,
) -> None:
    """Raise for arguments of `Device` of the wrong kind.

    Parameters
    ----------
    models : mapping
        The arguments that are functions, or lists of functions, by their names.
    named : mapping
        Those that are dictionaries of objects at places in the device.
    mesh, contacts, parameters, constants, heat, regions, statistics
        As `Device` takes them.

    Raises
    ------
    DataTypeError
    """
    _check_one("mesh", mesh, Mesh, "a Mesh, such as interval(x) gives")
    _check_one("constants", constants, Constants, "Constants")
    _check_named("contacts", contacts, (Contact,), "Ohmic, Schottky or Gate")
    for name, values in named.items():
        _check_named(name, values or {}, *PLACED[name])
    if heat is not None:
        _check_one("heat", heat, Heat, "Heat")
    if regions is not None:
        _check_one("regions", regions, Regions, "Regions")
    _check_one("parameters", parameters, Mapping, "a dictionary of names and values")
    for name, value in parameters.items():
        check_real(name, value)
    for name in SEVERAL:
        _check_functions(name, models[name])
    for name in (name for name in models if name not in SEVERAL):
        if models[name] is not None and not callable(models[name]):
            raise DataTypeError(f"{name}: must be a function, got {models[name]!r}")
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


def _check_functions(name: str, models: Any) -> None:
    if callable(models) or not isinstance(models, Sequence) or not all(map(callable, models)):
        raise DataTypeError(f"{name}: must be a list of functions, got {models!r}")


def _check_named(name: str, values: Any, kinds: tuple[type, ...], wanted: str) -> None:
    _check_one(name, values, Mapping, f"a dictionary of names and {wanted}")
    for key, value in values.items():
        if not isinstance(value, kinds):
            raise DataTypeError(f"{name}: {key!r} must be {wanted}, not {value!r}")
        _check_numbers(f"{name}: {key!r}", value)


def _check_numbers(what: str, part: Any) -> None:
    """Raise for fields of a part that should be numbers and are not, by their annotations."""
    for one in fields(part):
        value = getattr(part, one.name)
        if value is not None and "float" in str(one.type):
            check_real(f"{what}: {one.name}", value)
            if not np.isfinite(value).all():
                raise NotFiniteError(f"{what}: {one.name} is not finite, got {value!r}")
