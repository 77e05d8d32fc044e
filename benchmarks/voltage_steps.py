"""Factorizations of a device for one step of a voltage, however long.

Each row is a sweep from the first to the second voltage of a contact, in the number of steps that
is given. The column "a step" is the number of factorizations, those of Poisson's equation alone
among them, for each of these steps. "more" counts the values between that were solved in addition,
failures included.

    python benchmarks/voltage_steps.py               # all
    python benchmarks/voltage_steps.py silicon cold  # rows whose name has one of these words
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from time import process_time
from types import MappingProxyType
from typing import Any, NamedTuple

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before NumPy reads them

import numpy as np

from sgsolve.devices import (
    Device,
    Gate,
    Ohmic,
    Schottky,
    auger,
    graded,
    interval,
    materials,
    radiative,
    rectangle,
    srh,
    velocity_saturation,
)

MODELS = [srh, radiative, auger]
SILICON = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
SILICON |= {"tau_n": 1e-6, "tau_p": 1e-6, "n1": 1e10, "p1": 1e10}
SATURATION = {"v_sat_n": 1e7, "v_sat_p": 8e6, "beta_n": 2.0, "beta_p": 1.0}


class Step(NamedTuple):
    """A row: a device, a contact, and voltages; the others' voltages as parameters."""

    name: str
    make: Callable[[], Device]
    contact: str
    voltages: list[float]
    others: Mapping[str, float] = MappingProxyType({})


def stack(ends: list[float], doping: list[float], values: dict[str, Any], **options: Any) -> Device:
    """Layers between the ends (cm), of constant doping, contacts "a" at the left and "k"."""
    thin = min(np.diff(ends))
    x = graded(ends, max(ends[-1] / 60, thin / 10), min(1e-6, thin / 50), 1.3)
    net = np.select([x < end for end in ends[1:-1]], doping[:-1], doping[-1])
    contacts = {"a": Ohmic(0), "k": Ohmic(-1)}
    return Device(interval(x), net, contacts, values, recombination=[srh], **options)


def cold(material: Any, T: float, doping: float = 1e17) -> Device:
    """An abrupt junction of 2 um, all dopants ionized."""
    x = graded([0.0, 1e-4, 2e-4], 1e-6, 5e-8, 1.15)
    values = material.at(T, MODELS)
    values |= {"n1": max(values["n1"], 1e-3), "p1": max(values["p1"], 1e-3)}
    missing = {name: 0.0 for name in ("B_rad", "C_n", "C_p") if not getattr(material, name)}
    net = np.where(x < 1e-4, -doping, doping)
    contacts = {"a": Ohmic(0), "k": Ohmic(-1)}
    return Device(interval(x), net, contacts, values | missing, recombination=MODELS)


def saturating(ends: list[float], doping: list[float]) -> Device:
    """The same in silicon whose carriers reach a largest velocity."""
    return stack(ends, doping, SILICON | SATURATION, mobility=velocity_saturation)


def wide(material: Any, ends: list[float], doping: list[float]) -> Device:
    """A power diode of a material with a wide gap."""
    return stack(ends, doping, material.at(300.0, [srh]))


def lateral() -> Device:
    """A planar diode in two dimensions."""
    x = graded([0.0, 1e-3, 3e-3], 1.5e-4, 3e-5, 1.3)
    y = graded([0.0, 2e-4, 2e-3], 1.5e-4, 2e-5, 1.3)
    mesh = rectangle(x, y)
    at, depth = mesh.nodes.T
    doping = np.where((at < 1e-3) & (depth < 2e-4), -1e18, 5e14)
    contacts = {
        "a": Ohmic(mesh.where((depth == 0) & (at < 8e-4))),
        "k": Ohmic(mesh.where(depth == y[-1])),
    }
    return Device(mesh, doping, contacts, SILICON, recombination=[srh])


def ring() -> Device:
    """The same with a guard ring, which no contact reaches."""
    x = graded([0.0, 1e-3, 1.4e-3, 1.8e-3, 4e-3], 1.5e-4, 3e-5, 1.3)
    y = graded([0.0, 2e-4, 3e-3], 1.5e-4, 2e-5, 1.3)
    mesh = rectangle(x, y)
    at, depth = mesh.nodes.T
    doped = (depth < 2e-4) & ((at < 1e-3) | ((at > 1.4e-3) & (at < 1.8e-3)))
    contacts = {
        "a": Ohmic(mesh.where((depth == 0) & (at < 8e-4))),
        "k": Ohmic(mesh.where(depth == y[-1])),
    }
    net = np.where(doped, -1e18, 5e14)
    return Device(mesh, net, contacts, SILICON, recombination=[srh])


