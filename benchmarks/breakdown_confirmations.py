"""Breakdown, tunneling and temperature against known values, for `device_confirmations.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.optimize import brentq

from sgsolve import ad
from sgsolve.devices import (
    CODATA2018,
    Device,
    Ohmic,
    band_to_band,
    chynoweth,
    drive_current,
    interval,
    ionization_values,
    materials,
    okuto_crowell,
    van_overstraeten,
)
from sgsolve.devices.models.tunneling import field_effect

Row = tuple[str, float, float, float]
VT = CODATA2018.thermal_voltage(300.0)


def extrapolated(coarse: float, fine: float) -> float:
    """The limit of values by second order, from two meshes, one twice as fine."""
    return fine + (fine - coarse) / 3.0


def breakdown() -> Iterator[Row]:
    """Voltages where the ionization integral is 1, and those of devices driven through it."""
    from tests.devices.equations.transport.test_ionization import diode, integral_over_layer

    overstraeten = ionization_values("Si van Overstraeten"), van_overstraeten, 11.7
    okuto = ionization_values("Si Okuto-Crowell"), okuto_crowell, 11.7
    carbide = ionization_values("4H-SiC Kyuregyan"), chynoweth, 9.7
    arsenide = ionization_values("GaAs"), chynoweth, 12.9
    for name, law, known in (
        ("Si, van Overstraeten", overstraeten, {1e15: 251.712, 1e16: 52.507, 1e17: 14.812}),
        ("Si, Okuto-Crowell", okuto, {1e15: 310.508, 1e16: 55.9645, 1e17: 13.3569}),
        ("4H-SiC", carbide, {1e16: 1589.81, 1e17: 289.413}),
        ("GaAs", arsenide, {1e16: 54.531}),
    ):
        values, model, eps = law
        for density, volts in known.items():

            def off(V: float, args: tuple[Any, ...] = (density, True, values, model, eps)) -> float:
                return integral_over_layer(V, *args) - 1.0

            found = brentq(off, 0.8 * volts, 1.2 * volts, xtol=1e-7 * volts)
            yield f"breakdown integral, {name} {density:g}", found, volts, 4e-5
            if density == 1e16 and eps == 11.7:
                device = diode(values=values, model=model)
                driven = drive_current(device, "n", [1.0], guess=volts - 3.0)
                added = VT * np.log(1e19 * 1e16 / 1e20) - 2.0 * VT
                yield f"breakdown device, {name}", driven.voltage[0] + added, volts, 1e-3


def avalanche() -> Iterator[Row]:
    """Currents of a program of 128 bits, multiplication in a uniform field."""
    from tests.devices.equations.transport.test_ionization import diode

    volts = [1.0, 10.0, 30.0, 45.0, 50.0, 51.0, 51.5, 51.65]
    known = [1.740754181e-8, 7.753273212e-8, 1.651069477e-7, 4.231326618e-7, 1.583299898e-6]
    known += [3.797840096e-6, 1.395618781e-5, 7.6007179e-5]
    device = diode()
    currents = device.currents(device.sweep("n", volts), "n")
    for bias, found, expected in zip(volts, currents, known, strict=True):
        yield f"avalanche diode, {bias:g} V", found, expected, 5e-10 if bias < 51.6 else 1e-8
    k, length = 1e4 / 2e4, 0.6e-4
    exact = (1 - k) / (np.exp(-(1 - k) * 2e4 * length) - k)
    yield "multiplication, closed form", exact, 10.24345914, 1e-9
    coarse, fine = (_multiplied(cells, length) for cells in (100, 200))
    yield "multiplication, 100 cells", coarse, 10.243666, 1e-7
    yield "multiplication, 200 cells", fine, 10.243511, 1e-7
    yield "multiplication, extrapolated", extrapolated(coarse, fine), exact, 1e-7


def _multiplied(cells: int, width: float) -> float:
    """Photocurrent of electrons through a layer of constant coefficients, over that without."""

    def constant(field: Any, *, rate: Any) -> Any:
        return rate * (ad.value(field) > 1e5)

    inner, outer = np.linspace(0.0, width, cells + 1), np.linspace(0.0, 1e-6, 11)
    x = np.concatenate([outer[:-1] - 1e-6, inner, width + outer[1:]])
    net = np.select([x <= 0.0, x >= width], [-1e22, 1e22], 0.0)
    # Hardly any carrier of the layer diffuses back: those outside are slow.
    mesh, contacts, currents = interval(x), {"p": Ohmic(0), "n": Ohmic(-1)}, []
    slow = np.where((mesh.centers() > 0.0) & (mesh.centers() < width), 1000.0, 1e-5)
    values = {"eps_r": 11.7, "ni": 1.0, "mu_n": slow, "mu_p": slow}
    for model, more in ((None, {}), (constant, {"rate_n": 2e4, "rate_p": 1e4})):
        device = Device(
            mesh, net, contacts, values | more, ionization=model, profile=(x < -1e-7) * 1.0
        )
        state = device.solve(V_n=20.0, G=1e20).x
        currents.append(device.current(state, "n", V_n=20.0, G=1e20))
    return float(currents[1] / currents[0])


def tunneling() -> Iterator[Row]:
    """Hurkx's function and Kane's rate."""
    known = {1e5: 1.354843626, 3e5: 8.564643969, 5e5: 50.39461599, 1e6: 11767.62477}
    for field, expected in known.items():
        found = field_effect(field, 300.0, 0.56, 0.25)
        yield f"Hurkx, {field:g} V/cm", float(found), expected, 1e-9
    kane = {"A_btb": 4e14, "E_btb": 1.9e7, "s_btb": 2.5}
    for field, expected in ((5e5, 2.21970e12), (1e6, 2.24112e21)):
        factor = band_to_band(0.0, 0.0, field, 1e10, **kane)  # over n p - ni^2
        yield f"Kane, {field:g} V/cm", float(factor) * 1e20, expected, 3e-6


def temperatures() -> Iterator[Row]:
    """Gaps, frozen dopants, a junction at 4.2 K."""
    from sgsolve.devices import densities
    from tests.devices.equations.test_freeze_out import IONIZED_SHARES, doped
    from tests.devices.solving.test_cold import K, junction

    for material, known in (
        (materials.gaas, (1.518954, 1.507596, 1.422482, 1.375821)),
        (materials.gan, (3.506981, 3.501058, 3.434602, 3.388756)),
    ):
        for T, expected in zip((4.2, 77.0, 300.0, 400.0), known, strict=True):
            yield f"gap, {material.name} {T:g} K", float(material.gap(T)), expected, 4e-7
    for kind, amount, depth, g, T, expected in IONIZED_SHARES:
        device = doped(T, kind, amount, depth, g, gap=3.26)
        found = densities(device, device.equilibrium())[0 if kind == "donor" else 1][0] / amount
        yield f"freeze-out, {kind} {T:g} K", float(found), expected, 5e-9
    factor, gap = (4.2 / 300) ** 1.5, 1.17 - 4.73e-4 * 4.2**2 / (4.2 + 636)
    device = junction(gap, 4.2, 0.0, Nc=2.8e19 * factor, Nv=1.04e19 * factor)
    exact = gap + K * 4.2 * np.log(1e34 / (2.8e19 * 1.04e19 * factor**2))
    found = np.ptp(device.equilibrium()[: device.mesh.n])
    yield "junction at 4.2 K, built-in", found, exact, 1e-9
    yield "junction at 4.2 K, reference", found, 1.170901528, 1e-9
