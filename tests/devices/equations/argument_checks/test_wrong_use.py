"""What cannot be right is refused with a message; other units earn a warning."""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from sgsolve.devices import Gate, Ohmic
from sgsolve.devices.models.contacts import Contact
from sgsolve.errors import (
    ConvergenceError,
    DataTypeError,
    InputError,
    NotFiniteError,
    ParameterError,
    ShapeError,
)


@pytest.fixture
def make():
    """A diode with anything in it replaced."""
    from sgsolve.devices import Device, Ohmic, interval, srh

    def build(x=None, doping=None, contacts=None, drop=None, **changed):
        x = np.linspace(0, 1e-4, 51) if x is None else x
        doping = np.where(x < x[-1] / 2, -1e16, 1e16) if doping is None else doping
        values = {"eps_r": 12.0, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
        values |= {"tau_n": 1e-7, "tau_p": 1e-7, "n1": 1e10, "p1": 1e10} | changed
        values.pop(drop, None)
        options = {k: values.pop(k) for k in ("statistics", "active") if k in values}
        contacts = contacts or {"anode": Ohmic(0), "cathode": Ohmic(-1)}
        return Device(interval(x), doping, contacts, values, recombination=[srh], **options)

    return build


def test_unsorted_mesh(make):
    with pytest.raises(InputError, match=r"not sorted.*x\[1\].*x\[2\]"):
        make(x=np.array([0.0, 2e-5, 1e-5, 3e-5]))


def test_doping_of_the_wrong_length(make):
    with pytest.raises(ShapeError, match=r"doping.*51 nodes"):
        make(doping=np.zeros(50))


@pytest.mark.parametrize("name", ["tau_n", "mu_p", "ni", "T"])
def test_negative_parameters(make, name):
    with pytest.raises(InputError, match=f"{name}: must be positive, got -1"):
        make(**{name: -1.0})


def test_a_temperature_field_is_refused_by_name(make):
    message = "T: must be one temperature, that of the contacts"
    with pytest.raises(InputError, match=message):
        make(T=np.full(51, 300.0))
    with pytest.raises(InputError, match=message):
        make().solve(T=np.linspace(300.0, 310.0, 51))
    with pytest.raises(InputError, match="V_anode: must be one voltage"):
        make().solve(V_anode=np.zeros(51))


def test_missing_and_unknown_parameters(make):
    with pytest.raises(ParameterError, match="tau_p missing"):
        make(drop="tau_p")
    with pytest.raises(ParameterError, match="B_rad"):
        make(B_rad=1e-10)
    with pytest.raises(ShapeError, match=r"tau_n.*51"):
        make(tau_n=np.ones(7))


def test_contacts_that_are_not_there(make):
    from sgsolve.devices import Ohmic

    with pytest.raises(InputError, match=r"'anode'.*outside the mesh"):
        make(contacts={"anode": Ohmic(51), "cathode": Ohmic(-1)})
    with pytest.raises(InputError, match="share a node"):
        make(contacts={"anode": Ohmic(0), "cathode": Ohmic([0, 50])})
    with pytest.raises(ParameterError, match=r"no contact 'gate'.*anode, cathode"):
        make().sweep("gate", [0.0, 1.0])
    with pytest.raises(ParameterError, match="no contact 'gate'"):
        make().current(make().equilibrium(), "gate")


def test_units_off_by_a_million(make):
    from sgsolve.devices import UnitsWarning

    with pytest.warns(UnitsWarning, match=r"in cm \(1 um is 1e-4\)"):
        make(x=np.linspace(0, 1e2, 51))
    with pytest.warns(UnitsWarning, match="1e-10"):
        make(x=np.linspace(0, 1e-10, 51))
    with pytest.warns(UnitsWarning, match="per cm"):
        make(doping=np.repeat([-1e22, 1e22], [25, 26]))
    with pytest.warns(UnitsWarning, match="Debye"):
        make(doping=np.repeat([-1e10, 1e10], [25, 26]))


def test_what_is_changed_for_one_solve_is_checked_too(make):
    device = make(tau_p=np.full(51, 1e-7))
    with pytest.raises(InputError, match="tau_n: must be positive, got -1"):
        device.solve(tau_n=-1.0)
    with pytest.raises(ShapeError, match=r"doping.*51 nodes"):
        device.solve(doping=np.zeros(50))
    with pytest.raises(ParameterError, match="B_rad: no model"):
        device.sweep("anode", [0.0, 0.1], B_rad=1e-10)
    with pytest.raises(InputError, match="tau_n: must be positive, got -1"):
        device.sweep("tau_n", [1e-7, -1e-7])
    with pytest.raises(InputError, match="V_anode: is not finite"):
        device.sweep("anode", [0.0, np.nan])
    with pytest.raises(InputError, match="'tau_p' is an array"):
        device.sweep("tau_p", [1e-7, 1e-8])
    with pytest.raises(ShapeError, match="list of numbers for 'V_anode'"):
        device.sweep("anode", [])


def test_derivatives_by_what_is_no_parameter(make):
    from sgsolve.devices import derivatives

    device = make()
    x = device.equilibrium()
    with pytest.raises(ParameterError, match="'tau' is no parameter"):
        derivatives(device, x, "anode", ["tau"])


def test_meshes_given_by_hand(make):
    from sgsolve.devices import Device, Mesh, Ohmic, UnitsWarning

    x = np.linspace(0, 1e-4, 5)
    chain = np.stack([np.arange(4), np.arange(1, 5)], axis=1)
    volumes = np.array([0.5, 1, 1, 1, 0.5]) * 2.5e-5
    values = {"eps_r": 12.0, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    contacts = {"a": Ohmic(0), "b": Ohmic(-1)}
    doping = np.full(5, 1e16)
    with pytest.raises(InputError, match="not sorted: edges overlap"):
        Mesh(x[[0, 2, 1, 3, 4]], chain, np.ones(4), volumes)
    with pytest.raises(ShapeError, match=r"couples.*4 edges"):
        Mesh(x, chain, np.ones(5), volumes)
    with pytest.raises(InputError, match=r"name nodes outside 0 \.\.\. 4"):
        Mesh(x, chain + 1, np.ones(4), volumes)
    with pytest.raises(InputError, match="volumes: that of node 2 is 0"):
        Device(Mesh(x, chain, np.ones(4), volumes * [1, 1, 0, 1, 1]), doping, contacts, values)
    with pytest.warns(UnitsWarning, match="volumes add up to 100 cm"):
        Device(Mesh(x, chain, np.ones(4), 1e6 * volumes), doping, contacts, values)
    backwards = Mesh(x[::-1], chain[:, ::-1], np.ones(4), volumes)
    currents = [
        device.current(device.solve(V_a=0.1).x, "a", V_a=0.1)
        for device in (
            Device(Mesh(x, chain, np.ones(4), volumes), doping, contacts, values),
            Device(backwards, doping, contacts, values),
        )
    ]
    assert currents[0] == pytest.approx(currents[1], rel=1e-13)


def test_contacts_and_surfaces_that_cannot_be(make):
    from sgsolve.devices import Constants, Device, Gate, Ohmic, Schottky, Surface, interval

    x, ends = np.linspace(0, 1e-4, 51), {"b": Ohmic(-1)}
    values = {"eps_r": 12.0, "mu_n": 1000.0, "mu_p": 400.0}
    bands = values | {"Nc": 1e19, "Nv": 1e19, "Ec": 0.5, "Ev": -0.5}
    doping = np.full(51, 1e16)

    def device(contacts, given=bands, **more):
        return Device(interval(x), doping, contacts, given, **more)

    with pytest.raises(InputError, match="contacts: none given"):
        device({})
    with pytest.raises(InputError, match="contact 'm': v_n must not be negative, got -1"):
        device({"m": Schottky(0, 0.5, v_n=-1.0)})
    with pytest.raises(ShapeError, match=r"contact 'm'.*its 2 nodes"):
        device({"m": Schottky([0, 1], 0.5, area=np.ones(3))})
    with pytest.raises(InputError, match="contact 'm': names a node twice"):
        device({"m": Schottky([0, 0], 0.5, area=np.ones(2))})
    with pytest.raises(InputError, match="contact 'g': capacitance"):
        device({"g": Gate(0, capacitance=-1.0), **ends})
    with pytest.raises(InputError, match=r"ni: a Schottky barrier needs Nc"):
        device({"m": Schottky(0, 0.5)}, values | {"ni": 1e10})
    speeds = {"S_n": 1e3, "S_p": 1e3, "n1": 1e10, "p1": 1e10}
    with pytest.raises(InputError, match=r"surface 's': has nodes outside"):
        device(ends, bands | speeds, surfaces={"s": Surface([51])})
    with pytest.raises(InputError, match="S_n: must not be negative"):
        device(ends, bands | speeds | {"S_n": -1.0}, surfaces={"s": Surface([0])})
    with pytest.raises(InputError, match="field: must be 'potential'"):
        device(ends, field="electric")
    with pytest.raises(InputError, match="q: must be positive"):
        Constants(q=-1.6e-19)


def test_a_contact_with_a_barrier_that_gives_no_velocities_is_named(make):
    @dataclass(frozen=True)
    class Leaky(Contact):
        nodes: int = 0
        barrier: float = 0.6
        has_barrier: ClassVar[bool] = True

    bands = {"Nc": 2.8e19, "Nv": 1e19, "Ec": 0.0, "Ev": -1.12}
    with pytest.raises(InputError, match=r"Leaky declares has_barrier: define velocities\(\)"):
        make(drop="ni", contacts={"anode": Leaky(), "cathode": Ohmic(-1)}, **bands).solve()


def test_nodes_keep_the_order_of_their_areas():
    from sgsolve.devices import Device, Ohmic, Schottky, rectangle

    mesh = rectangle(np.linspace(0, 1e-4, 21), np.array([0.0, 1e-6, 4e-6]))
    left, right = (mesh.where(mesh.nodes[:, 0] == v) for v in (0.0, 1e-4))
    values = {"eps_r": 12.0, "mu_n": 1000.0, "mu_p": 400.0}
    values |= {"Nc": 1e19, "Nv": 1e19, "Ec": 0.5, "Ev": -0.5}
    currents = []
    for order in ([0, 1, 2], [2, 0, 1]):
        metal = Schottky(left[order], 0.6, area=mesh.boundary(left)[order])
        contacts = {"m": metal, "b": Ohmic(right)}
        device = Device(mesh, np.full(mesh.n, 1e16), contacts, values)
        currents.append(device.current(device.solve(V_m=0.2).x, "m", V_m=0.2))
    assert currents[0] == pytest.approx(currents[1], rel=1e-12)


def test_an_intrinsic_density_off_by_a_million(make):
    from sgsolve.devices import UnitsWarning

    with pytest.warns(UnitsWarning, match=r"ni is 1e\+16"):
        make(ni=1e16, doping=np.repeat([-9e15, 9e15], [25, 26]))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mesh": np.linspace(0, 1, 51)}, r"mesh: must be a Mesh, such as interval\(x\)"),
        ({"contacts": [0, 50]}, "contacts: must be a dictionary"),
        ({"contacts": {"a": 0}}, "contacts: 'a' must be Ohmic, Schottky or Gate, not 0"),
        ({"surfaces": {"s": [0]}}, "surfaces: 's' must be Surface"),
        ({"contacts": {"a": Ohmic(0), "g": Gate(-1, offset="0")}}, "'g': offset: must be a number"),
        ({"contacts": {"a": Gate(0)}}, "contacts: gates alone leave the number of carriers open"),
        ({"doping": "high"}, "doping: must be a number or an array of numbers, got 'high'"),
        ({"doping": np.full(51, 1e16j)}, "doping: must be a number or an array"),
        ({"parameters": [1.0]}, "parameters: must be a dictionary"),
        ({"parameters": {"eps_r": "12"}}, "eps_r: must be a number or an array of numbers"),
        ({"parameters": {"eps_r": None}}, "eps_r: must be a number or an array of numbers"),
        ({"recombination": "srh"}, "recombination: must be a list of functions, got 'srh'"),
        ({"traps": abs}, "traps: must be a list of functions"),
        ({"mobility": "masetti"}, "mobility: must be a function"),
        ({"statistics": dict}, "statistics: must be an object with log_gamma"),
        ({"constants": 1.6e-19}, "constants: must be Constants, not float"),
    ],
)
def test_arguments_of_the_wrong_kind(changed, message):
    from sgsolve.devices import Device, interval

    good = {
        "mesh": interval(np.linspace(0, 1e-4, 51)),
        "doping": np.full(51, 1e16),
        "contacts": {"a": Ohmic(0), "b": Ohmic(-1)},
        "parameters": {"eps_r": 12.0, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0},
    }
    assert Device(**good).solve(V_a=0.1).success
    with pytest.raises(InputError, match=message):
        Device(**(good | changed))