def transistor() -> Device:
    """A bipolar transistor with a contact on its base, in two dimensions."""
    x = graded([0.0, 5e-5, 1e-4], 1e-5, 2e-6, 1.3)
    y = graded([0.0, 3e-5, 6e-5, 5e-4], 4e-5, 2e-6, 1.3)
    mesh = rectangle(x, y)
    at, depth = mesh.nodes.T
    doping = np.where((depth < 3e-5) & (at < 5e-5), 1e19, np.where(depth < 6e-5, -1e17, 1e15))
    contacts = {
        "emitter": Ohmic(mesh.where((depth == 0) & (at < 4e-5))),
        "base": Ohmic(mesh.where((depth == 0) & (at > 8e-5))),
        "collector": Ohmic(mesh.where(depth == y[-1])),
    }
    return Device(mesh, doping, contacts, SILICON, recombination=[srh])


def mos(doping: float = -1e17) -> Device:
    """A MOS capacitor with 50 nm of oxide."""
    oxide = 5e-6
    inner = np.concatenate([[0.0], graded([0.0, 2e-4], 2e-6, 2e-8, 1.2)[1:]])
    x = np.concatenate([np.linspace(0.0, oxide, 11)[:-1], oxide + inner])
    mesh = interval(x)
    below = mesh.centers() > oxide
    values = SILICON | {"eps_r": mesh.on_edges(np.where(below, 11.7, 3.9))}
    return Device(
        mesh, np.where(x >= oxide, doping, 0.0), {"gate": Gate(0, offset=0.55), "bulk": Ohmic(-1)},
        values, recombination=[srh], active=mesh.part(below),
    )  # fmt: skip


def mosfet() -> Device:
    """A long transistor with 50 nm of oxide."""
    oxide, ends = 5e-6, [0.0, 1e-4, 3e-4, 4e-4]
    x = graded(ends, 3e-5, 2e-6, 1.4)
    silicon = graded([0.0, 3e-4], 4e-5, 3e-7, 1.4)
    y = np.concatenate([np.linspace(-oxide, 0.0, 5)[:-1], silicon])
    mesh = rectangle(x, y)
    at, depth = mesh.nodes.T
    below = mesh.centers()[:, 1] > 0
    shallow = (depth <= 2e-5) & ((at <= ends[1]) | (at >= ends[2]))
    doping = np.where(depth < 0, 0.0, np.where(shallow, 1e19, -1e16))
    contacts = {
        "source": Ohmic(mesh.where((depth == 0) & (at <= 8e-5))),
        "drain": Ohmic(mesh.where((depth == 0) & (at >= 3.2e-4))),
        "gate": Gate(mesh.where((depth == y[0]) & (at >= ends[1]) & (at <= ends[2])), offset=0.55),
        "bulk": Ohmic(mesh.where(depth == y[-1])),
    }
    values = SILICON | {"eps_r": mesh.on_edges(np.where(below, 11.7, 3.9))}
    return Device(mesh, doping, contacts, values, recombination=[srh], active=mesh.part(below))


def schottky(material: Any, barrier: float) -> Device:
    """A metal on an n-type layer of 5 um on a substrate."""
    x = graded([0.0, 5e-4, 6e-4], 1e-5, 2e-7, 1.3)
    values = material.at(300.0, [srh])
    metal = Schottky(0, barrier=barrier, v_n=2e6, v_p=2e6)
    net = np.where(x < 5e-4, 1e16, 1e19)
    return Device(interval(x), net, {"a": metal, "k": Ohmic(-1)}, values, recombination=[srh])


