"""Physics that the programs of this folder share: drift-diffusion devices as plain residual code.

A device is made from a mesh, a doping, contacts, models and parameters (`Device`), started cold and
swept (`Device.sweep`), and read at its terminals (`Device.currents`). Units: cm, s, V, A, C, F, K,
eV; currents per cm^2 in one dimension, per cm of width in two.
"""

from .boundary import Surface
from .cells import CellMesh, interval
from .checks import UnitsWarning
from .constants import CODATA2018, Constants
from .contacts import Gate, Ohmic, Schottky
from .device import Device
from .grids import graded, rectangle
from .mesh import Mesh
from .recombination import auger, radiative, srh
from .resolved import UnresolvedWarning
from .triangles import triangulation

__all__ = [
    "CODATA2018",
    "CellMesh",
    "Constants",
    "Device",
    "Gate",
    "Mesh",
    "Ohmic",
    "Schottky",
    "Surface",
    "UnitsWarning",
    "UnresolvedWarning",
    "auger",
    "graded",
    "interval",
    "radiative",
    "rectangle",
    "srh",
    "triangulation",
]