def test_light_that_takes_carriers_away(make):
    device = make()
    with pytest.raises(InputError, match="G: must not be negative"):
        device.solve(G=-1e20)
    with pytest.raises(InputError, match="profile: must not be negative"):
        device.solve(G=1e20, profile=np.full(51, -1.0))


def test_what_is_no_state(make):
    from sgsolve.devices import band_edges, conductance, densities

    device = make()
    result = device.solve()
    for call in (device.solve, lambda x: device.sweep("anode", [0.0, 0.1], x)):
        with pytest.raises(InputError, match=r"x0: .* 153 values or more; got shape \(3,\)"):
            call(np.zeros(3))
    for call in (
        lambda x: device.current(x, "anode"),
        lambda x: band_edges(device, x),
        lambda x: densities(device, x),
        lambda x: conductance(device, x, "anode"),
    ):
        with pytest.raises(InputError, match=r"not a Result; give its result\.x"):
            call(result)
    with pytest.raises(InputError, match="branch: must be what a sweep returns, not ndarray"):
        device.currents(result.x, "anode")


def test_an_intrinsic_density_of_another_temperature_is_warned_of(make):
    from sgsolve.devices import TemperatureWarning

    device = make()
    for call in (lambda: device.solve(T=350.0), lambda: device.sweep("T", [300.0, 350.0])):
        with pytest.warns(TemperatureWarning, match="ni stays that of 300 K") as warned:
            call()
        assert len(warned) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        device.solve(T=350.0, ni=1e11)
        device.solve(T=300.0)


