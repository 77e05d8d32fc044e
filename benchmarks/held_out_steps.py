"""Factorizations for one long step of a voltage, for devices that no setting was chosen on.

The rows are as those of `voltage_steps.py`. The solvers were developed on the devices there; these
were set up afterwards.

    python benchmarks/held_out_steps.py
    python benchmarks/held_out_steps.py HEMT     # rows whose name has one of these words
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial

import numpy as np
from voltage_steps import SILICON, Step, print_table, stack, wide

from sgsolve.devices import (
    Device,
    Gate,
    Mesh,
    Ohmic,
    Schottky,
    SheetCharge,
    graded,
    materials,
    rectangle,
    srh,
)

WITH_OXIDE = {"silicon": 11.7, "oxide": 3.9}


def _under_oxide(x: np.ndarray, oxide: float, depths: list[float], finest: float) -> Mesh:
    """A rectangle of silicon below y = 0, with an oxide above."""
    y = graded(depths, depths[-1] / 12, finest, 1.4)
    return rectangle(x, np.concatenate([np.linspace(-oxide, 0.0, 5)[:-1], y]))


def _silicon(mesh: Mesh, net: np.ndarray, contacts: dict[str, Ohmic | Gate]) -> Device:
    below = mesh.centers()[:, 1] > 0
    eps = mesh.on_edges(np.where(below, WITH_OXIDE["silicon"], WITH_OXIDE["oxide"]))
    values, net = SILICON | {"eps_r": eps}, np.where(mesh.nodes[:, 1] < 0, 0.0, net)
    return Device(mesh, net, contacts, values, recombination=[srh], active=mesh.part(below))


def ldmos() -> Device:
    """A lateral transistor with a drift region of 9 um."""
    x = graded([0.0, 1e-4, 2.5e-4, 1.2e-3, 1.4e-3], 6e-5, 3e-6, 1.4)
    mesh = _under_oxide(x, 5e-6, [0.0, 1e-4, 5e-4], 4e-7)
    at, depth = mesh.nodes.T
    ends = (depth <= 2e-5) & ((at <= 1e-4) | (at >= 1.3e-3))
    wells = [ends, (at <= 2.5e-4) & (depth <= 1e-4), depth <= 1e-4]
    net = np.select(wells, [1e19, -2e17, 2e16], -2e15)
    over = mesh.where((depth == depth.min()) & (at >= 1e-4) & (at <= 4e-4))
    contacts = {
        "source": Ohmic(mesh.where((depth == 0) & (at <= 8e-5))),
        "drain": Ohmic(mesh.where((depth == 0) & (at >= 1.32e-3))),
        "gate": Gate(over, offset=0.55),
        "bulk": Ohmic(mesh.where(depth == depth.max())),
    }
    return _silicon(mesh, net, contacts)


def field_plate() -> Device:
    """A planar diode whose edge lies under a plate on 1 um of oxide."""
    x = graded([0.0, 1e-3, 1.6e-3, 3e-3], 1.5e-4, 3e-5, 1.3)
    mesh = _under_oxide(x, 1e-4, [0.0, 2e-4, 2e-3], 2e-5)
    at, depth = mesh.nodes.T
    over = mesh.where((depth == depth.min()) & (at >= 1e-3) & (at <= 1.6e-3))
    contacts = {
        "a": Ohmic(mesh.where((depth == 0) & (at < 8e-4))),
        "k": Ohmic(mesh.where(depth == depth.max())),
        "plate": Gate(over),
    }
    return _silicon(mesh, np.where((at < 1e-3) & (depth < 2e-4), -1e18, 3e14), contacts)


def hemt() -> Device:
    """A barrier on GaN with the sheet charge of polarization between, and a metal gate."""
    x = graded([0.0, 1e-4, 2e-4, 2.5e-4, 5e-4, 6e-4], 4e-5, 2e-6, 1.4)
    thick = 2.5e-6
    below = thick + graded([0.0, 1e-4], 1.5e-5, 1e-7, 1.5)
    mesh = rectangle(x, np.concatenate([np.linspace(0.0, thick, 6)[:-1], below]))
    at, depth = mesh.nodes.T
    barrier, between = depth < 0.99 * thick, mesh.where(depth == below[0])
    widths = 0.5 * (np.diff(x, prepend=x[0]) + np.diff(x, append=x[-1]))
    bands = {"eps_r": 9.0, "Nc": 2.3e18, "Nv": 4.6e19, "Ec": np.where(barrier, 0.35, 0.0)}
    bands |= {"Ev": bands["Ec"] - np.where(barrier, 3.9, 3.42), "sheet_pol": 8e12}
    values = bands | {"mu_n": 1200.0, "mu_p": 20.0, "tau_n": 1e-9, "tau_p": 1e-9}
    ends = ((at <= 1e-4) | (at >= 5e-4)) & (depth < 5e-6)
    gate = mesh.where((depth == 0) & (at >= 2e-4) & (at <= 2.5e-4))
    contacts = {
        "source": Ohmic(mesh.where((depth == 0) & (at <= 8e-5))),
        "drain": Ohmic(mesh.where((depth == 0) & (at >= 5.2e-4))),
        "gate": Schottky(gate, barrier=1.2, area=mesh.boundary(gate)),
        "body": Ohmic(mesh.where(depth == depth.max())),
    }
    sheet = SheetCharge(between, area=widths[np.searchsorted(x, at[between])])
    values |= {"n1": 1e-10, "p1": 1e-10}
    return Device(mesh, np.where(ends, 1e19, 1e14), contacts, values, recombination=[srh],
                  interfaces={"pol": sheet})  # fmt: skip


def barrier_and_junction() -> Device:
    """A Schottky diode of 4H-SiC beside a p-doped island."""
    x = graded([0.0, 1e-4, 3e-4], 2e-5, 4e-6, 1.4)
    mesh = rectangle(x, graded([0.0, 6e-5, 1e-3, 1.1e-3], 6e-5, 3e-6, 1.4))
    at, depth = mesh.nodes.T
    net = np.where(depth < 1e-3, 8e15, 1e19)
    net = np.where((at <= 1e-4) & (depth <= 6e-5), -1e19, net)
    top = mesh.where((depth == 0) & (at > 1e-4))
    contacts = {
        "a": Schottky(top, barrier=1.3, v_n=2e6, v_p=2e6, area=mesh.boundary(top)),
        "island": Ohmic(mesh.where((depth == 0) & (at < 9e-5))),
        "k": Ohmic(mesh.where(depth == depth.max())),
    }
    return Device(mesh, net, contacts, materials.sic_4h.at(300.0, [srh]), recombination=[srh])


def bipolar() -> Device:
    """A power transistor with 7 um of collector."""
    x = graded([0.0, 2e-4, 3e-4, 4e-4], 3e-5, 6e-6, 1.3)
    mesh = rectangle(x, graded([0.0, 5e-5, 1.2e-4, 8e-4, 9e-4], 6e-5, 4e-6, 1.3))
    at, depth = mesh.nodes.T
    net = np.select([depth < 1.2e-4, depth < 8e-4], [-5e17, 5e15], 1e19)
    net = np.where((depth < 5e-5) & (at < 2e-4), 5e19, net)
    contacts = {
        "emitter": Ohmic(mesh.where((depth == 0) & (at < 1.8e-4))),
        "base": Ohmic(mesh.where((depth == 0) & (at > 3.2e-4))),
        "collector": Ohmic(mesh.where(depth == depth.max())),
    }
    return Device(mesh, net, contacts, SILICON, recombination=[srh])


def steps() -> Iterator[Step]:
    """All rows."""
    pin = partial(wide, materials.sic_4h, [0.0, 2e-4, 10.2e-4, 12e-4], [-5e18, 1e16, 5e18])
    ends = [0.0, 5e-5, 30e-4, 32e-4]
    photodiode = partial(stack, ends, [-1e19, 2e13, 1e19], SILICON | {"G": 1e20})
    ends, layers = [0.0, 2e-4, 20e-4, 22e-4, 40e-4, 42e-4], [1e18, -1e16, 1e18, -1e16, 1e18]
    string = partial(stack, ends, layers, SILICON | {"G": 1e19})
    suppressor = partial(stack, [0.0, 1e-4, 3e-4, 4e-4], [1e18, -3e16, 1e18], SILICON)
    ends, layers = [0.0, 1e-4, 20e-4, 25e-4, 26e-4], [-5e18, 1e14, -5e16, 5e19]
    thyristor = partial(stack, ends, layers, SILICON)
    for name, make, contact, volts in (
        ("4H-SiC pin", pin, "a", (-1200.0, 8.0)),
        ("junction-barrier Schottky", barrier_and_junction, "k", (600.0, -3.0)),
        ("lit photodiode", photodiode, "a", (-50.0,)),
        ("lit cells in series", string, "a", (-2.0, 2.0)),
        ("suppressor n-p-n", suppressor, "a", (40.0, -40.0)),
        ("field plate", field_plate, "a", (-300.0, 3.0)),
        ("thyristor of 26 um", thyristor, "a", (400.0, -400.0)),
    ):
        for last in volts:
            yield Step(name, make, contact, [0.0, last])
    yield Step("LDMOS, off", ldmos, "drain", [0.0, 200.0], {"V_gate": 0.0})
    yield Step("LDMOS, on", ldmos, "drain", [0.0, 50.0], {"V_gate": 10.0})
    yield Step("HEMT, off", hemt, "drain", [0.0, 100.0], {"V_gate": -6.0})
    yield Step("HEMT, on", hemt, "drain", [0.0, 20.0], {"V_gate": 0.0})
    yield Step("bipolar, collector", bipolar, "collector", [0.0, 60.0], {"V_base": 0.8})
    yield Step("bipolar, base", bipolar, "base", [0.0, 3.0], {"V_collector": 20.0})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="of names of rows")
    print_table(steps(), parser.parse_args().words)
