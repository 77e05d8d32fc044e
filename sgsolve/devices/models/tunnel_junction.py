"""Tunnel junctions: electrons pass from the conduction band into the valence band along a path.

Both layers are doped so highly that the bands overlap: between the edge of the conduction band at
the n end of the path and the edge of the valence band at its p end there is a window of energies.
At each energy of it the exponent of the tunneling probability is an integral over the forbidden
gap, in the band diagram of the solution (WKB, two bands)::

    S(E) = 2 int sqrt(2 m Eg e (1 - e)) / hbar dx,      e = (E - Ev(x)) / Eg from 0 to 1
    J = q m / (2 pi^2 hbar^3) int (w / 2) (1 - exp(-2 Es / w)) exp(-S) (f_c - f_v) dE

Es is the distance to the nearer end of the window, and w = Eg / 2S the energy of motion across the
path at which the probability falls; in a uniform field both are Kane's. The current vanishes at
zero bias. In forward bias the window closes, so the current has a peak and a valley.

Electrons are taken from the first node of a path and holes from the last. In a device with regions
each edge of a path has the bands of its own region.

Reference: E. O. Kane, J. Appl. Phys. 32 (1961) 83; S. M. Sze, K. K. Ng, Physics of Semiconductor
Devices, 3rd ed., section 8.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from ... import ad
from ...errors import InputError
from .contacts import Nodes, node_list
from .device_layout import placing
from .tunneling import ELECTRON, HBAR

Array = Any
CHARGE = 1.602176634e-19  # C
POINTS, WEIGHTS = (0.5 * part for part in np.polynomial.legendre.leggauss(32))
POINTS = 0.5 + POINTS
# m / (2 pi^2 hbar^3) of a free electron, per cm^2, s and eV^2.
PREFACTOR = 1e-4 * ELECTRON * CHARGE**2 / (2.0 * np.pi**2 * HBAR**3)
DECAY = 1e-2 * np.sqrt(2.0 * ELECTRON * CHARGE) / HBAR  # sqrt(2 m 1 eV) / hbar, 1/cm
NARROW = 1e-5  # of the gap: the integrand's mean is taken over at least twice this
LEAST = 1e-3  # of S


@dataclass(frozen=True)
class TunnelJunction:
    """Tunneling between the bands along paths across a junction.

    Parameters
    ----------
    paths : sequence of int, or of such sequences
        Nodes from the neutral n side, one after the other, to the neutral p side; several paths of
        the same length side by side in two and three dimensions.
    mass : float
        Reduced effective mass of both bands, in units of the electron's own; 0.06 in GaAs.
    area : float or ndarray, default 1
        Measure of the junction that belongs to each path, cm**(dim - 1); 1 in one dimension.

    See Also
    --------
    band_to_band : Tunneling by the field at a node, in reverse bias.
    Device : Takes a mapping of names to them as ``interfaces``.

    Examples
    --------
    >>> from sgsolve.devices import TunnelJunction
    >>> TunnelJunction([3, 4, 5, 6], mass=0.06)
    TunnelJunction(paths=[3, 4, 5, 6], mass=0.06, area=1.0)
    """

    paths: Nodes | Sequence[Sequence[int]]
    mass: float
    area: float | np.ndarray = 1.0


class TunnelPaths:
    """The paths of a tunnel junction on the mesh of a device.

    Attributes
    ----------
    first, last : ndarray of int, shape (k,)
        Pairs of a node and a region at which electrons and holes are taken.
    place_n, place_p : csr_array, shape (pairs, k)
        Put what passes at them.
    """

    def __init__(self, device: Any, name: str, junction: TunnelJunction) -> None:
        lay, mesh = device.layout, device.mesh
        paths = _checked_paths(device, name, junction)
        near, far = _pairs_along(device, name, paths)
        self.junction, (k, steps) = junction, near.shape
        self.first, self.last = near[:, 0], far[:, -1]
        _check_path_ends(device, name, self.first, self.last)
        place = junction.area * np.ones(k)
        self.place_n, self.place_p = (
            csr_array(placing(end, lay.pairs) * place) for end in (self.first, self.last)
        )
        x = mesh.nodes.reshape(mesh.n, -1)[lay.nodes][paths]
        lengths = np.linalg.norm(np.diff(x, axis=1), axis=2)
        count = len(POINTS)
        self._pairs = np.tile(np.stack([near, far], axis=2).ravel(), count)
        self._path = np.tile(np.repeat(np.arange(k), 2 * steps), count)
        self._point = np.repeat(POINTS, 2 * k * steps)
        row = np.repeat(np.arange(count * k), steps)
        shape = count * k, len(row)
        over = (np.tile(lengths.ravel(), count), (row, np.arange(len(row))))
        self._over_edges = csr_array(over, shape=shape)
        self._at_points = np.tile(np.arange(k), count)
        points, weights = np.repeat(POINTS, k), np.repeat(WEIGHTS, k)
        self._edge_distance = np.minimum(points, 1.0 - points)
        self._points = points
        where = self._at_points, np.arange(count * k)
        self._integral = csr_array((weights, where), shape=(k, count * k))

    def rate(self, s: Any, p: Mapping[str, Any]) -> Array:
        """Electrons that recombine along each path, per cm^2 and s; negative in reverse bias."""
        mass, ones = self.junction.mass, np.ones(np.shape(s.us))
        Ec, Ev, psi = p["Ec"] * ones, p["Ev"] * ones, s.vt * s.us
        bottom, top = (Ec - psi)[self.first], (Ev - psi)[self.last]
        window = np.maximum(top - bottom, 0.0)
        energy = bottom[self._path] + self._point * window[self._path]
        gap = (Ec - Ev)[self._pairs]
        exponent = self._exponent((energy - (Ev - psi)[self._pairs]) / gap, gap, mass)
        wide = window[self._at_points]
        across = 0.5 * (Ec - Ev)[self.first][self._at_points] / exponent
        share = -np.expm1(-2.0 * (self._edge_distance * wide) / across)
        level = bottom[self._at_points] + self._points * wide
        un, up = (u[end][self._at_points] for u, end in ((s.un, self.first), (s.up, self.last)))
        filled = _occupation_difference(-(level / s.vt + un), -(level / s.vt + up))
        passed = (0.5 * across) * share * np.exp(-exponent) * filled * wide
        return (mass * PREFACTOR) * (self._integral @ passed)

    def _exponent(self, e: Array, gap: Array, mass: float) -> Array:
        """S at each energy of each path; e is the place in the gap, 0 at the valence band."""
        near, far = e[0::2], e[1::2]
        middle = 0.5 * (near + far)
        half = np.maximum(0.5 * np.abs(far - near), NARROW)
        mean = (_inside(middle + half) - _inside(middle - half)) / (2.0 * half)
        root = np.sqrt(0.5 * (gap[0::2] + gap[1::2]))
        total = self._over_edges @ (root * mean)
        return np.maximum((2.0 * DECAY * np.sqrt(mass)) * total, LEAST)


@dataclass(frozen=True)
class Tunneling:
    """All tunnel junctions of a device."""

    paths: tuple[TunnelPaths, ...]

    def taken(self, s: Any, p: Mapping[str, Any]) -> tuple[Array, Array]:
        """Electrons and holes that recombine by tunneling, at the pairs, 1/s."""
        rates = [one.rate(s, p) for one in self.paths]
        pairs = list(zip(self.paths, rates, strict=True))
        taken_n = sum(one.place_n @ rate for one, rate in pairs)
        return taken_n, sum(one.place_p @ rate for one, rate in pairs)


def tunnel_junctions(device: Any) -> Tunneling | None:
    """Return the tunnel junctions of a device, checked; None if there are none."""
    found = {k: v for k, v in device.interfaces.items() if isinstance(v, TunnelJunction)}
    if not found:
        return None
    if "ni" in device.parameters:
        raise InputError("ni: a tunnel junction needs Nc, Nv, Ec and Ev instead")
    return Tunneling(tuple(TunnelPaths(device, name, one) for name, one in found.items()))


def _checked_paths(device: Any, name: str, one: TunnelJunction) -> np.ndarray:
    """Nodes of the semiconductor along the paths, shape (k, length)."""
    lay, what = device.layout, f"interface {name!r}"
    if not (np.isfinite(one.mass) and 0.0 < one.mass < 100.0):
        raise InputError(f"{what}: mass must be positive, in units of the electron's own, "
                         f"got {one.mass!r}")  # fmt: skip
    paths = np.atleast_2d(np.asarray(one.paths))
    if paths.dtype.kind not in "iu" or paths.ndim != 2 or paths.shape[1] < 3:
        raise InputError(
            f"{what}: a path is a list of at least three node numbers, got {one.paths!r}"
        )
    area = np.asarray(one.area)
    if area.shape not in ((), (len(paths),)) or not (area > 0.0).all():
        raise InputError(f"{what}: area must be positive, one number or one for each path")
    for path in paths:
        node_list(what, path, 1.0, lay.n)
    joined = {tuple(sorted(edge)) for edge in device.mesh.edges.tolist()}
    for i, j in np.stack([paths[:, :-1].ravel(), paths[:, 1:].ravel()], axis=1).tolist():
        if (min(i, j), max(i, j)) not in joined:
            raise InputError(f"{what}: no edge of the mesh joins nodes {i} and {j} of a path")
    nodes: np.ndarray = lay.local[paths]
    if (nodes < 0).any():
        raise InputError(f"{what}: has nodes outside the semiconductor")
    return nodes


def _pairs_along(device: Any, name: str, paths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs at the near and at the far end of each edge of the paths, of the edge's region."""
    lay = device.layout
    if lay.pairs == lay.n_s:
        return paths[:, :-1], paths[:, 1:]
    ends = {tuple(edge): k for k, edge in enumerate(lay.row_edges.tolist())}
    near, far = np.empty_like(paths[:, 1:]), np.empty_like(paths[:, 1:])
    for i, path in enumerate(paths.tolist()):
        for j, edge in enumerate(pairwise(path)):
            ahead = edge in ends
            if not ahead and edge[::-1] not in ends:
                raise InputError(
                    f"interface {name!r}: nodes {lay.nodes[edge[0]]} and {lay.nodes[edge[1]]} of a "
                    "path are joined outside of all regions"
                )
            pairs = lay.carrier_edges[ends[edge if ahead else edge[::-1]]]
            near[i, j], far[i, j] = pairs if ahead else pairs[::-1]
    return near, far