def test_a_voltage_in_another_unit_is_warned_of(make):
    from sgsolve.devices import UnitsWarning

    with pytest.warns(UnitsWarning, match=r"V_anode is 1e\+06; voltages are in V"):
        make().sweep("anode", [0.0, -1e6])


def test_currents_that_cannot_be_driven(make):
    from sgsolve.devices import drive_current

    for targets, message in (
        (["1"], "targets: must be a number"),
        ([np.nan], "targets: is not finite"),
        (1.0, "targets: must be a list of currents"),
    ):
        with pytest.raises(InputError, match=message):
            drive_current(make(), "anode", targets)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"guess": np.nan}, "guess: is not finite"),
        ({"guess": "1"}, "guess: must be a number"),
        ({"guess": [0.1, 0.2]}, "guess: must be one voltage"),
        ({"x": np.zeros(5)}, "x: a state of this device"),
        ({"x": np.full(153, np.nan)}, "x is not finite"),
        ({"V_anode": 0.3}, "V_anode: the current decides it.*guess=0.3"),
    ],
)
def test_starts_of_a_driven_current_are_refused_by_the_names_of_their_arguments(
    make, given, message
):
    from sgsolve.devices import at_current, drive_current, open_circuit

    for call in (
        lambda: at_current(make(), "anode", 1.0, **given),
        lambda: drive_current(make(), "anode", [1.0], **given),
        lambda: open_circuit(make(), "anode", **given),
    ):
        with pytest.raises(InputError, match=f"^{message}"):
            call()


