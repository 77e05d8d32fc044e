"""Multipliers across the flow, for orbits whose trivial multiplier is lost in rounding.

Beside a canard or a homoclinic orbit a change grows by many powers of ten and shrinks again. The
multiplier 1 of a shift in time is then a small difference of large numbers, and mixes with the
others. With the rate v_j of the state at the start of each interval as the first basis vector, the
map S_j from one start to the next is block triangular::

    S_j -> [a_j b_j; 0 C_j]

The product of the a_j is the trivial multiplier, and the eigenvalues of the product of the C_j are
the others. The computed lower left block is an error of the mesh, and is left out. Intervals in
which a change across the flow grows or shrinks by a large factor are divided first.

Of planar systems C_j is a number, and all digits remain. Of larger ones the growth may amplify
errors here too. The product is therefore computed again from maps with errors as large as the block
that is left out; the difference is the error.

Reference: P. Hartman, Ordinary Differential Equations (2002), section IX.10 (moving frames).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Vector
from ..bifurcation.spectra.balance import power_of_two
from .discretization import Discretization
from .evaluated import Evaluated
from .multipliers import product_eigenvalues
from .orbit_family import OrbitFamily, node_times
from .orbit_mesh import interpolated_at

GROWTH = 1.0  # logarithm of the growth across the flow in an interval above which it is divided
MOST = 64  # parts of an interval


def transverse_multipliers(family: OrbitFamily, x: Vector, p: float) -> tuple[Vector, float]:
    """Return the multipliers, and their error.

    Returns
    -------
    values : ndarray, shape (n,)
        Largest modulus first. The trivial one differs from 1 by the error.
    error : float
        Of the multipliers, relative to those above 1.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the equations of an interval are singular.
    """
    (X, T), mesh = family.split(x), family.mesh
    parts = _parts_of_intervals(family, family.grid, family.evaluated(x, p), X, mesh, T)
    mesh = np.interp(_places(parts), np.arange(len(mesh)), mesh)
    grid = Discretization(family.equations, family.scheme, len(mesh) - 1)
    times = node_times(family.scheme, mesh)
    X = interpolated_at(family.scheme, family.mesh, family.grid.local(X), times)
    now = family.equations.evaluate(X, grid.rates(X, mesh, T), p)
    n, sizes = grid.n, power_of_two(family.sizes)
    maps = interval_maps(grid.blocks(now, mesh, T), sizes)[:, -1]
    frames = _frames(_rates(grid, now, X, mesh, T) / sizes)
    turned = np.swapaxes(np.roll(frames, -1, axis=0), 1, 2) @ maps @ frames
    trivial = float(np.prod(turned[:, 0, 0]))
    if n == 1:
        return np.array([trivial]), abs(trivial - 1.0)
    across, size = turned[:, 1:, 1:], np.linalg.norm(turned[:, 1:, 1:], axis=(1, 2))
    values = product_eigenvalues(across)
    wrong = np.linalg.norm(turned[:, 1:, 0], axis=1) / np.linalg.norm(turned[:, :, 0], axis=1)
    noise = np.random.default_rng(0).choice([-1.0, 1.0], across.shape)
    other = product_eigenvalues(across + (wrong * size)[:, None, None] * noise)
    change = np.abs(other - values) / np.maximum(np.abs(values), 1.0)
    error = max(abs(trivial - 1.0), float(change.max()))
    values = np.append(1.0 + error, values)
    return values[np.argsort(-np.abs(values), kind="stable")], error


def interval_maps(blocks: Vector, sizes: Vector) -> Vector:
    """Return the maps from the start of an interval to its other nodes, for changes over sizes.

    Each equation is divided by the power of 2 next to its largest coefficient, which causes no
    rounding: pivots do not depend on units.

    Parameters
    ----------
    blocks : ndarray, shape (N, s * n, (s + 1) * n)
        The derivatives of the equations of each interval, by its start first.
    sizes : ndarray, shape (n,)
        Powers of 2.

    Returns
    -------
    ndarray, shape (N, s, n, n)

    Raises
    ------
    numpy.linalg.LinAlgError
        If the equations of an interval are singular.
    """
    n = len(sizes)
    scaled = _divided(blocks * np.tile(sizes, blocks.shape[2] // n))
    solved = np.linalg.solve(scaled[:, :, n:], -scaled[:, :, :n])
    return solved.reshape(len(blocks), -1, n, n)


def _divided(matrices: Vector) -> Vector:
    """Return matrices with each row divided by the power of 2 next to its largest element."""
    largest = np.abs(matrices).max(axis=2, keepdims=True)
    found: Vector = matrices / power_of_two(np.where(largest > 0.0, largest, 1.0))
    return found


def _rates(grid: Discretization, now: Evaluated, X: Vector, mesh: Vector, T: float) -> Vector:
    """Return dx/dt at the start of each interval, shape (N, n)."""
    scheme, n = grid.scheme, grid.n
    if scheme.ends or grid.equations.algebraic:  # the start is the end of the interval before
        slopes = np.einsum("j,kjn->kn", scheme.slopes[-1], grid.local(X)) / np.diff(mesh)[:, None]
        rates: Vector = np.roll(slopes, 1, axis=0) / T
        return rates
    starts = grid.nodes[:, 0]
    C = _dense_matrices(grid.equations.pattern_C, now.C[starts], n)
    found: Vector = -np.linalg.solve(C, now.F[starts][:, :, None])[:, :, 0]
    return found


def _frames(rates: Vector) -> Vector:
    """Return orthogonal matrices whose first columns are along the rates, shape (N, n, n)."""
    n = rates.shape[1]
    start = np.broadcast_to(np.eye(n), (len(rates), n, n)).copy()
    size = np.linalg.norm(rates, axis=1, keepdims=True)
    unit = rates / np.where(size > 0.0, size, 1.0)
    # the reflection that takes the first axis to the rate, without cancellation
    sign = np.where(unit[:, :1] >= 0.0, 1.0, -1.0)
    w = unit.copy()
    w[:, :1] += sign
    share = 2.0 / np.sum(w * w, axis=1)
    frames: Vector = start - share[:, None, None] * w[:, :, None] * w[:, None, :]
    frames[:, :, 0] *= -sign
    return frames


def _parts_of_intervals(
    family: OrbitFamily, grid: Discretization, now: Evaluated, X: Vector, mesh: Vector, T: float
) -> Vector:
    """Return into how many parts each interval is divided."""
    n, starts = grid.n, grid.nodes[:, 0]
    if n == 1:
        return np.ones(grid.N, dtype=int)
    J = _dense_matrices(grid.equations.pattern_J, now.J[starts], n)
    C = _dense_matrices(grid.equations.pattern_C, now.C[starts], n)
    sizes = power_of_two(family.sizes)
    across = _frames(_rates(grid, now, X, mesh, T) / sizes)[:, :, 1:]
    both = _divided(np.concatenate([C, J], axis=2) * np.tile(sizes, 2))
    flow = -np.linalg.pinv(both[:, :, :n]) @ both[:, :, n:]
    inner = np.swapaxes(across, 1, 2) @ flow @ across
    rate = np.linalg.eigvalsh(0.5 * (inner + np.swapaxes(inner, 1, 2)))[:, -1]
    growth = np.diff(mesh) * T * np.maximum(np.abs(rate), np.abs(np.roll(rate, -1)))
    parts: Vector = np.clip(np.ceil(growth / GROWTH), 1, MOST).astype(int)
    return parts


def _places(parts: Vector) -> Vector:
    """Return the ends of all parts, in units of intervals."""
    inner = [k + np.arange(count) / count for k, count in enumerate(parts)]
    return np.append(np.concatenate(inner), len(parts))


def _dense_matrices(pattern: Any, data: Vector, n: int) -> Vector:
    """Return matrices on one pattern as an array, shape (N, n, n)."""
    found = np.zeros((len(data), n, n))
    found[:, pattern.rows, pattern.indices] = data
    return found
