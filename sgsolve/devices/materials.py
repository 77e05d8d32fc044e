"""The table of materials, see `Material` for the meaning of the numbers and the sources."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

from ..errors import InputError
from .material import LATTICE, NONE, PARABOLIC, Material

__all__ = ["algaas", "gaas", "gan", "perovskite", "sic_4h", "silicon"]

MASS = 2.5094e19  # cm^-3, density of states at 300 K of the electron's own mass

silicon = Material(
    name="Si", eps_r=11.7, affinity=4.05, gap_0=1.1696, varshni_a=4.73e-4, varshni_b=636.0,
    Nc=2.86e19, Nv=3.10e19, Nc_power=1.58, Nv_power=1.85,
    mu_n=1417.0, mu_p=470.5, mu_n_power=-2.285, mu_p_power=-2.247,
    tau_n=1e-5, tau_p=3e-6, C_n=2.8e-31, C_p=9.9e-32, heat_capacity=1.63,
    sources={
        "heat_capacity": "Ioffe: 2.329 g/cm^3, 0.7 J/(g K)",
        "gap": "Genius, Si_band_Sdevice.cc",
        "Nc, Nv, states_power": "M. A. Green, J. Appl. Phys. 67 (1990) 2944, as in Genius",
        "affinity": "Ioffe; Genius has 4.17 eV",
        "eps_r": "Genius",
        "tau": "Genius, Si_band_Sdevice.cc; 1e-7 s in its Si_band_default.cc",
        "C": "Genius, Si_band_default.cc",
        "unconfirmed": "tau",
        "mu, mu_power": "Klaassen (lattice)",
        "B_rad": "0: Auger and traps dominate",
    },
)  # fmt: skip

gaas = Material(
    name="GaAs", eps_r=12.9, affinity=4.07, gap_0=1.519, varshni_a=5.405e-4, varshni_b=204.0,
    Nc=4.35e17, Nv=9.5e18, mu_n=8500.0, mu_p=400.0, mu_n_power=-1.0, mu_p_power=-2.1,
    tau_n=1e-9, tau_p=1e-9, B_rad=7.2e-10, C_n=1e-30, C_p=1e-30, heat_capacity=1.76,
    sources={
        "heat_capacity": "Ioffe: 5.32 g/cm^3, 0.33 J/(g K)",
        "eps_r, affinity, B_rad, C": "Ioffe",
        "gap": "Vurgaftman",
        "Nc": "mass of 0.067",
        "Nv": "Levinshtein: 1.83e15 T^1.5 cm^-3",
        "states_power": PARABOLIC,
        "mu, mu_power, tau": "Genius",
    },
)  # fmt: skip

gan = Material(
    name="GaN", eps_r=8.9, affinity=4.1, gap_0=3.507, varshni_a=9.09e-4, varshni_b=830.0,
    Nc=2.3e18, Nv=4.6e19, mu_n=1000.0, mu_p=30.0, tau_n=1e-9, tau_p=1e-9, B_rad=1.1e-8,
    heat_capacity=3.01,
    sources={
        "heat_capacity": "Ioffe: 6.15 g/cm^3, 0.49 J/(g K)",
        "affinity, Nc": "Ioffe, GaN/bandstr.html",
        "eps_r, Nv": "epj-pv.org, pv180009, table 1 (2018)",
        "mu_n, B_rad": "Ioffe",
        "gap": "Vurgaftman",
        "mu_p, tau": "assumed",
        "mu_power": LATTICE,
        "states_power": PARABOLIC,
        "C": NONE,
        "unconfirmed": "mu_n, B_rad",
    },
)  # fmt: skip

sic_4h = Material(
    name="4H-SiC", eps_r=9.78, affinity=3.24, gap_0=3.265, varshni_a=6.5e-4, varshni_b=1300.0,
    Nc=1.83e19, Nv=1.86e19, mu_n=900.0, mu_p=120.0, tau_n=5e-7, tau_p=5e-7, heat_capacity=2.21,
    sources={
        "heat_capacity": "Ioffe: 3.21 g/cm^3, 0.69 J/(g K) of 6H",
        "eps_r, affinity": "Genius, 4H-SiC_basic.cc",
        "tau": "Genius",
        "gap, mu": "Ioffe",
        "Nc, Nv": "masses of Genius, 4H-SiC_band.cc: 0.39, holes 0.82; three valleys",
        "mu_power": LATTICE,
        "states_power": PARABOLIC,
        "B_rad, C": NONE,
        "unconfirmed": "gap, mu",
    },
)  # fmt: skip

perovskite = Material(
    name="MAPbI3", eps_r=24.1, affinity=3.7, gap_0=1.7, Nc=8.1e18, Nv=5.8e18,
    mu_n=66.2, mu_p=66.2, tau_n=3e-9, tau_p=3e-7, B_rad=3.6e-12, heat_capacity=1.28,
    sources={
        "heat_capacity": "N. Onoda-Yamamuro et al., J. Phys. Chem. Solids 51 (1990) 1383: about "
        "190 J/(mol K); 4.16 g/cm^3",
        "eps_r, affinity, Nc, Nv, mu, tau, B_rad": "IonMonger",
        "gap": "IonMonger; at all temperatures",
        "mu_power": LATTICE,
        "states_power": PARABOLIC,
        "C": NONE,
    },
)  # fmt: skip


def algaas(x: float) -> Material:
    """Return Al(x)Ga(1-x)As with a direct gap.

    Parameters
    ----------
    x : float
        Share of aluminum, 0 to 0.45.

    Returns
    -------
    Material
        Values of *Ioffe* by x; the change of the gap with the temperature is that of GaAs.

    Raises
    ------
    InputError
        If x is outside.

    See Also
    --------
    Material : What it has.

    Examples
    --------
    >>> from sgsolve.devices import materials
    >>> round(materials.algaas(0.3).gap(300.0), 3)
    1.797
    """
    if not 0.0 <= x <= 0.45:
        raise InputError(f"x: the share of aluminum must be between 0 and 0.45, got {x!r}")
    light, heavy = 0.082 + 0.068 * x, 0.51 + 0.25 * x
    return replace(
        gaas,
        name=f"Al({x:g})Ga({1 - x:g})As",
        eps_r=12.90 - 2.84 * x,
        affinity=4.07 - 1.1 * x,
        gap_0=1.519 + 1.247 * x,
        Nc=MASS * (0.063 + 0.083 * x) ** 1.5,
        Nv=MASS * (light**1.5 + heavy**1.5),
        mu_n=8000.0 - 22000.0 * x + 10000.0 * x**2,
        mu_p=370.0 - 970.0 * x + 740.0 * x**2,
        B_rad=1.8e-10,
        heat_capacity=(5.32 - 1.56 * x) * (0.33 + 0.12 * x),
        sources={
            "eps_r, affinity": "Ioffe, AlGaAs/basic.html",
            "Nc, Nv": "masses of Ioffe, AlGaAs/basic.html",
            "states_power": PARABOLIC,
            "gap": "Ioffe; its change with the temperature is that of GaAs",
            "mu, B_rad": "Ioffe",
            "heat_capacity": "Ioffe: density times specific heat",
            "unconfirmed": "gap, mu, B_rad, heat_capacity",
            "tau, C, mu_power": "those of GaAs",
        },
    )


def __getattr__(name: str) -> Material:
    """Raise for a material that is not in the table, with the nearest name."""
    known = {key: key for key in __all__}
    known |= {m.name.lower(): k for k in __all__ if isinstance(m := globals()[k], Material)}
    near = [key for key in known if key.startswith(name.lower())]
    near = [name.lower()] * (name.lower() in known) + near + get_close_matches(name.lower(), known)
    hint = f"; did you mean {known[near[0]]!r}?" if near else ""
    raise AttributeError(f"materials: there is no {name!r}, there are {', '.join(__all__)}{hint}")