def test_the_voltage_that_is_swept_to_a_compliance_cannot_be_given(make):
    from sgsolve.devices import to_compliance

    with pytest.raises(ParameterError, match=r"^V_anode: is swept"):
        to_compliance(make(), "anode", [0.0, 0.1], 1.0, V_anode=0.3)


@pytest.mark.slow
def test_a_current_beyond_reach_is_named(make):
    from sgsolve.devices import at_current

    with pytest.raises(ConvergenceError, match=r"at which 'anode' carries 1e\+30; the last with"):
        at_current(make(), "anode", 1e30)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"edges": [0.0, 1e-4, 1e-4, 2e-4]}, "layer 2 from 0.0001 to 0.0001 cm has no thickness"),
        ({"edges": [0.0]}, "edges: need both ends"),
        ({"spacing_ends": 0.0}, "spacing_ends: must be positive"),
        ({"spacing_junction": np.nan}, "spacing_junction: must be positive"),
        ({"ratio": 0.9}, "ratio: must be at least 1"),
        ({"largest": 1e-8}, "largest: must be at least the spacings"),
    ],
)
def test_layers_that_cannot_be(change, message):
    from sgsolve.devices import graded

    good = {"edges": [0.0, 1e-4], "spacing_ends": 1e-5, "spacing_junction": 1e-6, "ratio": 1.2}
    with pytest.raises(InputError, match=message):
        graded(**(good | change))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("silicn", "silicon"),
        ("Si", "silicon"),
        ("GaAs", "gaas"),
        ("SiC", "sic_4h"),
        ("gan_", "gan"),
    ],
)
def test_a_material_that_is_not_there(name, near):
    from sgsolve.devices import materials

    with pytest.raises(AttributeError, match=f"no {name!r}, .*did you mean {near!r}"):
        getattr(materials, name)
    with pytest.raises(InputError, match="T: must be a temperature in K, got '300'"):
        materials.silicon.at("300")


