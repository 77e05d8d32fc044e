"""Devices with impact ionization by compiled kernels: an avalanche diode and a thyristor.

    python benchmarks/compiled_devices.py [avalanche] [thyristor]

The examples' devices, in turn with and without kernels: the sweep of the diode up to 50 V in
reverse, and the current of the thyristor driven from blocking over breakover to on. CPU seconds of
one thread. Making kernels is part of the first rounds; the medians are of the rounds after them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path
from time import process_time
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before NumPy reads them
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "examples" / "semiconductor")]

import avalanche_diode
import thyristor

from sgsolve.devices import Device, drive_current

VOLTAGES = [0.0, 5.0, 10.0, 20.0, 30.0, 40.0, 45.0, 50.0]


def reverse(device: Device) -> Any:
    """Sweep the diode to 50 V."""
    return device.sweep("n", VOLTAGES)


def switched(device: Device) -> Any:
    """Drive the current of the thyristor."""
    return drive_current(device, "anode", thyristor.CURRENTS)


# name: (what makes the device, what is done with it, rounds, those that are not counted)
PROGRAMS: dict[str, tuple[Any, Any, int, int]] = {
    "avalanche": (avalanche_diode.avalanche_diode, reverse, 15, 8),
    "thyristor": (thyristor.thyristor, switched, 3, 1),
}


def measure(name: str) -> dict[bool, float]:
    """Return the time without kernels and with them."""
    make, run, rounds, first = PROGRAMS[name]
    devices = {compiled: make(compiled=compiled) for compiled in (False, True)}
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(rounds):
        for compiled, device in devices.items():
            begin = process_time()
            run(device)
            times[compiled].append(process_time() - begin)
    return {compiled: statistics.median(taken[first:]) for compiled, taken in times.items()}


def main(names: list[str]) -> None:
    """Print the table."""
    print(f"{'device':12}{'NumPy, s':>10}{'kernels, s':>12}{'ratio':>8}")
    for name in names:
        taken = measure(name)
        ratio = taken[True] / taken[False]
        print(f"{name:12}{taken[False]:10.2f}{taken[True]:12.2f}{ratio:8.2f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("devices", nargs="*", metavar="device", help=", ".join(PROGRAMS))
    asked = parser.parse_args().devices
    for given in asked:
        if given not in PROGRAMS:
            parser.error(f"no device {given}: {', '.join(PROGRAMS)}")
    main(asked or list(PROGRAMS))
