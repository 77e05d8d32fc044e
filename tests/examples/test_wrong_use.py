"""What cannot be right is refused with a message; other units earn a warning."""

import numpy as np
import pytest

from sgsolve.errors import InputError, ParameterError, ShapeError


@pytest.fixture
def make():
    """A diode with anything in it replaced."""
    from physics import Device, Ohmic, interval, srh

    def build(x=None, doping=None, contacts=None, drop=None, **changed):
        x = np.linspace(0, 1e-4, 51) if x is None else x
        doping = np.where(x < x[-1] / 2, -1e16, 1e16) if doping is None else doping
        values = {"eps_r": 12.0, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
        values |= {"tau_n": 1e-7, "tau_p": 1e-7, "n1": 1e10, "p1": 1e10} | changed
        values.pop(drop, None)
        contacts = contacts or {"anode": Ohmic(0), "cathode": Ohmic(-1)}
        return Device(interval(x), doping, contacts, values, recombination=[srh])

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


def test_missing_and_unknown_parameters(make):
    with pytest.raises(ParameterError, match="tau_p missing"):
        make(drop="tau_p")
    with pytest.raises(ParameterError, match="B_rad"):
        make(B_rad=1e-10)
    with pytest.raises(ShapeError, match=r"tau_n.*51"):
        make(tau_n=np.ones(7))


def test_contacts_that_are_not_there(make):
    from physics import Ohmic

    with pytest.raises(InputError, match=r"'anode'.*outside the mesh"):
        make(contacts={"anode": Ohmic(51), "cathode": Ohmic(-1)})
    with pytest.raises(InputError, match="share a node"):
        make(contacts={"anode": Ohmic(0), "cathode": Ohmic([0, 50])})
    with pytest.raises(ParameterError, match=r"no contact 'gate'.*anode, cathode"):
        make().sweep("gate", [0.0, 1.0])
    with pytest.raises(ParameterError, match="no contact 'gate'"):
        make().current(make().equilibrium(), "gate")


def test_units_off_by_a_million(make):
    from physics import UnitsWarning

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
    from physics.sensitivity import derivatives

    device = make()
    x = device.equilibrium()
    with pytest.raises(ParameterError, match="'tau' is no parameter"):
        derivatives(device, x, "anode", ["tau"])
