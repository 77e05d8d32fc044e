"""The parameters of a material as a table: value, unit, source.

A source stands for several numbers at once, such as "gap" for the three of Varshni's formula.
"""

from __future__ import annotations

from collections.abc import Mapping

UNITS = {
    "eps_r": "",
    "affinity": "eV",
    "gap_0": "eV",
    "varshni_a": "eV/K",
    "varshni_b": "K",
    "Nc": "cm^-3",
    "Nv": "cm^-3",
    "Nc_power": "",
    "Nv_power": "",
    "mu_n": "cm^2/(V s)",
    "mu_p": "cm^2/(V s)",
    "mu_n_power": "",
    "mu_p_power": "",
    "tau_n": "s",
    "tau_p": "s",
    "B_rad": "cm^3/s",
    "C_n": "cm^6/s",
    "C_p": "cm^6/s",
    "heat_capacity": "J/(cm^3 K)",
}
GROUPS = {
    "gap": ("gap_0", "varshni_a", "varshni_b"),
    "mu": ("mu_n", "mu_p"),
    "mu_power": ("mu_n_power", "mu_p_power"),
    "states_power": ("Nc_power", "Nv_power"),
    "tau": ("tau_n", "tau_p"),
    "C": ("C_n", "C_p"),
}
UNCONFIRMED = "unconfirmed"


def source_of(name: str, sources: Mapping[str, str]) -> str:
    """Return the source of a number, and whether it is unconfirmed; empty if none is named."""
    for key, text in sources.items():
        if key != UNCONFIRMED and name in _named_numbers(key):
            doubtful = name in _named_numbers(sources.get(UNCONFIRMED, ""))
            return f"{text} (unconfirmed)" if doubtful else text
    return ""


def source_table(values: Mapping[str, float], sources: Mapping[str, str]) -> str:
    """Return a line for each number: name, value, unit, source."""
    rows = [(name, f"{values[name]:g}", unit) for name, unit in UNITS.items()]
    return "\n".join(
        f"{name:13s} {value:>11s} {unit:11s} {source_of(name, sources)}".rstrip()
        for name, value, unit in rows
    )


def _named_numbers(key: str) -> list[str]:
    """The numbers that a list of names and groups stands for."""
    parts = [part.strip() for part in key.split(",")]
    return [name for part in parts for name in GROUPS.get(part, (part,))]
