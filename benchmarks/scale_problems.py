"""Problems of any size for `scale.py`, written so that every version of sgsolve takes them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

import sgsolve
from sgsolve import Problem

LENGTH, DOPING = 1e-4, 1e17  # cm, cm^-3
VALUES = {"eps_r": 11.1, "ni": 1e10, "mu_n": 400.0, "mu_p": 200.0}
VALUES |= {"tau_n": 1e-8, "tau_p": 1e-8, "n1": 1e10, "p1": 1e10}


def neighbors(w: Any) -> list[Any]:
    """Return the six neighbors of the inner nodes of a box."""
    c = slice(1, -1)
    low = [w[:-2, c, c], w[c, :-2, c], w[c, c, :-2]]
    return [*low, w[2:, c, c], w[c, 2:, c], w[c, c, 2:]]


def bratu(side: int, **options: Any) -> tuple[Problem, Any]:
    """Return u'' + 3 exp(u) = 0 on a cube of side^3 nodes, and a start."""
    h2 = 3.0 / (side + 1) ** 2

    def residual(x: Any) -> Any:
        u = x.reshape(side, side, side)
        return (6.0 * u - sum(neighbors(np.pad(u, 1))) - h2 * np.exp(u)).reshape(-1)

    return Problem(residual, **options), np.zeros(side**3)


def convection(side: int, **options: Any) -> tuple[Problem, Any]:
    """Return convection by a skew wind with little diffusion, upwind, and a reaction u^3."""
    wind, diffusion = np.array([1.0, 0.6, 0.3]) * (side + 1), 1e-3 * (side + 1) ** 2

    def residual(x: Any) -> Any:
        u = x.reshape(side, side, side)
        beside = neighbors(np.pad(u, 1))
        diffused = diffusion * (6.0 * u - sum(beside))
        blown = sum(w * (u - low) for w, low in zip(wind, beside[:3], strict=True))
        return (diffused + blown + u**3 - 1.0).reshape(-1)

    return Problem(residual, **options), np.zeros(side**3)


def brusselator(side: int, **options: Any) -> tuple[Problem, Any]:
    """Return the steady Brusselator of two species on a periodic square, and a start."""
    line = np.linspace(0.0, 1.0, side)
    x, y = np.meshgrid(line, line, indexing="ij")
    ring = sp.diags_array(
        [1.0, 1.0, -2.0, 1.0, 1.0], offsets=[1 - side, -1, 0, 1, side - 1], shape=(side, side)
    )
    one, nodes = sp.eye_array(side), side * side
    laplacian = sp.csr_array(10.0 * (side - 1.0) ** 2 * (sp.kron(one, ring) + sp.kron(ring, one)))
    source = 1.0 + 5.0 * (((x - 0.3) ** 2 + (y - 0.6) ** 2) <= 0.01).ravel()

    def residual(z: Any) -> Any:
        u, v = z[:nodes], z[nodes:]
        made = u * u * v
        return np.concatenate(
            [laplacian @ u + made - 4.4 * u + source, laplacian @ v + 3.4 * u - made]
        )

    start = [22.0 * (y * (1.0 - y)) ** 1.5, 27.0 * (x * (1.0 - x)) ** 1.5]
    blocks = {"u": slice(0, nodes), "v": slice(nodes, 2 * nodes)}
    return Problem(residual, blocks=blocks, **options), np.concatenate([s.ravel() for s in start])


def diode(sides: list[int], **options: Any) -> Any:
    """Return a pn diode on an interval, a square or a cube."""
    sys.path.insert(0, str(Path(sgsolve.__file__).parents[1] / "examples" / "semiconductor"))
    try:
        from sgsolve import devices as physics
    except ImportError:  # the first version, whose devices were an example
        import physics
    axes = [np.linspace(0.0, LENGTH, k) for k in sides]
    if len(sides) == 3:
        from devices import tetrahedra

        mesh = physics.tetrahedralization(*tetrahedra(sides))
    else:
        mesh = physics.interval(*axes) if len(sides) == 1 else physics.rectangle(*axes)
    at = mesh.nodes if len(sides) == 1 else mesh.nodes[:, 0]
    return physics.Device(
        mesh,
        np.where(at < LENGTH / 2, -DOPING, DOPING),
        {"top": physics.Ohmic(mesh.where(at == 0)), "bot": physics.Ohmic(mesh.where(at == LENGTH))},
        VALUES,
        recombination=[physics.srh],
        constants=physics.Constants(q=1.6e-19, k=1.3806503e-23, eps0=8.85e-14),
        **options,
    )
