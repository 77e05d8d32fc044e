"""Devices against closed forms, integrals and other programs: one row for each figure.

Each row has what was found, what is known, the relative difference and what is allowed. The known
value is a closed form, a quadrature, or a published or independent program's; what is allowed are
its digits. Where the mesh decides, two meshes are extrapolated by their second order.

    python benchmarks/device_confirmations.py             # all, half a minute
    python benchmarks/device_confirmations.py heat ions   # rows whose name has one of these words
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from breakdown_confirmations import Row, avalanche, breakdown, extrapolated, temperatures, tunneling
from scipy.special import lambertw

from sgsolve import Problem
from sgsolve.devices import (
    CODATA2018,
    Device,
    Ohmic,
    Schottky,
    SmallSignal,
    graded,
    interval,
    srh,
    temperature,
    tetrahedralization,
)

ROOT = Path(__file__).resolve().parents[1]  # rows use the tests' devices and an example's
sys.path[:0] = [str(ROOT), str(ROOT / "examples" / "semiconductor")]

VT, Q = CODATA2018.thermal_voltage(300.0), CODATA2018.q


def ions() -> Iterator[Row]:
    """Charge at a wall, relaxation between two, a perovskite cell, conservation."""
    from tests.devices.meshes.test_regions import CURRENTS, EXCESS, VOLTS, cell, cigs, table
    from tests.devices.models.test_ions import between_walls, charge_at_wall

    for drop, expected in ((-0.5, 0.1622701109), (-0.2, 0.0787002073), (0.2, -0.0137951306)):
        exact = 1e4 * charge_at_wall(drop, 1, 1e21)
        yield f"wall of ions, {drop:g} V", exact, expected, 5e-9
    coarse, fine = (_wall(k, between_walls, charge_at_wall) for k in (1601, 3201))
    yield "wall of ions, device", extrapolated(coarse, fine), 1.0, 2e-7
    coarse, fine = (_slowest_rate(k, between_walls) for k in (401, 801))
    yield "relaxation of ions", extrapolated(coarse, fine), 0.034757334, 1e-6
    device = cell(1e-7 * table("perovskite_vacancies")["x_nm"], 1.6e19, 0.0, **EXCESS)
    sweep, region = device.sweep("p", VOLTS), device.ions["v"]
    for V, found, text in zip(VOLTS, device.currents(sweep, "p"), CURRENTS.split(), strict=True):
        yield f"perovskite, {V:g} V", -1e3 * found, float(text), 1e-7
    kept = []
    for state in sweep.states:
        us = state[: device.mesh.n][device.regions.nodes] / device.thermal_voltage
        density = region.density(us, state[-1] / device.thermal_voltage)
        kept.append(np.sum(region.volumes * density) / region.total)
    yield "ions conserved in a sweep", 1.0 + np.abs(np.array(kept) - 1.0).max(), 1.0, 1e-13
    device, _ = cigs()
    sweep = device.sweep("right", [0.0, 26 / 51, 1.0])
    yield "CIGS stack, mean of the state", sweep.x.mean(), 1.3561479172035813, 1e-10
    for found, expected in zip(
        device.currents(sweep, "right")[1:], (5.32148, 1572.267), strict=True
    ):
        yield "CIGS stack, current", abs(1e4 * found), expected, 1e-6


def _wall(k: int, between_walls: Callable[..., Any], exact: Callable[..., float]) -> float:
    x = np.append(0.0, np.cumsum(np.geomspace(1.0, 1e4, k - 1)))
    device = between_walls(1e-4 * x / x[-1], 1, 1e21, -0.15)
    state, n, region = device.equilibrium(), device.mesh.n, device.ions["v"]
    density = region.density(state[:n] / VT, state[-1] / VT)
    slope = (state[1] - state[0]) / device.mesh.nodes[1]
    found = 24.1 * CODATA2018.eps0 * slope + region.volumes[0] * Q * (density[0] - 1.6e19)
    return float(found / exact(-0.15 - state[-1], 1, 1e21))


def _slowest_rate(k: int, between_walls: Callable[..., Any]) -> float:
    """The rate at which ions come to rest, from densities at both walls."""
    x = 0.5 * 4e-5 * (1 + np.tanh(np.linspace(-5, 5, k)) / np.tanh(5))
    device = between_walls(x, limit=None)
    times = np.linspace(0.0, 160.0, 9)
    run = device.transient(
        {"left": 1e-4}, (0.0, 160.0), device.equilibrium(), rtol=1e-10, times=times
    )
    ends = run.states[:, 3 * k] - run.states[:, 4 * k - 1]  # what is even in the voltage cancels
    return float(np.mean(-np.diff(np.log(np.abs(np.diff(ends)[3:]))) / 20.0))


def interfaces() -> Iterator[Row]:
    """Thermionic emission, a Schottky contact, the gas of a HEMT, the law of Mott and Gurney."""
    import hemt
    import space_charge_limited

    from tests.devices.models.test_interfaces import in_series, step

    for V, expected in ((-0.1, -309.68841823), (0.1, 74.353187453), (0.3, 218.48353628)):
        yield f"thermionic, closed form {V:g} V", in_series(V, 0.0), expected, 1e-6
        device = step(k=60)
        found = device.current(device.solve(V_r=-V).x, "l", V_r=-V)
        yield f"thermionic, device {V:g} V", found, in_series(V), 1e-9
    values = {"eps_r": 1e12, "Nc": 2.8e19, "Nv": 1e19, "Ec": 0.0, "Ev": -3.0}
    values |= {"mu_n": 1e8, "mu_p": 1.0}
    flat = 2.8e19 * np.exp(-0.7 / VT)
    velocity = 112.0 * 300.0**2 / (Q * 2.8e19)
    yield "Schottky, velocity (cm/s)", velocity, 2.2469e6, 2e-5
    metal = Schottky(0, barrier=0.7, v_n=velocity)
    mesh = interval(np.linspace(0.0, 1e-7, 11))
    device = Device(mesh, np.full(11, flat), {"m": metal, "b": Ohmic(-1)}, values)
    found = device.current(device.solve(V_m=-1.0).x, "m", V_m=-1.0)
    yield "Schottky, saturation", -found, 1.75379e-5, 3e-6
    data = hemt.main([0.0, -1.0], nodes=600)
    for found, expected in zip(data.sheet, (7.1757216e12, 5.2357981e12), strict=True):
        yield "HEMT, sheet density", found, expected, 1e-4
    for found, expected in zip(data.states[:, 0], (0.237380415, 0.181013880), strict=True):
        yield "HEMT, potential", found, expected, 5e-4
    device = space_charge_limited.diode()
    law = 9 / 8 * 3.0 * CODATA2018.eps0 * 1e-4 / 1e-15
    yield "Mott-Gurney, 1 V (A/m^2)", 1e4 * law, 298.8288, 1e-6
    sweep = device.sweep("anode", [25.0, 100.0])
    ratio = device.currents(sweep, "anode") / (law * sweep.parameter**2)
    yield "Mott-Gurney, limit from 25 and 100 V", 2.0 * ratio[1] - ratio[0], 1.0, 1e-2


def heat() -> Iterator[Row]:
    """Self-heated bars in closed form, heat that leaves, folds of a thermistor."""
    from tests.devices.models.test_heat import bar, exponential, linear

    for name, factor, volts, current, top, on_200 in (
        ("linear", linear, 10.0, 8104.9877998, 70.801280155, 8105.042910370),
        ("exponential", exponential, 5.0, 7116.2744538, 26.949825037, 7116.296087982),
    ):
        found, rise = [], []
        for k in (200, 400):
            device = bar(factor, k)
            x = device.solve(V_a=volts).x
            found.append(device.current(x, "a", V_a=volts))
            rise.append(temperature(device, x).max() - 300.0)
        yield f"heat, {name}, 200 cells", found[0], on_200, 1e-11
        yield f"heat, {name}, current", extrapolated(*found), current, 1e-9
        yield f"heat, {name}, temperature", extrapolated(*rise), top, 1e-9

    def thermistor(x: Any, V: Any) -> Any:
        resistance = 1e3 * np.exp(3500.0 * (1.0 / x - 1.0 / 300.0))
        return V**2 / resistance - 0.01 * (x - 300.0)

    branch = Problem(thermistor, params={"V": 1.0}).continuation(
        [300.5], "V", (0.1, 20.0), max_points=2000, detect=("fold",)
    )
    for one, expected in zip(branch.special_points, (10.1959536444, 0.861606416709), strict=False):
        yield "thermistor, fold (V)", one.parameter, expected, 1e-10


def circuits() -> Iterator[Row]:
    """A diode and a resistor."""
    x = np.linspace(0.0, 2e-4, 201)
    values = {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    values |= {"tau_n": 1e-7, "tau_p": 1e-7, "n1": 1e10, "p1": 1e10}
    contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
    net = np.where(x < 1e-4, -1e16, 1e16)
    device = Device(interval(x), net, contacts, values, recombination=[srh])
    state = device.solve(V_p=0.5264337960000).x
    current = device.current(state, "p", V_p=0.5264337960000)
    yield "diode and 10 Ohm cm^2 at 5 V, load line", 0.526433796 + 10.0 * current, 5.0, 1e-11
    yield "diode and 10 Ohm cm^2 at 5 V, current", current, 0.4473566204, 2e-11

    def load(x: Any, V: Any) -> Any:
        return (V - x) / 1e3 - 1e-12 * np.expm1(x / VT)

    problem = Problem(load, params={"V": 1.0}, scale=VT)
    for V, expected in ((1.0, 4.830717924e-4), (5.0, 4.425808502e-3), (20.0, 1.93876204e-2)):
        found = (V - problem.at(V=V).solve([0.5]).x[0]) / 1e3
        exact = VT / 1e3 * _log_lambert((V + 1e-9) / VT + np.log(1e-9 / VT)) - 1e-12
        yield f"ideal diode and 1 kOhm, {V:g} V", float(found), exact, 1e-10
        yield f"ideal diode, reference, {V:g} V", float(found), expected, 1e-9


def _log_lambert(log: float) -> float:
    """Lambert's W at exp(log)."""
    w = float(lambertw(np.exp(min(log, 700.0))).real)
    for _ in range(20):
        w -= (w + np.log(w) - log) / (1.0 + 1.0 / w)
    return w