def test_a_mask_says_which_nodes():
    from sgsolve.devices import Device, Ohmic, Surface, interval

    mesh = interval(np.linspace(0, 1e-4, 51))
    values = {"eps_r": 12.0, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    contacts = {"a": Ohmic(mesh.nodes == 0), "b": Ohmic(mesh.nodes == 1e-4)}
    device = Device(mesh, np.full(51, 1e16), contacts, values)
    assert device.layout.contacts["b"].tolist() == [50]
    speeds = {"S_n": 1e3, "S_p": 1e3, "n1": 1e10, "p1": 1e10, "G": 1e18}
    found = []
    for front in (mesh.nodes == 0, [0], [-51]):
        lit = Device(
            mesh,
            np.full(51, 1e16),
            {"b": Ohmic(-1)},
            values | speeds,
            surfaces={"s": Surface(front)},
        )
        found.append(lit.solve().x)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    np.testing.assert_allclose(found[0], found[2], rtol=1e-12)
    with pytest.raises(InputError, match="'a': nodes must be a list of node numbers"):
        Device(mesh, np.full(51, 1e16), {"a": Ohmic(mesh.nodes < 0)}, values)


def test_doping_that_is_not_finite(make):
    with pytest.raises(NotFiniteError, match="doping: has values that are not finite"):
        make(doping=np.full(51, np.nan))


def test_an_intrinsic_density_serves_boltzmann_statistics_only(make):
    from sgsolve.devices import Blakemore

    with pytest.raises(InputError, match="ni: serves Boltzmann statistics only"):
        make(statistics=Blakemore())


def test_a_voltage_of_a_contact_that_is_not_there(make):
    with pytest.raises(InputError, match="gate"):
        make().solve(V_gate=1.0)


def test_a_semiconductor_must_have_a_volume(make):
    couples, volumes = np.ones(50), np.full(51, 2e-6)
    for active, error, said in (
        ((np.ones(3), volumes), ShapeError, "active: needs the semiconductor's couples"),
        ((couples, 0.0 * volumes), InputError, "no node has a volume"),
        ((couples, np.where(np.arange(51) == 7, -1.0, volumes)), InputError, "node 7 has a neg"),
    ):
        with pytest.raises(error, match=said):
            make(active=active)


def test_gummel_that_needs_more_rounds_says_so(make):
    from sgsolve.devices import gummel

    device = make()
    with pytest.raises(ConvergenceError, match="after 1 rounds of Gummel's iteration"):
        gummel(device, device.equilibrium(), rounds=1, V_anode=0.5)


def test_a_device_describes_itself(make):
    assert repr(make()) == "Device(51 nodes, contacts anode, cathode)"


# Usual values, and the direction in which a million makes them impossible: the other direction too
# where it is 0. Mobilities, lifetimes and velocities of some materials are a million times smaller.
USUAL = {
    "eps_r": (11.7, 0), "mu_n": (1400.0, 1), "mu_p": (450.0, 1), "tau_n": (1e-6, 1),
    "tau_p": (1e-6, 1), "B_rad": (1e-10, 1), "C_n": (2.8e-31, 0), "C_p": (9.9e-32, 0),
    "v_sat_n": (1e7, 0), "v_sat_p": (8e6, 0), "beta_n": (2.0, 0), "beta_p": (1.0, 0),
    "Nc": (2.8e19, 0), "Nv": (1.04e19, 0), "S_n": (1.0, -1), "S_p": (1.0, -1),
    "A_btb": (4e14, 0), "E_btb": (1.9e7, 0), "s_btb": (2.5, 0),
    "a_ii_n": (7.03e5, 0), "a_ii_p": (1.582e6, 0), "b_ii_n": (1.231e6, 0), "b_ii_p": (2e6, 0),
    "m_ii_n": (1.0, 0), "m_ii_p": (1.0, 0), "depth": (0.56, 0), "m_tunnel": (0.25, 0),
    "G": (1e22, 1), "N_trap": (1e15, 1), "c_n": (1e-8, 1), "c_p": (1e-8, 1),
}  # fmt: skip


def all_models(**values):
    from sgsolve.devices import (
        Device,
        Ohmic,
        Surface,
        acceptor_traps,
        auger,
        band_to_band,
        chynoweth,
        interval,
        radiative,
        srh,
        trap_assisted,
        velocity_saturation,
    )  # fmt: skip

    x = np.linspace(0.0, 2e-4, 51)
    given = {k: v for k, (v, _) in USUAL.items()}
    given |= {"Ec": -4.05, "Ev": -5.17, "n1": 1e10, "p1": 1e10, "n_trap": 1e10, "p_trap": 1e10}
    return Device(
        interval(x), np.where(x < 1e-4, -1e16, 1e16), {"p": Ohmic(0), "n": Ohmic(-1)},
        given | values, surfaces={"top": Surface([25])}, traps=[acceptor_traps],
        recombination=[srh, radiative, auger, band_to_band, trap_assisted],
        mobility=velocity_saturation, ionization=chynoweth,
    )  # fmt: skip


def test_usual_parameters_of_all_models_are_not_warned_of():
    all_models()


@pytest.mark.parametrize(
    ("name", "factor"),
    [(k, f) for k, (_, way) in USUAL.items() for f in (1e6, 1e-6) if way * np.log10(f) >= 0],
)
def test_a_parameter_off_by_a_million_is_warned_of(name, factor):
    from sgsolve.devices import UnitsWarning

    with pytest.warns(UnitsWarning, match=rf"check the units: .*{name}\b"):
        all_models(**{name: factor * USUAL[name][0]})


@pytest.mark.parametrize(("first", "second"), [("n1", "p1"), ("n_trap", "p_trap")])
def test_densities_of_a_trap_per_m3_are_warned_of(first, second):
    """1e16 is 1e10 per cm^3, the intrinsic density; 1e16 and 1e4 are those of one level."""
    from sgsolve.devices import UnitsWarning

    with pytest.warns(UnitsWarning, match=rf"{first} {second} is 1e\+32.*of a trap are equal"):
        all_models(**{first: 1e16, second: 1e16})
    all_models(**{first: 1e16, second: 1e4})
    all_models(**{first: 0.0, second: 0.0})


def diode(lengths=1.0, doping=1.0, **values):
    from sgsolve.devices import Device, Ohmic, graded, interval, srh

    x = graded([0.0, 1e-4, 3e-4], 1e-5, 1e-7)
    given = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1400.0, "mu_p": 450.0}
    given |= {"tau_n": 1e-6, "tau_p": 1e-6, "n1": 1e10, "p1": 1e10}
    return Device(
        interval(lengths * x), doping * np.where(x < 1e-4, -1e18, 1e16),
        {"p": Ohmic(0), "n": Ohmic(-1)}, given | values, recombination=[srh],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        ({"mu_n": 0.14, "mu_p": 0.045}, "mu_n is 0.14 and mu_p 0.045 at eps_r = 11.7"),  # m^2/Vs
        ({"mu_p": 0.045}, "more than a thousand times apart"),
        ({"mu_n": 1.4e7}, "mu_n is 1.4e"),
        ({"eps_r": 1170.0}, "eps_r is 1.17e"),  # a hundred
        ({"eps_r": 0.117}, "eps_r is 0.117"),
        ({"eps_r": 11.7 * 8.854e-14}, "eps_r is 1.04e-12"),  # F/cm
        ({"ni": 1e16}, "ni is 1e.16 at T = 300, as with a gap of 0.4 eV"),  # m^-3
        ({"T": 27.0}, "ni is 1e.10 at T = 27, as with a gap of 0.084 eV"),  # Celsius
        ({"tau_n": 1.0}, "tau_n is 1;"),  # us
        ({"doping": 1e4}, "doping reaches 1e.22"),
        ({"doping": 1e-12}, "doping is at most 1e.06"),  # um^-3
        ({"lengths": 1e4}, "Debye length"),  # um
        ({"lengths": 1e-2}, "extends over 3e-06 cm: no part of it is neutral"),  # m
        ({"lengths": 1e4, "doping": 1e-1}, "depletion layer of the junction"),
    ],
)
def test_a_slip_of_units_by_a_hundred_or_more_is_warned_of(slip, words):
    from sgsolve.devices import UnitsWarning

    with pytest.warns(UnitsWarning, match=f"check the units: .*{words}"):
        diode(**slip)


