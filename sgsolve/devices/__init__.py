"""Semiconductor devices: drift and diffusion in one to three dimensions, as ordinary residuals.

A `Device` is made from a mesh, a doping, contacts, models and parameters. It is solved from
equilibrium or swept (`Device.sweep`); `Device.currents` gives the currents at its terminals.
Units: cm, s, V, A, C, F, K, eV. Currents are per cm^2 in one dimension, per cm of width in two,
and in A in three.

Examples
--------
A silicon diode:

>>> import numpy as np
>>> from sgsolve.devices import Device, Ohmic, graded, interval, srh
>>> x = graded([0.0, 1e-4, 3e-4], 1e-5, 1e-7)  # cm
>>> silicon = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1400.0, "mu_p": 450.0}
>>> silicon |= {"tau_n": 1e-6, "tau_p": 1e-6, "n1": 1e10, "p1": 1e10}
>>> doping = np.where(x < 1e-4, -1e18, 1e16)  # cm^-3
>>> contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
>>> diode = Device(interval(x), doping, contacts, silicon, recombination=[srh])
>>> sweep = diode.sweep("p", [-5.0, 0.4, 0.6, 0.8])  # V
>>> print("  ".join(f"{J:.4g}" for J in diode.currents(sweep, "p")))  # A/cm^2
-5.301e-08  0.000587  1.265  808.1
"""

from . import materials
from .analyses.admittance import SmallSignal, quasi_static
from .analyses.bands import band_edges, densities, draw_bands
from .analyses.current_derivatives import conductance, derivatives
from .analyses.drive import Driven, at_current, drive_current, to_compliance
from .analyses.gummel_iteration import gummel
from .analyses.photovoltaic import open_circuit, power_point
from .analyses.refined import Refined, carried, solve_refined
from .constants import CODATA2018, Constants
from .device import Device
from .equations.argument_checks.unit_checks import TemperatureWarning, UnitsWarning
from .equations.time_form import TimeForm
from .equations.transport.ionization import (
    chynoweth,
    ionization_values,
    okuto_crowell,
    van_overstraeten,
)
from .material import Material, layered
from .meshes.cells import CellMesh, interval
from .meshes.grids import box, graded, rectangle
from .meshes.mesh import Mesh
from .meshes.mesh_files import read_mesh, write_mesh
from .meshes.mesh_quality import quality
from .meshes.refinement import Refinement, refinement
from .meshes.regions import Regions
from .meshes.tetrahedra import tetrahedralization
from .meshes.triangles import triangulation
from .models.carrier_statistics import Blakemore, Boltzmann, CarrierStatistics
from .models.contacts import Gate, Ohmic, Schottky, Surface
from .models.generation import beer_lambert
from .models.heat import Heat, temperature
from .models.interfaces import SheetCharge, Thermionic
from .models.ions import Ion
from .models.mobility import caughey_thomas, masetti, velocity_saturation
from .models.recombination import auger, radiative, srh
from .models.tabulated_statistics import fermi_dirac_half, gauss_fermi
from .models.trap_levels import TrapLevel
from .models.traps import acceptor_traps, donor_traps
from .models.tunnel_junction import TunnelJunction
from .models.tunneling import band_to_band, trap_assisted
from .solving.methods import coupled_method
from .solving.resolved import UnresolvedWarning
from .solving.settling import SwitchedWarning

__all__ = [
    "CODATA2018",
    "Blakemore",
    "Boltzmann",
    "CarrierStatistics",
    "CellMesh",
    "Constants",
    "Device",
    "Driven",
    "Gate",
    "Heat",
    "Ion",
    "Material",
    "Mesh",
    "Ohmic",
    "Refined",
    "Refinement",
    "Regions",
    "Schottky",
    "SheetCharge",
    "SmallSignal",
    "Surface",
    "TemperatureWarning",
    "SwitchedWarning",
    "Thermionic",
    "TimeForm",
    "TrapLevel",
    "TunnelJunction",
    "UnitsWarning",
    "UnresolvedWarning",
    "acceptor_traps",
    "at_current",
    "auger",
    "band_edges",
    "band_to_band",
    "beer_lambert",
    "box",
    "carried",
    "caughey_thomas",
    "chynoweth",
    "conductance",
    "coupled_method",
    "densities",
    "derivatives",
    "donor_traps",
    "draw_bands",
    "drive_current",
    "fermi_dirac_half",
    "gauss_fermi",
    "graded",
    "gummel",
    "interval",
    "ionization_values",
    "layered",
    "masetti",
    "materials",
    "okuto_crowell",
    "open_circuit",
    "power_point",
    "quality",
    "quasi_static",
    "radiative",
    "read_mesh",
    "rectangle",
    "refinement",
    "solve_refined",
    "srh",
    "tetrahedralization",
    "temperature",
    "to_compliance",
    "trap_assisted",
    "triangulation",
    "van_overstraeten",
    "velocity_saturation",
    "write_mesh",
]
