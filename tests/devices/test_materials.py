"""The table of materials against Varshni's values, masses and devices made by hand."""

import numpy as np
import pytest

from sgsolve.devices import materials
from sgsolve.errors import DataTypeError, InputError

EVERY = [
    materials.silicon, materials.gaas, materials.algaas(0.2), materials.gan, materials.sic_4h,
    materials.perovskite,
]  # fmt: skip
VARSHNI = [  # eV at 4.2, 77, 300, 400 K
    (materials.gaas, (1.518954, 1.507596, 1.422482, 1.375821)),
    (materials.gan, (3.506981, 3.501058, 3.434602, 3.388756)),
]


@pytest.mark.parametrize(("material", "expected"), VARSHNI, ids=lambda m: getattr(m, "name", ""))
def test_gaps_are_those_of_varshni(material, expected):
    found = [material.gap(T) for T in (4.2, 77.0, 300.0, 400.0)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=6e-7)


def test_silicon():
    assert materials.silicon.gap(300.0) == pytest.approx(1.1241, abs=1e-4)
    values = materials.silicon.at(300.0, [])
    intrinsic = np.sqrt(values["Nc"] * values["Nv"]) * np.exp(-1.124119 / 0.0517040)
    assert intrinsic == pytest.approx(1.0e10, rel=0.1)
    cold = materials.silicon.at(150.0)
    assert cold["Nc"] == pytest.approx(2.86e19 * 0.5**1.58, rel=1e-12)
    assert cold["mu_n"] == pytest.approx(1417.0 * 2**2.285, rel=1e-12)
    assert cold["Ec"] - cold["Ev"] == pytest.approx(materials.silicon.gap(150.0), abs=1e-14)


def test_densities_of_states_follow_from_masses():
    """2 (2 pi m k T / h^2)^(3/2), by CODATA."""
    m, k, h = 9.1093837015e-31, 1.380649e-23, 6.62607015e-34
    unit = 2 * (2 * np.pi * m * k * 300 / h**2) ** 1.5 * 1e-6
    found = materials.MASS
    assert found == pytest.approx(unit, rel=1e-4)
    assert materials.gaas.Nc == pytest.approx(unit * 0.067**1.5, rel=2e-3)
    assert materials.sic_4h.Nc == pytest.approx(3 * unit * 0.39**1.5, rel=3e-3)
    assert materials.sic_4h.Nv == pytest.approx(unit * 0.82**1.5, rel=3e-3)
    assert materials.algaas(0.0).Nc == pytest.approx(unit * 0.063**1.5, rel=1e-3)


@pytest.mark.parametrize("material", EVERY, ids=lambda m: m.name)
def test_every_material_makes_a_junction(material):
    """Its built-in potential is Eg - kT/q log(Nc Nv / (Na Nd)), at 77 K and at 300 K."""
    from sgsolve.devices import Device, Ohmic, auger, graded, interval, radiative, srh

    models = [srh, radiative, auger]
    x = graded([0.0, 1e-4, 2e-4], 1e-6, 5e-8, 1.15)
    for T in (77.0, 300.0):
        values = material.at(T, models)
        contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
        doping = np.where(x < 1e-4, -1e16, 1e16)
        device = Device(interval(x), doping, contacts, values, recombination=models)
        psi, vt = device.equilibrium()[: len(x)], device.thermal_voltage
        expected = material.gap(T) - vt * np.log(values["Nc"] * values["Nv"] / 1e32)
        assert np.ptp(psi) == pytest.approx(expected, abs=1e-6)
        assert set(material.sources)


@pytest.mark.parametrize("material", EVERY, ids=lambda m: m.name)
def test_every_number_has_a_unit_and_a_source(material):
    from dataclasses import fields

    from sgsolve.devices.material_sources import GROUPS, UNITS

    numbers = {f.name for f in fields(material)} - {"name", "sources"}
    assert set(UNITS) == numbers
    lines = {line.split()[0]: line for line in material.table().splitlines()}
    assert set(lines) == numbers
    named = [part.strip() for key in material.sources if key != "unconfirmed"
             for part in key.split(",")]  # fmt: skip
    named = [name for part in named for name in GROUPS.get(part, (part,))]
    assert sorted(named) == sorted(numbers)  # each once
    for name, line in lines.items():
        value, rest = line[13:].split(maxsplit=1)
        assert float(value) == pytest.approx(getattr(material, name), rel=1e-5)
        assert rest.startswith(UNITS[name])
        assert len(rest) > len(UNITS[name])


def test_numbers_that_were_not_compared_again_are_marked():
    lines = {line.split()[0]: line for line in materials.gan.table().splitlines()}
    assert [name for name, line in lines.items() if "(unconfirmed)" in line] == ["mu_n", "B_rad"]


def test_only_what_the_models_ask_for():
    from sgsolve.devices import radiative, srh

    plain = {"T", "eps_r", "Nc", "Nv", "Ec", "Ev", "mu_n", "mu_p"}
    assert set(materials.gaas.at(300.0)) == plain
    assert set(materials.gaas.at(300.0, [radiative])) == plain | {"B_rad"}
    assert set(materials.gaas.at(300.0, [srh])) == plain | {"tau_n", "tau_p", "n1", "p1"}


def test_layers_are_arrays_over_the_nodes():
    from sgsolve.devices import layered, srh

    wide = materials.algaas(0.3)
    found = layered(["a", "b", "b"], {"a": wide, "b": materials.gaas}, 300.0, [srh])
    assert found["Ec"][0] - found["Ec"][1] == pytest.approx(0.33, abs=1e-12)  # affinities
    gap = found["Ec"] - found["Ev"]
    np.testing.assert_allclose(gap, [wide.gap(300.0), *2 * [materials.gaas.gap(300.0)]])
    assert found["T"] == 300.0


def test_wrong_use_is_refused_in_words():
    from sgsolve.devices import layered

    for T in (0.5, -300.0, np.nan, 1e4):
        with pytest.raises(InputError, match="T: must be between 1 and 1500 K"):
            materials.silicon.at(T)
    with pytest.raises(InputError, match="share of aluminum"):
        materials.algaas(0.6)
    with pytest.raises(InputError, match="'b' has no material"):
        layered(["a", "b"], {"a": materials.gan}, 300.0)
    with pytest.raises(DataTypeError, match="'a' must be a Material"):
        layered(["a"], {"a": "GaN"}, 300.0)
