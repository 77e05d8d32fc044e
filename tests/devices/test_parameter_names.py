"""Parameters of a model may have any name: that of an argument, or of what is inside."""

import numpy as np
import pytest

from sgsolve import ParameterError
from sgsolve.devices import (
    Device,
    Ohmic,
    SmallSignal,
    conductance,
    derivatives,
    drive_current,
    gummel,
    interval,
    open_circuit,
    quasi_static,
    to_compliance,
)

NAMES = ["x", "x0", "self", "device", "contact", "cut", "values", "quasi", "u", "guess", "names"]


def diode(names, **others):
    """Return a junction with a recombination that the product of these parameters multiplies."""
    rate = eval(f"lambda n, p, *, {', '.join(names)}: 1e-10 * {' * '.join(names)}")
    x, doping = np.linspace(0.0, 1e-3, 13), np.where(np.arange(13) < 6, 1e15, -1e15)
    values = {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0, "G": 1e19}
    values |= dict.fromkeys(names, 1.0)
    contacts = {"a": Ohmic(0), "b": Ohmic(-1)}
    return Device(interval(x), doping, contacts, values | others, recombination=[rate])


def findings(device):
    """Return what the functions of a device find."""
    result = device.solve(V_a=-0.3)
    x, p = result.x, {"V_a": -0.3}
    sweep = device.sweep("a", [0.0, -0.3])
    driven = drive_current(device, "a", [-1e-2], -0.3)
    bounded = to_compliance(device, "a", [-0.1, -0.3], 1e-3)
    run = device.transient({"a": lambda t: -0.3 - 1e5 * t}, (0.0, 1e-7), x)
    return [
        *device.currents(sweep, "a"),
        device.current(x, "a", **p),
        conductance(device, x, "a", **p),
        derivatives(device, x, "a", ["V_b", "G"], **p)["G"],
        *driven.voltage,
        *bounded.current,
        open_circuit(device, "a"),
        abs(SmallSignal(device).admittance(x, "a", [1e3], **p)[0]),
        quasi_static(device, x, "a", **p),
        *gummel(device, x, **p)[0][:3],
        run["I_a"][-1],
    ]


def test_parameters_of_any_name():
    device = diode(NAMES).at(x=1.5, x0=2.0)
    known = findings(diode(["rate_of_mine"], rate_of_mine=3.0))
    assert np.allclose(findings(device), known, rtol=1e-9, atol=0.0)


def test_a_sweep_over_a_parameter_of_any_name():
    device, other = diode(NAMES), diode(["rate_of_mine"])
    known = other.sweep("rate_of_mine", [1.0, 3.0], V_a=-0.3)
    for name in ("x", "quasi"):
        branch = device.sweep(name, [1.0, 3.0], V_a=-0.3)
        assert np.allclose(device.currents(branch, "a"), other.currents(known, "a"), rtol=1e-9)


def test_a_device_at_other_values():
    """All that was given to the device is given to the other one; the first one stays."""
    device = diode(["rate"], T=310.0)
    other = device.at(rate=3.0, doping=2.0 * device.parameters["doping"]).at(T=290.0)
    assert [device.parameters[name] for name in ("rate", "T")] == [1.0, 310.0]
    assert [other.parameters[name] for name in ("rate", "T")] == [3.0, 290.0]
    made = diode(["rate"], T=290.0, rate=3.0)
    known = made.solve(V_a=-0.3, doping=2.0 * device.parameters["doping"])
    assert np.allclose(other.solve(V_a=-0.3).x, known.x, rtol=1e-9, atol=1e-12)
    with pytest.raises(ParameterError, match="tau"):
        device.at(tau=1.0)