def _check_path_ends(device: Any, name: str, first: np.ndarray, last: np.ndarray) -> None:
    doping = np.asarray(device.parameters["doping"])[device.layout.doped]
    if not ((doping[first] > 0.0).all() and (doping[last] < 0.0).all()):
        raise InputError(f"interface {name!r}: paths must go from n-doped to p-doped material")


def _occupation_difference(a: Array, b: Array) -> Array:
    """``expit(a) - expit(b)`` without cancellation."""
    ahead = ad.value(a) >= ad.value(b)
    high, low = ad.where(ahead, a, b), ad.where(ahead, b, a)
    size = _occupied(high) * _occupied(-low) * (-np.expm1(low - high))
    return size * np.where(ahead, 1.0, -1.0)


def _root(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0.0, 1.0)
    return np.sqrt(t * (1.0 - t))


def _area_below(t: np.ndarray) -> np.ndarray:
    """``int_0^t sqrt(u (1 - u)) du``, constant outside of 0 to 1."""
    t = np.clip(t, 0.0, 1.0)
    area: np.ndarray = 0.25 * (2.0 * t - 1.0) * _root(t)
    return area + 0.125 * (np.arcsin(2.0 * t - 1.0) + 0.5 * np.pi)


_inside = ad.elementwise(_area_below, _root)
_occupied = ad.elementwise(expit, lambda t: expit(t) * expit(-t))