def identities() -> Iterator[Row]:
    """One, two and three dimensions; a cube of random tetrahedra; no voltage, no current."""
    from tests.devices.meshes.test_three_dimensions import bars, random_tetrahedra

    values = {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    values |= {"tau_n": 1e-8, "tau_p": 1e-8, "n1": 1e10, "p1": 1e10}
    from sgsolve.devices import rectangle

    meshes, line = bars()
    flat = rectangle(np.linspace(0.0, 1e-4, 41), np.array([0.0, 1e-6, 3e-6]))
    found = {}
    kinds = [("1-D", line, 1.0), ("2-D", flat, 3e-6)]
    kinds += [(f"3-D {name}", meshes[name], 9e-12) for name in ("boxes", "tetrahedra")]
    for name, mesh, area in kinds:
        at = mesh.nodes if mesh.dimension == 1 else mesh.nodes[:, 0]
        contacts = {"a": Ohmic(at == 0), "c": Ohmic(at == at.max())}
        device = Device(
            mesh, np.where(at < 5e-5, -1e17, 1e17), contacts, values, recombination=[srh]
        )
        for V in (0.6, -2.0):
            x = device.solve(V_a=V).x
            found[name, V] = device.current(x, "a", V_a=V) / area
            yield f"{name}, {V:g} V, as one dimension", found[name, V], found["1-D", V], 1e-12
            back = -device.current(x, "c", V_a=V) / area
            yield f"{name}, {V:g} V, both contacts", back, found[name, V], 1e-12
        rest = abs(device.current(device.equilibrium(), "a")) / area
        yield f"{name}, no voltage", 1.0 + rest / abs(found[name, -2.0]), 1.0, 1e-12
    for dual in ("circumcentric", "barycentric"):
        mesh = random_tetrahedra(1, dual)
        cube = tetrahedralization(mesh.nodes, mesh.cells, dual)
        ends = {"a": Ohmic(cube.nodes[:, 0] == 0.0), "b": Ohmic(cube.nodes[:, 0] == 1.0)}
        plain = {"eps_r": 11.9, "ni": 1e-10, "mu_n": 1.0 / (Q * 1e15), "mu_p": 1e-3}
        device = Device(cube, np.full(cube.n, 1e15), ends, plain)
        found_here = device.current(device.solve(V_a=1.0).x, "a", V_a=1.0)
        yield f"cube of 1 Ohm, {dual}", found_here, 1.0, 1e-12
    coarse, middle, fine = (_smooth(k) for k in (101, 201, 401))
    yield "order under refinement", np.log2(abs((coarse - middle) / (middle - fine))), 2.0, 2e-2


def _smooth(k: int) -> float:
    x = np.linspace(0.0, 2e-4, k)
    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    values |= {"tau_n": 1e-7, "tau_p": 1e-7, "n1": 1e10, "p1": 1e10}
    contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
    net = 1e16 * np.tanh((x - 1e-4) / 1e-5)
    device = Device(interval(x), net, contacts, values, recombination=[srh])
    return float(device.current(device.solve(V_p=0.5).x, "p", V_p=0.5))


def small_signals() -> Iterator[Row]:
    """Interface states in depletion, and the capacitance of a depletion layer."""
    from sgsolve.devices import Gate, TrapLevel, densities
    from tests.devices.models.test_trap_levels import OXIDE

    x = graded([0.0, 2e-4], 1e-7, 1e-8, 1.1)
    silicon = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    level = TrapLevel("donor", 1e11, c_n=1e-10, c_p=1e-10, n_trap=1e6, nodes=0, area=1.0)
    contacts = {"gate": Gate(0, capacitance=OXIDE), "body": Ohmic(-1)}
    device = Device(
        interval(x), np.full(len(x), -1e16), contacts, silicon, trap_levels={"it": level}
    )
    state = device.solve(V_gate=-0.2).x
    n, p = (float(density[0]) for density in densities(device, state, V_gate=-0.2))
    total = n + 1e6 + p + 1e14
    filled, tau = (n + 1e14) / total, 1.0 / (1e-10 * total)
    stored = Q * 1e11 * filled * (1.0 - filled) / VT
    f = np.array([1.0, 3e3]) / (2 * np.pi * tau)
    y, w = SmallSignal(device).admittance(state, "gate", f, V_gate=-0.2), 2 * np.pi * f
    inner = 1.0 / (1.0 / y - 1.0 / (1j * w * OXIDE))
    yield "interface states, G/w at the peak", float(inner[0].real / w[0]), 0.5 * stored, 2e-3
    yield from _continuum(x, silicon, contacts, OXIDE)


def _continuum(x: np.ndarray, silicon: Any, contacts: Any, oxide: float) -> Iterator[Row]:
    """Levels that are as good as a continuum: the peak of G/w, over q Dit, and its w tau."""
    from sgsolve.devices import TrapLevel, densities

    spacing, amount = 0.75 * VT, 1e9  # eV, cm^-2
    levels = {
        f"t{k}": TrapLevel(
            "donor", amount, 1e-10, 1e-10, 1e10 * np.exp(0.75 * k), nodes=0, area=1.0
        )
        for k in range(-21, 1)
    }
    device = Device(interval(x), np.full(len(x), -1e16), contacts, silicon, trap_levels=levels)
    state = device.solve(V_gate=-0.2).x
    p = float(densities(device, state, V_gate=-0.2)[1][0])
    small = SmallSignal(device)

    def conductance(wtau: Any) -> Any:
        w = np.asarray(wtau) * 1e-10 * p
        y = small.admittance(state, "gate", w / (2.0 * np.pi), V_gate=-0.2)
        return (1.0 / (1.0 / y - 1.0 / (1j * w * oxide))).real / w * spacing / (Q * amount)

    at = np.array([1.9, 2.0, 2.1])
    curve = np.polyfit(at, conductance(at), 2)
    peak = -curve[1] / (2.0 * curve[0])
    yield "continuum of states, w tau at the peak", peak, 1.980291300, 2e-3
    yield "continuum of states, G/w over q Dit", conductance([peak])[0], 0.4023711713, 2e-4


GROUPS = {
    "breakdown": breakdown,
    "avalanche": avalanche,
    "tunneling": tunneling,
    "temperatures": temperatures,
    "ions": ions,
    "interfaces": interfaces,
    "heat": heat,
    "circuits": circuits,
    "identities": identities,
    "small signals": small_signals,
}


def main(words: list[str]) -> list[Row]:
    """Print the table and return its rows."""
    warnings.simplefilter("ignore")
    print(f"{'figure':42s} {'found':>20s} {'known':>20s} {'off by':>8s} {'allowed':>8s}")
    rows = []
    for group, make in GROUPS.items():
        if words and not any(word in group for word in words):
            continue
        for name, found, known, allowed in make():
            off = abs(found / known - 1.0)
            mark = "" if off <= allowed else "  BEYOND"
            print(
                f"{name:42s} {found:20.13g} {known:20.13g} {off:8.1e} {allowed:8.0e}{mark}",
                flush=True,
            )
            rows.append((name, float(found), known, allowed))
    beyond = sum(abs(found / known - 1.0) > allowed for _, found, known, allowed in rows)
    print(f"{len(rows)} figures, {beyond} beyond what is allowed")
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="of names of groups")
    main(parser.parse_args().words)