def test_light_in_other_units_is_warned_of_where_it_is_turned_on():
    from sgsolve.devices import UnitsWarning

    with pytest.warns(UnitsWarning, match="rate of generation G is 1e.27; .*the sun makes 1e21"):
        diode().solve(G=1e27)


@pytest.mark.parametrize(
    "values",
    [
        {"mu_n": 1e-4, "mu_p": 1e-6, "eps_r": 3.5},  # molecules
        {"mu_n": 20.0, "mu_p": 1.0},  # amorphous silicon
        {"mu_n": 7.8e4, "mu_p": 850.0, "eps_r": 16.8, "ni": 9e15},  # InSb
        {"mu_n": 6.0, "mu_p": 0.5, "eps_r": 300.0, "ni": 1e-8},  # SrTiO3
        {"mu_n": 1700.0, "mu_p": 900.0, "eps_r": 414.0, "ni": 9e15},  # PbTe
    ],
)
def test_unusual_materials_are_not_warned_of(values):
    diode(**values)


@pytest.mark.parametrize(("Ec", "Ev"), [(-4.05e3, -5.17e3), (-6.5e-19, -8.3e-19), (-4.05, -5170.0)])
def test_energies_in_other_units_are_warned_of(Ec, Ev):
    from sgsolve.devices import UnitsWarning

    with pytest.warns(UnitsWarning, match="energies are in eV"):
        all_models(Ec=Ec, Ev=Ev)


def parts(**options):
    """A device with all kinds of contacts, interfaces, levels and ions."""
    from sgsolve.devices import (
        Device,
        Gate,
        Ion,
        Ohmic,
        Schottky,
        SheetCharge,
        Thermionic,
        TrapLevel,
        interval,
    )  # fmt: skip

    kinds = {
        "barrier": 0.7, "v_n": 2.5e6, "v_p": 2e6, "capacitance": 3.45e-7, "offset": -0.5,
        "richardson_n": 120.0, "richardson_p": 120.0, "n_trap": 1e10, "c_n": 1e-8, "c_p": 1e-8,
        "limit": 1e21, "sheet": 1e12, "interface": 1e11, "volume": 1e15,
    } | options  # fmt: skip
    x = np.append(np.linspace(0.0, 1e-4, 26), np.linspace(1e-4 + 1e-10, 2e-4, 25))
    values = {"eps_r": 11.7, "Nc": 2.8e19, "Nv": 1e19, "Ec": 0.0, "Ev": -1.1}
    values |= {"mu_n": 1400.0, "mu_p": 450.0, "sheet_s": kinds["sheet"]}
    some = {k: kinds[k] for k in ("c_n", "c_p", "n_trap")}
    return Device(
        interval(x), np.full(51, 1e16),
        {
            "m": Schottky(0, kinds["barrier"], kinds["v_n"], kinds["v_p"]), "o": Ohmic(-1),
            "g": Gate(10, kinds["offset"], kinds["capacitance"]),
        },
        values,
        interfaces={
            "e": Thermionic(25, kinds["richardson_n"], kinds["richardson_p"]),
            "s": SheetCharge([5]),
        },
        trap_levels={
            "it": TrapLevel("donor", kinds["interface"], nodes=10, area=1.0, **some),
            "bulk": TrapLevel("donor", kinds["volume"], **some),
        },
        ions={"v": Ion(x < 5e-5, 1, 1e16, 1e-10, kinds["limit"])},
    )  # fmt: skip


