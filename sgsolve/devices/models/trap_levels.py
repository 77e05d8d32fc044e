"""Levels of traps whose occupation takes time: in the volume, or at an interface.

A level takes up and emits electrons and holes (Shockley, Read, Hall)::

    N df/dt = R_n - R_p      R_n = N c_n (n (1 - f) - n_t f)      R_p = N c_p (p f - p_t (1 - f))

with the filled fraction f. An acceptor has the charge -f, a donor 1 - f. In the steady state f is
eliminated. In small signals and in time f is an unknown at each node of the level. The densities
n_t and p_t, those at which the level is half full, multiply to n_i^2: no current flows in
equilibrium.

Reference: C. T. Sah, R. N. Noyce, W. Shockley, Proc. IRE 45 (1957) 1228; E. H. Nicollian, A.
Goetzberger, Bell Syst. Tech. J. 46 (1967) 1055, on interface states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from ... import ad
from ...errors import InputError
from .contacts import Nodes
from .device_layout import placing

Array = Any
SCARCE = 1e-300  # a fraction whose logarithm is taken, where none is left


@dataclass(frozen=True)
class TrapLevel:
    """A level of traps that recombines carriers and stores charge.

    Its density is the device's parameter ``N_<name>``, which can be swept.

    Parameters
    ----------
    kind : {"acceptor", "donor"}
        Negative when it holds an electron, or positive when it holds none.
    density : float
        Per cm^3 in the volume, per cm^2 at an interface.
    c_n, c_p : float
        Capture coefficients, cm^3/s: cross section times thermal velocity.
    n_trap : float
        Density of electrons at which the level is half full, cm^-3:
        ``Nc exp((E_t - E_c) / kT)``. With heat it is that at the device's own temperature, and
        the level keeps its distance to the conduction band.
    nodes : int or sequence of int, optional
        Node numbers, or a mask. All nodes of the semiconductor by default.
    area : float or ndarray, optional
        At an interface, the measure of it that belongs to each node, cm**(dim - 1); 1 in one
        dimension. In the volume by default.
    region : str or pair of str, optional
        In a device with `Regions`: whose carriers it takes. At an interface of two regions it takes
        the electrons of the first name and the holes of the second. Needed where a node is in
        several regions.

    See Also
    --------
    Device : Takes a mapping of names to them as ``trap_levels``.
    SmallSignal : Admittance with them.

    Examples
    --------
    States in the middle of the gap of silicon, at its surface:

    >>> from sgsolve.devices import TrapLevel
    >>> states = TrapLevel("acceptor", 1e11, c_n=1e-8, c_p=1e-8, n_trap=1e10, nodes=0, area=1.0)
    """

    kind: Literal["acceptor", "donor"]
    density: float
    c_n: float
    c_p: float
    n_trap: float
    nodes: Nodes | None = None
    area: float | np.ndarray | None = None
    region: str | tuple[str, str] | None = None


_fraction = ad.elementwise(expit, lambda t: expit(t) * expit(-t))


class LevelNodes:
    """A trap level on the mesh of a device: where it is, and the measure of each node."""

    def __init__(self, device: Any, name: str, level: TrapLevel) -> None:
        _check_level(name, level)
        lay, self.level, self.name = device.layout, level, f"N_{name}"
        if level.nodes is None:
            self.nodes = self.holes = _everywhere(device, name, level)
        else:
            self.nodes, self.holes = lay.sides(f"trap level {name!r}", level)
        if level.area is None and not np.array_equal(self.nodes, self.holes):
            raise InputError(f"trap level {name!r}: is between two regions; give its area")
        ones = np.ones(len(self.nodes))
        self.measure = lay.volumes[self.nodes] if level.area is None else level.area * ones
        self.place = csr_array(placing(self.nodes, lay.pairs))
        self.share = 1.0 / lay.volumes[self.nodes]
        self._own: tuple[float, Any] | None = None

    def follow(self, p: Mapping[str, Any]) -> None:
        """Take the temperature and the states that belong to ``n_trap``, for other ones."""
        states = p["ni"] if "ni" in p else p["Nc"]
        self._own = p["T"], states[self.nodes] if np.ndim(states) else states

    def amount(self, p: Mapping[str, Any]) -> Any:
        """Number of traps at each node."""
        return p[self.name] * self.measure

    def log_half_full(self, p: Mapping[str, Any], warmth: Array | None = None) -> Array:
        """Logarithms of ``n_trap`` and ``p_trap`` without their product's part: of the first.

        With heat the level keeps its distance to the conduction band (with ``ni``, to the middle).
        """
        given = np.log(self.level.n_trap)
        if self._own is None:
            return given
        T, states = self._own
        here = np.log(p["ni"] if "ni" in p else p["Nc"])
        if np.ndim(here):
            here = here[self.nodes]
        ratio = p["T"] / T if warmth is None else (p["T"] / T) * warmth[self.nodes]
        return here - (np.log(states) - given) / ratio

    def rates(self, s: Any, p: Mapping[str, Any]) -> tuple[Array, Array, Array, Array]:
        """Rates of capture and emission of electrons, then of holes, per trap, 1/s."""
        n, h = s.densities()
        n, h = n[self.nodes], h[self.holes]
        half = self.log_half_full(p, s.warmth)
        p_trap = np.exp((s.log_n - s.splitting())[self.nodes] + s.log_p[self.holes] - half)
        c_n, c_p = self.level.c_n, self.level.c_p
        return c_n * n, c_n * np.exp(half), c_p * h, c_p * p_trap

    def steady(self, s: Any, p: Mapping[str, Any]) -> Array:
        """Filled fraction in the steady state."""
        taken, emitted, lost, refilled = self.rates(s, p)
        return (taken + refilled) / (taken + emitted + lost + refilled)

    def steady_charge(self, s: Any, p: Mapping[str, Any]) -> Array:
        """Charge / q in the steady state, with all digits where hardly a donor is empty."""
        if self.level.kind == "acceptor":
            return self.charge(self.steady(s, p), p)
        taken, emitted, lost, refilled = self.rates(s, p)
        empty = (emitted + lost) / (taken + emitted + lost + refilled)
        return self.place @ (self.share * self.amount(p) * empty)

    def neutral_charge(self, log_n: Array, p: Mapping[str, Any]) -> Array:
        """Charge / q over the pairs in equilibrium, cm^-3; none at an interface.

        Parameters
        ----------
        log_n : Array, shape (pairs,)
            Logarithm of the density of electrons.
        """
        if self.level.area is not None:
            return 0.0
        distance = log_n[self.nodes] - self.log_half_full(p)
        if self.level.kind == "acceptor":
            return -1.0 * (self.place @ (p[self.name] * _fraction(distance)))
        return self.place @ (p[self.name] * _fraction(-1.0 * distance))

    def factor(self, s: Any, p: Mapping[str, Any]) -> Array:
        """Return the steady rate over the excess product, at the pairs."""
        total = sum(self.rates(s, p)) / s.across(self.nodes, self.holes)
        return self.place @ (self.amount(p) * (self.level.c_n * self.level.c_p) / total)

    def charge(self, filled: Array, p: Mapping[str, Any]) -> Array:
        """Charge / q, cm^-3 of the nodes' volumes, over the pairs."""
        sign = -1.0 * filled if self.level.kind == "acceptor" else 1.0 - filled
        return self.place @ (self.share * self.amount(p) * sign)

    def captures(self, s: Any, filled: Array, p: Mapping[str, Any]) -> tuple[Array, Array]:
        """Electrons and holes that the level takes up at its nodes, 1/s."""
        taken, emitted, lost, refilled = self.rates(s, p)
        amount, empty = self.amount(p), 1.0 - filled
        return amount * (taken * empty - emitted * filled), amount * (
            lost * filled - refilled * empty
        )


