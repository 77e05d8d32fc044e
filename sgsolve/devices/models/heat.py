"""Self-heating: the temperature of the lattice as a field, from the heat equation.

For every node with volume V, sums over its edges::

    sum k (T_i - T_j) couple / length = H_i
    H = jn dphin + jp dphip   (half of an edge's at each end)   + q U (phip - phin) V

so the heat that leaves by the contacts is the electric power, the sum of I V, to rounding. In time
the nodes store ``capacity T V``; `heat_sources` has what arises. U counts the pairs that light and
impact ionization make as negative.
Densities follow the temperature of their node. Along an edge the current is that of Scharfetter and
Gummel at the mean temperature; it vanishes where the quasi-Fermi potential is constant.
Thermoelectric currents and heat (Seebeck, Peltier, Thomson) are not in it.

Ohmic and Schottky contacts are held at the device's temperature ``T``; gates take no heat. The
unknown is ``k (T_i - T) / q``, in V like the potentials, at all nodes of the mesh.

Reference: G. K. Wachutka, IEEE Trans. Comput.-Aided Des. 9 (1990) 1141.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import ad
from ...errors import DomainError, InputError, ShapeError
from ..meshes.mesh import edge_values
from .model_arguments import keywords
from .tunnel_junction import TunnelJunction

Array = Any
FOLLOWING = ("n_trap", "p_trap")  # densities when the Fermi level is at that of the traps


@dataclass(frozen=True)
class Heat:
    """The heat equation of a device.

    Parameters
    ----------
    conductivity : float, ndarray or function
        Thermal conductivity, W/(cm K); an array over the edges or nodes of the mesh, or a function
        of the temperature in K. Silicon has ``1 / (0.03 + 1.56e-3 T + 1.65e-6 T^2)``.
    values : function, optional
        Gives those parameters of the device that follow the temperature, as a dictionary, from
        the temperature in K at the nodes of the semiconductor: a number, an array or an AD array.
        ``Material.at`` is one such function. They take the place of parameters of the same name.
    capacity : float or ndarray, optional
        Heat capacity per volume, density times specific heat, J/(cm^3 K): of each node of the mesh
        if it is an array. Transients need it; materials have it as ``heat_capacity``.

    See Also
    --------
    Device : Takes it as ``heat``.
    temperature : Of a solution.

    Examples
    --------
    >>> from sgsolve.devices import Heat
    >>> heat = Heat(1.5, lambda T: {"mu_n": 1400.0 * (T / 300.0) ** -2.3})
    """

    conductivity: float | np.ndarray | Callable[[Any], Any]
    values: Callable[[Any], Mapping[str, Any]] | None = None
    capacity: float | np.ndarray | None = None


def temperature(device: Any, x: np.ndarray, **p: Any) -> np.ndarray:
    """Return the temperature of a solution at all nodes.

    Parameters
    ----------
    device : Device
        With ``heat``.
    x : ndarray
        A solution.
    **p
        The parameters of the solution that differ from the device's.

    Returns
    -------
    ndarray, shape (n,)
        K.

    Raises
    ------
    InputError
        If the device has no heat equation.

    See Also
    --------
    Heat : The heat equation.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.devices import Device, Heat, Ohmic, interval, temperature
    >>> bar = Device(interval(np.linspace(0, 1e-2, 51)), np.full(51, 1e17),
    ...              {"a": Ohmic(0), "b": Ohmic(-1)},
    ...              {"eps_r": 11.9, "Nc": 2.8e19, "Nv": 3e19, "Ec": 0.0, "Ev": -1.1,
    ...               "mu_n": 624.0, "mu_p": 400.0}, heat=Heat(1.5))
    >>> state = bar.solve(V_a=5.0).x
    >>> round(float(temperature(bar, state, V_a=5.0).max() - 300.0), 1)  # sigma V^2 / 8 k
    20.8
    """
    if device.heat is None:
        raise InputError("heat: the device has one temperature; give it heat=Heat(...)")
    T = (device.parameters | p)["T"]
    begin = device.layout.n + 2 * device.layout.n_s
    rise = x[begin : begin + device.layout.n]
    return np.asarray(T + rise * device.constants.q / device.constants.k)


def local_parameters(device: Any, x: Array, p: Mapping[str, Any]) -> Mapping[str, Any]:
    """All parameters, those that follow the temperature at the temperatures of a state."""
    if device.heat is None or device.heat.values is None:
        return p
    lay, c = device.layout, device.constants
    T, begin = p["T"], lay.n + 2 * lay.n_s
    given = np.shape(x)[0] <= begin
    if not given:
        T = T + x[begin : begin + lay.n][lay.inside] * (c.q / c.k)
    try:
        found = device.heat.values(T)
    except InputError as error:
        if given:
            raise
        raise DomainError(f"heat: {error}") from error  # a state that Newton's method tries
    return {**p, **{k: v for k, v in found.items() if k != "T"}}


def contact_parameters(device: Any, p: Mapping[str, Any]) -> Mapping[str, Any]:
    """All parameters at the temperature of the contacts, those of the device if it is its own."""
    if device.heat is None or device.heat.values is None:
        return p
    own = device.parameters["T"]
    if p["T"] is own or (isinstance(p["T"], float) and p["T"] == own):
        return p
    return local_parameters(device, np.zeros(0), p)


def heat_balance(device: Any, s: Any, made: Array, p: Mapping[str, Any]) -> Array:
    """Return `heat_left` over the coupling of each node; at contacts the rise."""
    lay, free = device.layout, device.layout.heat_free
    size = _coupled(device, ad.value(_coupling(device, s, p)), p)
    return heat_left(device, s, made, p) * (free / size) + (1.0 - free) * _rise(lay, s)


def heat_left(device: Any, s: Any, made: Array, p: Mapping[str, Any]) -> Array:
    """Heat that leaves each node less what arises there (`heat_sources.heat_made`, W), W."""
    lay, rise = device.layout, _rise(device.layout, s)
    drop = p["T"] * (rise[lay.a] - rise[lay.b])
    return lay.divergence @ (_coupling(device, s, p) * drop) - lay.place_semiconductor @ made


def stored_heat(device: Any, y: Array, p: Mapping[str, Any]) -> Array:
    """Return the heat of nodes above the device's temperature, J, from a state's heat block."""
    c, above = device.constants, p["T"] - device.parameters["T"]
    return device.heat.capacity * device.mesh.volumes * (above + y * (c.q / c.k))


def heat_scale(device: Any) -> np.ndarray:
    """One over the coupling of each node at the device's own temperature; 0 at contacts."""
    k, p = device.heat.conductivity, device.parameters
    plain = edge_values(k(p["T"]) if callable(k) else k, device.mesh.edges, device.layout.n)
    found: np.ndarray = device.layout.heat_free / _coupled(device, plain * device.layout.ratio, p)
    return found