def test_usual_numbers_of_all_parts_are_not_warned_of():
    parts()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("barrier", 7e-19, "contact 'm': barrier"), ("v_n", 2.5, "contact 'm': v_n"),
        ("v_p", 2.0, "contact 'm': v_p"), ("capacitance", 0.345, "contact 'g': capacitance"),
        ("capacitance", 3.45e-13, "contact 'g': capacitance"), ("offset", -500.0, "'g': offset"),
        ("richardson_n", 1.2e8, "interface 'e': richardson_n"),
        ("richardson_p", 1.2e-4, "interface 'e': richardson_p"), ("limit", 1e27, "ion 'v': limit"),
        ("sheet", 1e18, "sheet_s"), ("interface", 1e17, "N_it"), ("volume", 1e21, "N_bulk"),
        ("n_trap", 1e25, "n_trap"),
    ],
)  # fmt: skip
def test_a_number_of_a_part_off_by_a_million_is_warned_of(name, value, words):
    from sgsolve.devices import UnitsWarning

    with pytest.warns(UnitsWarning, match=f"check the units: .*{words}"):
        parts(**{name: value})


def test_a_device_below_one_kelvin_is_refused(make):
    with pytest.raises(InputError, match=r"T: must be at least 1 K, got 0\.5"):
        make(T=0.5)


def test_a_doping_beyond_all_atoms_is_refused(make):
    with pytest.raises(InputError, match=r"doping: reaches 2e\+23 per cm\^3"):
        make(doping=np.repeat([-2e23, 1e22], [25, 26]))
    with pytest.raises(InputError, match=r"doping: reaches 1e\+24 per cm\^3"):
        make().solve(doping=np.full(51, 1e24))


def test_a_contact_on_an_insulator_is_refused():
    from sgsolve.devices import Device, Gate, Ohmic, Regions, Schottky, interval

    mesh = interval(np.linspace(0, 1e-4, 11))
    inside = mesh.centers() > 5e-5
    values = {"eps_r": 12.0, "mu_n": 1000.0, "mu_p": 400.0}
    values |= {"Nc": 1e19, "Nv": 1e19, "Ec": 0.5, "Ev": -0.5}
    regions = Regions(mesh, np.where(inside, "silicon", ""))
    for more in ({"active": mesh.part(inside)}, {"regions": regions}):
        doping = np.full(len(regions.nodes) if "regions" in more else mesh.n, 1e16)
        for contact in (Ohmic(0), Schottky(0, 0.7)):
            with pytest.raises(InputError, match="contact 'a': has nodes outside the semicond"):
                Device(mesh, doping, {"a": contact, "b": Ohmic(-1)}, values, **more)
        assert Device(mesh, doping, {"a": Gate(0), "b": Ohmic(-1)}, values, **more).solve().success