def _everywhere(device: Any, name: str, level: TrapLevel) -> np.ndarray:
    """All pairs, or those of the level's region."""
    if level.region is None:
        return np.arange(device.layout.pairs)
    if device.regions is None:
        raise InputError(
            f"trap level {name!r}: is in {level.region!r}, and the device has no regions"
        )
    if not isinstance(level.region, str):
        raise InputError(f"trap level {name!r}: is between two regions; name its nodes")
    return np.flatnonzero(device.regions.of(level.region))


def _check_level(name: str, level: TrapLevel) -> None:
    what = f"trap level {name!r}"
    if level.kind not in ("acceptor", "donor"):
        raise InputError(f"{what}: kind must be 'acceptor' or 'donor', got {level.kind!r}")
    for key in ("density", "c_n", "c_p", "n_trap"):
        value = getattr(level, key)
        least = np.min(value)
        if not np.isfinite(value).all() or least < 0.0 or (key != "density" and least == 0.0):
            raise InputError(f"{what}: {key} must be positive, got {least:g}")
    if level.area is not None:
        if level.nodes is None:
            raise InputError(f"{what}: has an area; name the nodes of the interface")
        if not np.min(level.area) > 0.0:
            raise InputError(f"{what}: area must be positive, got {np.min(level.area):g}")
    top = max(np.max(level.c_n), np.max(level.c_p))
    if top > 1e-3:
        raise InputError(
            f"{what}: a capture coefficient is {top:g} cm^3/s; cross sections of 1e-20 to 1e-12 "
            "cm^2 times 1e7 cm/s are 1e-13 to 1e-5 cm^3/s"
        )