def _rise(lay: Any, s: Any) -> Array:
    """Rise of the temperature of all nodes over that of the contacts."""
    return s.y[lay.n + 2 * lay.n_s : 2 * lay.n + 2 * lay.n_s]


def _coupling(device: Any, s: Any, p: Mapping[str, Any]) -> Array:
    k = device.heat.conductivity
    if callable(k):
        k = k(p["T"] * (1.0 + _rise(device.layout, s)))
    return edge_values(k, device.mesh.edges, device.layout.n) * device.layout.ratio


def _coupled(device: Any, coupling: Any, p: Mapping[str, Any]) -> Any:
    lay = device.layout
    return lay.all_ends @ (np.abs(coupling) * np.ones(len(lay.ratio)) * p["T"])


def check_heat(device: Any) -> None:
    """Refuse models that are not made for a field of temperatures."""
    heat = device.heat
    if heat is None:
        return
    if device.ions:
        raise InputError("heat: is not modeled with ions; leave one of them away")
    for name, one in device.interfaces.items():
        if isinstance(one, TunnelJunction):
            raise InputError(
                f"heat: is not modeled with the tunnel junction {name!r}; leave one of them away"
            )
    _check_traps(device)
    k = heat.conductivity
    if not callable(k) and not (np.isfinite(k).all() and np.min(k) > 0.0):
        raise InputError(f"heat: conductivity must be positive, got {np.min(k):g}")
    typical = np.mean(k(300.0) if callable(k) else k)
    if not 1e-6 <= typical <= 1e3:
        raise InputError(
            f"heat: conductivity is {typical:g} W/(cm K); solids have 1e-3 to 30 W/(cm K)"
        )
    _check_capacity(device)


def _check_traps(device: Any) -> None:
    """Refuse densities of traps that would not follow the temperature."""
    heat = device.heat
    needed = {k for model in device.traps for k in keywords(model) if k in FOLLOWING}
    given = heat.values(300.0) if heat.values is not None else {}
    for name in sorted(needed - set(given)):
        raise InputError(
            f"heat: {name} must follow the temperature; give it in Heat(values=...), such as "
            "Nc exp(-depth/kT) at the T of each node"
        )


def _check_capacity(device: Any) -> None:
    capacity = device.heat.capacity
    if capacity is None:
        return
    if np.shape(capacity) not in ((), (device.mesh.n,)):
        raise ShapeError(
            f"heat: capacity needs one value, or one for each of the {device.mesh.n} nodes of the "
            f"mesh; got shape {np.shape(capacity)}"
        )
    if not (np.isfinite(capacity).all() and np.min(capacity) > 0.0):
        raise InputError(f"heat: capacity must be positive, got {np.min(capacity):g}")
    if not 1e-4 <= np.mean(capacity) <= 1e2:
        raise InputError(
            f"heat: capacity is {np.mean(capacity):g} J/(cm^3 K); solids have 0.5 to 4 at 300 K"
        )


def check_no_heat(device: Any, what: str) -> None:
    """Refuse an analysis that has no heat equation."""
    if device.heat is not None:
        raise InputError(f"heat: {what} with self-heating are not modeled; leave `heat` away")