def steps() -> Iterator[Step]:
    """All rows."""
    si = ([0.0, 1e-4, 51e-4], [-1e18, 1e14])
    thin = ([0.0, 1e-4, 3e-4], [-1e18, 1e16])
    for name, ends, doping in (("silicon 50 um, 1e14", *si), ("silicon 2 um, 1e16", *thin)):
        diode = partial(stack, ends, doping, SILICON)
        yield Step(name, diode, "a", [0.0, -300.0])
        yield Step(name, diode, "a", [0.0, -100.0, -200.0, -300.0])
        for forward in (1.0, 5.0, 50.0):
            yield Step(name, diode, "a", [0.0, forward])
        yield Step(name, diode, "a", [-100.0, 50.0])
        yield Step(name, diode, "a", [50.0, -100.0])
        fast = partial(saturating, ends, doping)
        yield Step(name + ", saturating", fast, "a", [0.0, -300.0])
        yield Step(name + ", saturating", fast, "a", [0.0, 50.0])
    pin = partial(stack, [0.0, 2e-4, 102e-4, 104e-4], [-1e19, 1e13, 1e19], SILICON)
    yield Step("pin silicon 100 um", pin, "a", [0.0, -1000.0])
    yield Step("pin silicon 100 um", pin, "a", [0.0, 50.0])
    sic = partial(wide, materials.sic_4h, [0.0, 1e-4, 13e-4, 15e-4], [-1e19, 8e15, 1e19])
    yield Step("4H-SiC", sic, "a", [0.0, -1200.0])
    yield Step("4H-SiC", sic, "a", [0.0, 5.0])
    yield Step("4H-SiC", sic, "a", [0.0, 50.0])
    gan = partial(wide, materials.gan, [0.0, 5e-5, 8e-4, 9e-4], [-1e18, 1e16, 1e19])
    yield Step("GaN", gan, "a", [0.0, -600.0])
    yield Step("GaN", gan, "a", [0.0, 5.0])
    yield Step("GaN", gan, "a", [0.0, 50.0])
    for name, material, barrier in (
        ("GaN", materials.gan, 0.9),
        ("silicon", materials.silicon, 0.7),
    ):
        metal = partial(schottky, material, barrier)
        for last in (-200.0, 1.0, 20.0):
            yield Step(f"Schottky {name}", metal, "a", [0.0, last])
    npn = partial(stack, [0.0, 1e-4, 2e-4, 12e-4, 13e-4], [1e19, -1e16, 1e15, 1e19], SILICON)
    yield Step("npn, open base, punch-through", npn, "k", [0.0, 5.0])
    yield Step("npn, open base, punch-through", npn, "k", [0.0, 100.0])
    yield Step("npn, open base, punch-through", npn, "k", [0.0, -100.0])
    four = partial(stack, [0.0, 2e-4, 17e-4, 20e-4, 22e-4], [-1e19, 3e15, -1e17, 1e19], SILICON)
    for last in (5.0, 100.0, 800.0, -100.0):
        yield Step("thyristor", four, "a", [0.0, last])
    yield Step("transistor, collector", transistor, "collector", [0.0, 100.0])
    yield Step("transistor, base", transistor, "base", [0.0, 5.0], {"V_collector": 10.0})
    yield Step("planar diode, 2-D", lateral, "a", [0.0, -200.0])
    yield Step("planar diode, 2-D", lateral, "a", [0.0, 20.0])
    yield Step("guard ring, 2-D", ring, "a", [0.0, -200.0])
    for last in (-30.0, 30.0):
        yield Step("MOS capacitor", mos, "gate", [0.0, last])
        yield Step("MOSFET, gate", mosfet, "gate", [0.0, last])
    yield Step("MOSFET, gate, drain at 10 V", mosfet, "gate", [0.0, 30.0], {"V_drain": 10.0})
    yield Step("MOSFET, drain", mosfet, "drain", [0.0, 30.0])
    yield Step("MOSFET, drain, gate at 10 V", mosfet, "drain", [0.0, 30.0], {"V_gate": 10.0})
    for T, material in ((77.0, materials.silicon), (20.0, materials.silicon),
                        (4.0, materials.silicon), (77.0, materials.gan)):  # fmt: skip
        junction = partial(cold, material, T)
        gap = material.gap(T)
        for last in (gap - 0.1, gap, gap + 0.05, gap + 0.3, gap + 1.0, gap + 10.0, -100.0):
            yield Step(f"cold {material.name} {T:g} K", junction, "a", [0.0, float(last)])


def measure(step: Step) -> tuple[float, int, float, str]:
    """Factorizations for a step, more points, CPU seconds, and how it ended."""
    device = step.make()
    x0 = device.solve(**{**step.others, "V_" + step.contact: step.voltages[0]}).x
    before = process_time()
    sweep = device.sweep(step.contact, step.voltages, x0=x0, **step.others)
    seconds = process_time() - before
    reached = len(sweep) == len(step.voltages)
    taken = sweep.stats.n_factor / (len(step.voltages) - 1)
    current = device.currents(sweep, step.contact)[-1]
    more = len(sweep.rejected)
    return taken, more, seconds, f"{current:.6g}" if reached else "not reached"


def main(words: list[str]) -> list[float]:
    """Print the table, and return the factorizations of each row."""
    return print_table(steps(), words)


def print_table(rows: Iterable[Step], words: list[str]) -> list[float]:
    """Print rows whose name has one of the words, and return their factorizations."""
    warnings.simplefilter("ignore")
    print(
        f"{'device':34s} {'from':>6s} {'to':>8s} {'steps':>5s} {'a step':>7s} "
        f"{'more':>5s} {'s':>6s}  last current"
    )
    found = []
    for step in rows:
        if words and not any(word in step.name for word in words):
            continue
        taken, more, seconds, said = measure(step)
        found.append(taken)
        first, *_, last = step.voltages
        print(
            f"{step.name:34s} {first:6g} {last:8.4g} {len(step.voltages) - 1:5d} {taken:7.1f} "
            f"{more:5d} {seconds:6.2f}  {said}",
            flush=True,
        )
    spread = np.percentile(found, [50, 90, 100])
    print("median {:.0f}, 90 % at most {:.0f}, largest {:.0f}".format(*spread))
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="of names of rows")
    main(parser.parse_args().words)
