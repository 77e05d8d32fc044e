"""A material: parameters at any temperature, with units and sources.

Energies count from the vacuum level: the conduction band is minus the electron affinity. The gap
follows Varshni's formula; half of its change from 300 K goes to each band. Densities of states
and mobilities are powers of the temperature. Lifetimes and coefficients of recombination are
typical values and do not depend on it; replace them by those of your samples.

Sources are named in `Material.sources`, and `Material.table` prints them: *Ioffe*, the NSM archive
of the Ioffe Institute; *Levinshtein*, Handbook Series on Semiconductor Parameters 1 (1996);
*Vurgaftman*, J. Appl. Phys. 89 (2001) 5815 and 94 (2003) 3675; *Genius*, the material files of
Genius-TCAD-Open; *Klaassen*, Solid-State Electron. 35 (1992) 953; *IonMonger*, the parameters of
that program, J. Comput. Electron. 18 (2019) 1435. *Assumed* is what none of them gives.
*Unconfirmed* marks numbers that were not compared with the source once more; compare them before
you publish results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import ad
from ..errors import DataTypeError, InputError
from .constants import CODATA2018
from .material_sources import UNITS, source_table
from .models.model_arguments import keywords

COLDEST, HOTTEST = 1.0, 1500.0  # K
LATTICE = "T^-1.5 of acoustic phonons, assumed"
PARABOLIC = "parabolic bands"
NONE = "0: none in the table"


@dataclass(frozen=True, kw_only=True)
class Material:
    """A semiconductor.

    Parameters
    ----------
    name : str
        For tables and messages.
    eps_r : float
        Relative permittivity.
    affinity : float
        Electron affinity at 300 K, eV.
    gap_0, varshni_a, varshni_b : float
        Gap ``gap_0 - varshni_a T^2 / (T + varshni_b)``: eV, eV/K, K.
    Nc, Nv : float
        Effective densities of states at 300 K, cm^-3.
    Nc_power, Nv_power : float
        Powers of the temperature in them.
    mu_n, mu_p : float
        Mobilities of pure material at 300 K, cm^2/(V s).
    mu_n_power, mu_p_power : float
        Powers of the temperature in them.
    tau_n, tau_p : float
        Lifetimes of Shockley, Read and Hall, s.
    B_rad : float
        Radiative coefficient, cm^3/s.
    C_n, C_p : float
        Auger coefficients, cm^6/s.
    heat_capacity : float
        At 300 K, density times specific heat, J/(cm^3 K): the ``capacity`` of `Heat`.
    sources : dict of str to str
        Where the numbers are from, by the names of the parameters; "gap", "mu", "mu_power",
        "states_power", "tau" and "C" stand for all of that kind.

    See Also
    --------
    layered : Several materials in one device.

    Examples
    --------
    >>> from sgsolve.devices import materials, srh
    >>> print(f"{materials.silicon.gap(77.0):.4f} eV")
    1.1657 eV
    >>> sorted(materials.silicon.at(300.0, [srh]))  # doctest: +NORMALIZE_WHITESPACE
    ['Ec', 'Ev', 'Nc', 'Nv', 'T', 'eps_r', 'mu_n', 'mu_p', 'n1', 'p1', 'tau_n', 'tau_p']
    """

    name: str
    eps_r: float
    affinity: float
    gap_0: float
    varshni_a: float = 0.0
    varshni_b: float = 0.0
    Nc: float
    Nv: float
    Nc_power: float = 1.5
    Nv_power: float = 1.5
    mu_n: float
    mu_p: float
    mu_n_power: float = -1.5
    mu_p_power: float = -1.5
    tau_n: float
    tau_p: float
    B_rad: float = 0.0
    C_n: float = 0.0
    C_p: float = 0.0
    heat_capacity: float
    sources: Mapping[str, str] = field(default_factory=dict)

    def table(self) -> str:
        """Return all parameters as lines of text: name, value, unit, source.

        Examples
        --------
        >>> from sgsolve.devices import materials
        >>> print(materials.gan.table().splitlines()[0])
        eps_r                 8.9             epj-pv.org, pv180009, table 1 (2018)
        """
        return source_table({name: getattr(self, name) for name in UNITS}, self.sources)

    def gap(self, T: Any) -> Any:
        """Return the gap at a temperature in K, eV."""
        return self.gap_0 - self.varshni_a * T**2 / (T + self.varshni_b)

    def at(self, T: Any, models: Sequence[Callable[..., Any]] = ()) -> dict[str, Any]:
        """Return the parameters of a device at a temperature.

        Parameters
        ----------
        T : float, ndarray or AD array
            K; a field of temperatures with `Heat`.
        models : sequence of functions
            The device's ``recombination``: parameters that they name are added, with a trap in the
            middle of the gap (``n1`` and ``p1`` are the intrinsic density).

        Returns
        -------
        dict of str to float
            For `Device`, in its units. A parameter that the table does not have is not in it.

        Raises
        ------
        InputError
            If the temperature is below 1 K or above 1500 K.
        DataTypeError
            If it is no number, or the models are no functions.
        """
        if not (isinstance(models, Sequence) and all(map(callable, models))):
            raise DataTypeError(
                "models: must be a list of recombination functions, such as [radiative], got "
                f"{models!r}"
            )
        if np.asarray(ad.value(T)).dtype.kind not in "iuf":
            raise DataTypeError(f"T: must be a temperature in K, got {T!r}")
        low, high = np.min(ad.value(T)), np.max(ad.value(T))
        if not COLDEST <= low <= high <= HOTTEST:
            off = high if high > HOTTEST else low
            raise InputError(f"T: must be between {COLDEST:g} and {HOTTEST:g} K, got {off:g}")
        t, gap = T / 300.0, self.gap(T)
        Nc, Nv = self.Nc * t**self.Nc_power, self.Nv * t**self.Nv_power
        Ec = -self.affinity + 0.5 * (gap - self.gap(300.0))
        intrinsic = np.sqrt(Nc * Nv) * np.exp(-0.5 * gap / CODATA2018.thermal_voltage(T))
        extra = {name: getattr(self, name) for name in ("tau_n", "tau_p", "B_rad", "C_n", "C_p")}
        extra |= {"n1": intrinsic, "p1": intrinsic}
        named = {name for model in models for name in keywords(model)}
        found = {"T": T, "eps_r": self.eps_r, "Nc": Nc, "Nv": Nv, "Ec": Ec, "Ev": Ec - gap}
        found["mu_n"] = self.mu_n * t**self.mu_n_power
        found["mu_p"] = self.mu_p * t**self.mu_p_power
        return found | {name: value for name, value in extra.items() if name in named}


def layered(
    regions: Any,
    materials: Mapping[str, Material],
    T: float,
    models: Sequence[Callable[..., Any]] = (),
) -> dict[str, Any]:
    """Return the parameters of a device of several materials, arrays over nodes or pairs.

    Parameters
    ----------
    regions : array_like of str, shape (n,)
        The region of each node of the semiconductor, or of each pair: ``Regions.names``.
    materials : mapping of str to Material
        By region.
    T : float
        K.
    models : sequence of functions
        As for `Material.at`.

    Returns
    -------
    dict of str to float or ndarray
        For `Device`.

    Raises
    ------
    InputError
        If a region has no material.
    DataTypeError
        If a material is none.

    See Also
    --------
    Material.at : One material.
    Regions : Nodes at interfaces with parameters of both materials.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import layered, materials
    >>> layers = {"wide": materials.algaas(0.3), "narrow": materials.gaas}
    >>> found = layered(["wide", "narrow"], layers, 300.0)
    >>> round(float(found["Ec"][0] - found["Ec"][1]), 3)
    0.33
    """
    names = np.asarray(regions)
    for name, material in materials.items():
        if not isinstance(material, Material):
            raise DataTypeError(f"materials: {name!r} must be a Material, not {material!r}")
    missing = sorted(set(names.tolist()) - set(materials))
    if missing:
        raise InputError(f"regions: {missing[0]!r} has no material; there are {list(materials)}")
    tables = {name: material.at(T, models) for name, material in materials.items()}
    found: dict[str, Any] = {"T": float(T)}
    for key in next(iter(tables.values())):
        if key != "T":
            found[key] = np.array([tables[name][key] for name in names.tolist()])
    return found
