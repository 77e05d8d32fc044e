"""Devices with compiled equations: F, J and whole sweeps have the bits of those without."""

import numpy as np
import pytest

from sgsolve.problem.equations.compiled_functions import CompiledFunctions
from tests.ad.kernels.compiled_help import needs_llvmlite

pytestmark = needs_llvmlite

VALUES = {"eps_r": 11.7, "Nc": 2.8e19, "Nv": 1.04e19, "Ec": 0.56, "Ev": -0.56}
VALUES |= {"mu_n": 1000.0, "mu_p": 400.0, "tau_n": 1e-7, "tau_p": 1e-7, "n1": 1e10, "p1": 1e10}
X = np.linspace(0.0, 1e-4, 41)
STEP = np.where(X < 5e-5, -1e16, 1e17)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", "")
    monkeypatch.setattr(CompiledFunctions, "at_once", True)


def diode(compiled, doping=STEP, values=None, **settings):
    from sgsolve.devices import Device, Ohmic, interval, srh

    contacts = settings.pop("contacts", None) or {"p": Ohmic(0), "n": Ohmic(-1)}
    recombination = [srh, *settings.pop("recombination", [])]
    return Device(
        interval(X), doping, contacts, VALUES | (values or {}), recombination=recombination,
        compiled=compiled, **settings,
    )  # fmt: skip


def all_models(compiled):
    from sgsolve.devices import auger, radiative

    values = {"B_rad": 1e-14, "C_n": 1e-31, "C_p": 1e-31, "G": 1e19}
    return diode(compiled, values=values, recombination=[auger, radiative])


def saturated(compiled):
    from sgsolve.devices import velocity_saturation

    values = {"v_sat_n": 1e7, "v_sat_p": 8e6, "beta_n": 2.0, "beta_p": 1.0}
    return diode(compiled, values=values, mobility=velocity_saturation)


def blakemore(compiled):
    from sgsolve.devices import Blakemore

    return diode(compiled, statistics=Blakemore(0.27))


def fermi_dirac(compiled):
    from sgsolve.devices import fermi_dirac_half

    return diode(compiled, statistics=fermi_dirac_half())


def schottky(compiled):
    from sgsolve.devices import Ohmic, Schottky

    contacts = {"p": Schottky(0, 0.5), "n": Ohmic(-1)}
    return diode(compiled, np.full(41, 1e16), contacts=contacts)


def heated(compiled):
    from sgsolve.devices import Heat

    def mobilities(T):
        return {"mu_n": 1000.0 * (T / 300.0) ** -2.3, "mu_p": 400.0 * (T / 300.0) ** -2.2}

    return diode(compiled, heat=Heat(lambda T: 450.0 / T, mobilities))


def square(compiled):
    from sgsolve.devices import Device, Ohmic, rectangle, srh

    line = np.linspace(0.0, 1e-4, 11)
    mesh = rectangle(line, line)
    at = mesh.nodes[:, 0]
    contacts = {"p": Ohmic(mesh.where(at == 0)), "n": Ohmic(mesh.where(at == at.max()))}
    doping = np.where(at < 5e-5, -1e16, 1e17)
    return Device(mesh, doping, contacts, VALUES, recombination=[srh], compiled=compiled)


DEVICES = [diode, all_models, saturated, blakemore, fermi_dirac, schottky, heated, square]


@pytest.mark.parametrize("made", DEVICES, ids=lambda made: made.__name__)
def test_linearizations_have_the_same_bits(made):
    compiled, plain = made(True), made(False)
    x = plain.solve(V_p=0.2).x
    for voltage in (0.2, 0.2, 0.3, 0.35):
        for y in (x, x + 1e-3 * np.cos(np.arange(len(x))), 0.9 * x):
            problems = [d.problem.at(V_p=voltage) for d in (compiled, plain)]
            (F, J), (G, K) = (p.linearize(y) for p in problems)
            np.testing.assert_array_equal(F, G)
            np.testing.assert_array_equal(J.data, K.data)
    kernels = compiled.problem._definition.kernels
    assert kernels.stats().compiled >= 4, kernels.stats()


def test_a_sweep_has_the_same_bits():
    sweeps = [diode(compiled).sweep("p", [0.0, 0.2, 0.4]) for compiled in (True, False)]
    np.testing.assert_array_equal(sweeps[0].states, sweeps[1].states)
    assert sweeps[0].stats.n_compiled > 10