def test_a_mesh_with_negative_volumes_is_refused():
    from sgsolve.devices import Device, Ohmic, Regions, triangulation

    points = 1e-4 * np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.1]])
    mesh = triangulation(points, [[0, 1, 2]])
    assert mesh.volumes.min() < 0.0
    values = {"eps_r": 12.0, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    ends = {"a": Ohmic(0), "b": Ohmic(1)}
    with pytest.raises(InputError, match=r"volumes: that of node 0 is -.*devices\.quality"):
        Device(mesh, np.full(3, 1e16), ends, values)
    with pytest.raises(InputError, match="volume of node 0 in 'a' is -"):
        Regions(mesh, ["a"])


@pytest.mark.parametrize("statistics", [dict, "fermi", 1.0])
def test_species_without_statistics_are_refused(statistics):
    from sgsolve.devices import Device, Ion, Ohmic, interval

    mesh = interval(np.linspace(0, 1e-4, 11))
    values = {"eps_r": 12.0, "mu_n": 1000.0, "mu_p": 400.0}
    values |= {"Nc": 1e19, "Nv": 1e19, "Ec": 0.5, "Ev": -0.5}
    ends = {"a": Ohmic(0), "b": Ohmic(-1)}
    with pytest.raises(InputError, match="statistics: must be an object with log_gamma"):
        Device(mesh, np.full(11, 1e16), ends, values, statistics=statistics)
    with pytest.raises(InputError, match=r"limit is not finite|limit must be above"):
        Device(
            mesh, np.full(11, 1e16), ends, values,
            ions={"v": Ion(range(1, 10), 1, 1e16, 1e-10, limit=np.nan)},
        )  # fmt: skip


BANDS = {"eps_r": 11.7, "Nc": 2.8e19, "Nv": 1e19, "Ec": 0.0, "Ev": -1.12}
BANDS |= {"mu_n": 1400.0, "mu_p": 450.0}


def bar(contacts, values=None, **options):
    """A bar of silicon with bands, n-type, its last node the contact "o"."""
    from sgsolve.devices import Device, interval

    x = np.linspace(0.0, 2e-4, 41)
    given = contacts | {"o": Ohmic(-1)}
    return Device(interval(x), np.full(41, 1e16), given, BANDS | (values or {}), **options)


@pytest.mark.parametrize("barrier", [7.0, 4.8, -3.0])
def test_a_barrier_far_outside_the_gap_is_refused(barrier):
    from sgsolve.devices import Schottky

    with pytest.raises(InputError, match=rf"'m': barrier is {barrier:g} eV, and the gap .* 1\.12"):
        bar({"m": Schottky(0, barrier=barrier)})
    for usual in (-0.2, 0.7, 1.3):
        bar({"m": Schottky(0, barrier=usual)})


@pytest.mark.parametrize("Ev", [0.0, 1.12])
def test_a_gap_that_is_none_is_refused(Ev):
    with pytest.raises(InputError, match="Ec: is not above Ev everywhere"):
        bar({}, {"Ev": Ev})


@pytest.mark.parametrize(("n_trap", "words"), [(1e22, "above the con"), (1e-3, "below the val")])
def test_a_trap_inside_a_band_is_warned_of(n_trap, words):
    from sgsolve.devices import TrapLevel, UnitsWarning

    with pytest.warns(UnitsWarning, match=f"trap level 't': n_trap is .*{words}"):
        bar({}, trap_levels={"t": TrapLevel("donor", 1e14, 1e-9, 1e-9, n_trap)})


@pytest.mark.parametrize("models", [1e16, [1e16], "srh"])
def test_models_of_a_material_that_are_no_functions_are_refused(models):
    from sgsolve.devices import materials

    with pytest.raises(DataTypeError, match="models: must be a list of recombination functions"):
        materials.silicon.at(300.0, models)


def test_a_gate_without_a_work_function_is_warned_of():
    from sgsolve.devices import Device, Gate, Ohmic, UnitsWarning, interval, materials

    mesh = interval(np.linspace(0.0, 1e-4, 101))
    silicon = materials.silicon.at(300.0)

    def capacitor(offset):
        contacts = {"g": Gate(0, offset, capacitance=3.45e-7), "b": Ohmic(-1)}
        return Device(mesh, np.full(mesh.n, -1e16), contacts, silicon)

    with pytest.warns(UnitsWarning, match="vacuum level.*gate 'g' is 0 V; it is minus the work"):
        capacitor(0.0)
    assert capacitor(-4.1).solve().success


def test_parts_without_effect_are_refused():
    from sgsolve.devices import Gate, Surface, TrapLevel

    level = TrapLevel("donor", 1e11, 1e-9, 1e-9, 1e10, nodes=-1, area=1.0)
    speeds = {"S_n": 1e3, "S_p": 1e3, "n1": 1e10, "p1": 1e10}
    with pytest.raises(InputError, match="contact 'g': is without effect, because contact 'o'"):
        bar({"g": Gate(-1, capacitance=1e-7)})
    with pytest.raises(InputError, match="surface 's': is without effect"):
        bar({}, speeds, surfaces={"s": Surface([-1])})
    with pytest.raises(InputError, match="trap level 't': is without effect"):
        bar({}, trap_levels={"t": level})
    with pytest.raises(InputError, match="contact 'g': capacitance must be positive, got 0"):
        bar({"g": Gate(0, capacitance=0.0)})


def test_areas_of_one_dimension_in_two_are_refused():
    from sgsolve.devices import Device, Schottky, rectangle

    mesh = rectangle(np.linspace(0, 1e-4, 11), np.linspace(0, 1e-4, 6))
    left, right = (mesh.where(mesh.nodes[:, 0] == v) for v in (0.0, 1e-4))
    doping = np.full(mesh.n, 1e16)
    with pytest.raises(InputError, match=r"'m': its areas add up to 6 cm.*mesh\.boundary\(nodes\)"):
        Device(mesh, doping, {"m": Schottky(left, 0.7), "o": Ohmic(right)}, BANDS)
    metal = Schottky(left, 0.7, area=mesh.boundary(left))
    Device(mesh, doping, {"m": metal, "o": Ohmic(right)}, BANDS)


def test_more_numbers_off_by_a_million_are_refused():
    from sgsolve.devices import Ion, beer_lambert

    with pytest.raises(InputError, match=r"ion 'v': density is 1e\+25 per cm\^3"):
        bar({}, ions={"v": Ion(np.arange(41) < 20, 1, 1e25, 1e-10)})
    with pytest.raises(InputError, match=r"absorption: is 1e\+10 per cm"):
        beer_lambert(np.linspace(0, 1e-4, 3), np.full(3, 5e-5), 1e10)
