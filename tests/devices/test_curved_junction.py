"""Breakdown of a junction with the shape of a cylinder: lower than that of a plane."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from sgsolve.devices import (
    CODATA2018,
    Device,
    Mesh,
    Ohmic,
    drive_current,
    graded,
    srh,
    triangulation,
)

DENSITY, RADIUS = 1e16, 0.5e-4  # cm^-3, cm
EPS = 11.7 * CODATA2018.eps0
SILICON = {"eps_r": 11.7, "ni": 1e10, "mu_n": 800.0, "mu_p": 300.0, "tau_n": 1e-6, "tau_p": 1e-6}
SILICON |= {"n1": 1e10, "p1": 1e10, "a_7_n": 1.8e-35, "a_7_p": 1.8e-35}
R = graded([0.2e-4, RADIUS, 4e-4], 1e-5, 4e-7, 1.15)


def fulop(field, *, a_7):
    """W. Fulop, Solid-State Electron. 10 (1967) 39: one coefficient for both carriers, silicon."""
    return a_7 * field**7


def breakdown(mesh, radius, start):
    inside = radius < RADIUS
    ends = {
        "p": Ohmic(np.flatnonzero(radius < 1.0001 * R[0])),
        "n": Ohmic(np.flatnonzero(radius > 0.9999 * R[-1])),
    }
    device = Device(mesh, np.where(inside, -1e19, DENSITY), ends, SILICON, recombination=[srh],
                    ionization=fulop)  # fmt: skip
    level = 1.0 * mesh.volumes.sum() / (0.5 * (R[-1] ** 2 - R[0] ** 2)) * RADIUS  # 1 A/cm^2
    driven = drive_current(device, "n", [level], guess=start)
    return driven.voltage[0]


def by_the_integral():
    """V at which int alpha dr = 1 in the field of a depleted cylinder, without built-in voltage."""
    slope = CODATA2018.q * DENSITY / (2.0 * EPS)

    def field(r, end):
        return slope * (end**2 - r**2) / r

    def off(end):
        return quad(lambda r: 1.8e-35 * field(r, end) ** 7, RADIUS, end, epsabs=1e-12)[0] - 1.0

    end = brentq(off, 1.05 * RADIUS, 10.0 * RADIUS)
    return quad(lambda r: field(r, end), RADIUS, end)[0]


def built_in():
    vt = CODATA2018.thermal_voltage(300.0)
    return vt * np.log(1e19 * DENSITY / 1e20) - 2.0 * vt


def radial_mesh():
    """Nodes along a radius; couples and volumes of an angle of one radian."""
    between = 0.5 * (R[1:] + R[:-1])
    faces = np.concatenate([R[:1], between, R[-1:]])
    edges = np.stack([np.arange(len(R) - 1), np.arange(1, len(R))], axis=1)
    return Mesh(R, edges, couples=between, volumes=0.5 * np.diff(faces**2))


@pytest.mark.slow
def test_breakdown_of_a_cylinder():
    """The ionization integral, and the formula of Baliga and Ghandhi for the ratio to a plane."""
    volts = by_the_integral()
    found = breakdown(radial_mesh(), R, 0.8 * volts)
    assert found + built_in() == pytest.approx(volts, rel=5e-3)
    plane, width = 5.34e13 * DENSITY**-0.75, 2.67e10 * DENSITY**-0.875
    eta = RADIUS / width
    ratio = 0.5 * (eta**2 + 2.0 * eta ** (6 / 7)) * np.log(1.0 + 2.0 * eta ** (-8 / 7))
    ratio -= eta ** (6 / 7)
    assert volts / plane == pytest.approx(ratio, rel=0.03)


@pytest.mark.slow
def test_breakdown_of_a_corner_in_two_dimensions():
    """A quarter of a ring, meshed by triangles."""
    angles = np.linspace(0.0, 0.5 * np.pi, 13)
    r, angle = (part.ravel() for part in np.meshgrid(R, angles, indexing="ij"))
    corner = (np.arange(len(R) - 1)[:, None] * 13 + np.arange(12)).ravel()
    halves = [[corner, corner + 13, corner + 14], [corner, corner + 14, corner + 1]]
    points = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    mesh = triangulation(points, np.concatenate([np.stack(part, axis=1) for part in halves]))
    line = breakdown(radial_mesh(), R, 0.8 * by_the_integral())
    assert breakdown(mesh, r, 0.8 * by_the_integral()) == pytest.approx(line, rel=5e-3)