def level_charge(device: Any, s: Any, p: Mapping[str, Any]) -> Array:
    """Charge / q of all levels over the pairs, cm^-3, at the filling of a state."""
    if not s.filled:
        return sum(level.steady_charge(s, p) for level in device.trap_levels.values())
    pairs = zip(device.trap_levels.values(), s.filled, strict=True)
    return sum(level.charge(part, p) for level, part in pairs)


def level_captures(
    device: Any, s: Any, filled: list[Array], p: Mapping[str, Any]
) -> tuple[Array, Array, list[Array]]:
    """Electrons and holes taken up over the pairs, and what fills each level, 1/s."""
    lost_n, lost_p, filling = 0.0, 0.0, []
    for level, part in zip(device.trap_levels.values(), filled, strict=True):
        taken_n, taken_p = level.captures(s, part, p)
        lost_n, lost_p = lost_n + level.place @ taken_n, lost_p + level.place @ taken_p
        filling.append(taken_n - taken_p)
    return lost_n, lost_p, filling


def level_heat(device: Any, s: Any, filled: list[Array], p: Mapping[str, Any]) -> Array:
    """Heat of captures while levels fill, over ``q vt``, at the pairs.

    A rate times the drop to the level at which the traps are: the logarithm of what they take up
    over what they emit is that drop.
    """
    total = 0.0
    for level, part in zip(device.trap_levels.values(), filled, strict=True):
        taken_n, taken_p = level.captures(s, part, p)
        half = level.log_half_full(p, s.warmth)
        product = (s.log_n - s.splitting())[level.nodes] + s.log_p[level.holes]
        odds = np.log(np.maximum(part, SCARCE)) - np.log(np.maximum(1.0 - part, SCARCE))
        fall_n = s.log_n[level.nodes] - half - odds
        fall_p = s.log_p[level.holes] - (product - half) + odds
        warmth = 1.0 if s.warmth is None else s.warmth[level.nodes]
        total = total + level.place @ (warmth * (taken_n * fall_n + taken_p * fall_p))
    return total


def level_blocks(device: Any, begin: int) -> dict[str, slice]:
    """Where the filled fractions of the levels are, from a first unknown on."""
    found = {}
    for name, level in device.trap_levels.items():
        found[f"f_{name}"] = slice(begin, begin + len(level.nodes))
        begin += len(level.nodes)
    return found
