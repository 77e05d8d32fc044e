"""Derivatives of terminal currents by every parameter, numbers and fields, against differences."""

import numpy as np
import pytest

from tests.selection import slow

BIAS = {"V_p": 0.5, "G": 1e15}
FIELDS = ("doping", "profile", "eps_r", "mu_n", "mu_p", "tau_n", "tau_p", "B_rad")
BAND_FIELDS = ("doping", "Nc", "Nv", "Ec", "Ev")


def diode(bands=False):
    from sgsolve.devices import Blakemore, Device, Ohmic, graded, interval, radiative, srh

    x = graded([0.0, 5e-5, 1e-4], 4e-6, 1e-6, 1.4)
    n, wave = len(x), 1.0 + 0.2 * np.sin(np.arange(len(x)))
    values = {"mu_n": 1000.0 * wave[:-1], "mu_p": 400.0 * wave, "eps_r": 11.7 * wave[1:]}
    values |= {"tau_n": 1e-7 * wave, "tau_p": 2e-7 * wave, "n1": 1e10, "p1": 1e10}
    values |= {"B_rad": 1e-10 * wave}
    if bands:
        values |= {"Nc": 2.8e19 * wave, "Nv": 1.04e19 * wave}
        values |= {"Ec": 0.56 + 0.01 * wave, "Ev": -0.56 - 0.01 * wave}
    else:
        values |= {"ni": 1e10}
    return Device(
        interval(x),
        np.where(x < 5e-5, -1e17, 1e16) * wave,
        {"p": Ohmic(0), "n": Ohmic(-1)},
        values,
        recombination=[srh, radiative],
        statistics=Blakemore(0.27) if bands else None,
        profile=np.linspace(1.0, 0.5, n),
    )


def difference(device, x, p, name, k):
    """Central, extrapolated, with element k of a field moved."""

    def current(h):
        value = np.array((device.parameters | p)[name], dtype=float)
        value.flat[k] += h
        q = {**p, name: value}
        return device.current(device.solve(x, **q).x, "p", **q)

    size = abs(np.array((device.parameters | p)[name]).flat[k])
    if name == "profile":  # light is weak here, and the answer linear in it
        return (current(1e3 * size) - current(0.0)) / (1e3 * size)
    h = 1e-4 if name in ("Ec", "Ev") else 1e-2 * size
    wide, narrow = ((current(d) - current(-d)) / (2 * d) for d in (2 * h, h))
    return (4 * narrow - wide) / 3


@pytest.mark.parametrize("bands", [True, *slow(False)])
def test_fields_forward_adjoint_and_differences_agree(bands):
    from sgsolve.devices import derivatives

    device, names = diode(bands), BAND_FIELDS if bands else FIELDS
    x = device.solve(**BIAS).x
    adjoint = derivatives(device, x, "p", names, **BIAS)
    forward = derivatives(device, x, "p", names, how="forward", **BIAS)
    for name in names:
        shape = np.shape(device.parameters[name])
        assert adjoint[name].shape == forward[name].shape == shape
        top = np.abs(adjoint[name]).max()
        assert top > 0
        np.testing.assert_allclose(adjoint[name], forward[name], rtol=1e-8, atol=1e-11 * top)
        size = shape[0]
        for k in (0, size // 3, size // 2, size - 2):
            expected = difference(device, x, BIAS, name, k)
            assert adjoint[name][k] == pytest.approx(expected, rel=1e-5, abs=1e-7 * top), (name, k)


def test_the_derivatives_of_a_field_add_up_to_that_of_its_number():
    from sgsolve.devices import Device, Ohmic, derivatives, interval, srh

    x = np.linspace(0, 1e-4, 41)
    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    values |= {"tau_n": 1e-7, "tau_p": 1e-7, "n1": 1e10, "p1": 1e10}
    lengths = {"tau_n": 41, "mu_n": 40, "eps_r": 40}
    found = []
    for of in (lambda name, v: v, lambda name, v: np.full(lengths[name], v)):
        p = {k: of(k, v) if k in lengths else v for k, v in values.items()}
        device = Device(
            interval(x),
            np.where(x < 5e-5, -1e17, 1e16),
            {"p": Ohmic(0), "n": Ohmic(-1)},
            p,
            recombination=[srh],
        )
        state = device.solve(V_p=0.4).x
        found.append(derivatives(device, state, "p", list(lengths), V_p=0.4))
    for name in lengths:
        assert found[1][name].sum() == pytest.approx(found[0][name], rel=1e-9)


@pytest.mark.slow
def test_a_transistor_in_two_dimensions_by_its_doping():
    from mosfet import transistor

    from sgsolve.devices import derivatives

    device, bias = transistor(), {"V_gate": 1.0, "V_drain": 0.5}
    x = device.solve(**bias).x
    found = derivatives(device, x, "drain", ["doping", "V_gate", "mu_n"], **bias)
    assert found["doping"].shape == (device.mesh.n,)
    inside = device.layout.nodes
    # The doping that matters most lies in the channel and conducts against it: n against p.
    k = int(inside[np.argmax(np.abs(found["doping"][inside]))])

    def current(h):
        doping = device.parameters["doping"].copy()
        doping[k] += h
        q = {**bias, "doping": doping}
        return device.current(device.solve(x, **q).x, "drain", **q)

    slopes = derivatives(device, x, "drain", ["beta_n", "v_sat_n"], **bias)
    for name, slope in slopes.items():  # most edges have no field at all
        h = 1e-3 * device.parameters[name]
        ends = [{**bias, name: device.parameters[name] + s} for s in (h, -h)]
        up, down = (device.current(device.solve(x, **q).x, "drain", **q) for q in ends)
        assert slope == pytest.approx((up - down) / (2 * h), rel=1e-5)
    h = 1e-3 * abs(device.parameters["doping"][k])
    assert found["doping"][k] == pytest.approx((current(h) - current(-h)) / (2 * h), rel=1e-5)
