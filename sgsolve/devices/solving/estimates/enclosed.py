"""Estimate the level of a region without a contact that has one neighbor only, a guard ring.

At the level of its neighbor such a region is in equilibrium with it. Once the depletion layer of
another junction reaches the region, its carriers leave across the barrier that remains. So much of
a barrier stays that hardly any do: a few kT/q less than the built-in voltage.

Reference: M. S. Adler et al., IEEE Trans. Electron Devices 24 (1977) 107, on field limiting rings.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Array = np.ndarray
REACHED = 4.0  # kT/q by which the barrier is less than the built-in voltage
CLOSE = 2.0  # kT/q: the accuracy of a level


class Enclosed:
    """A region without a contact that has one neighbor: its nodes, and what surrounds it."""

    def __init__(
        self, part: Array, level: Array, kind: Array, rest: Array, across: Array, k: int
    ) -> None:
        self.nodes = np.flatnonzero(part == k)
        self.sign = -float(kind[self.nodes[0]])  # 1 for holes, whose energy is the potential
        self.root = int(self.nodes[np.argmin(self.sign * rest[self.nodes])])
        beside = across[(part[across[:, 0]] == k) & (part[across[:, 1]] != k)][:, 1]
        beside = beside[np.isfinite(level[beside])]
        self.neighbor = float(level[beside[0]]) if len(beside) else np.nan
        self.built_in = self.sign * float(np.median(rest[beside]) - rest[self.root])

    def furthest(self, levels: Array) -> float:
        """Which of the levels of regions of its kind takes most of its carriers, or its neighbor's.

        A region is at the level of its neighbor where no other biases that in reverse.
        """
        return self.sign * float(np.min(self.sign * levels, initial=self.sign * self.neighbor))

    def barrier(self, psi: Array, edges: Array, level: Array, kind: Array) -> float:
        """Height of the barrier to regions of its kind where carriers have less energy."""
        energy, own = self.sign * psi, self.sign * level[self.root]
        lower = np.flatnonzero((kind == kind[self.root]) & (self.sign * level < own))
        if not len(lower):
            return np.inf
        return _lowest_pass(energy, edges, self.root, lower) - float(energy[self.root])


def enclosed_level(
    barrier: Callable[[float], float], neighbor: float, furthest: float, wanted: float, close: float
) -> float:
    """Return the level at which a barrier has the height that is wanted, V.

    Parameters
    ----------
    barrier : callable
        Its height at a level; it grows from the level of the neighbor to the furthest one.
    neighbor, furthest : float
        Levels between which the answer is.
    wanted, close : float
        The height, and the accuracy of the level, V.
    """
    if barrier(neighbor) >= wanted:
        return neighbor
    low, high = neighbor, furthest
    while abs(high - low) > close:
        middle = 0.5 * (low + high)
        if barrier(middle) < wanted:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _lowest_pass(energy: Array, edges: Array, start: int, goals: Array) -> float:
    """Highest energy on the best way from a node to one of the goals; infinite without a way."""
    order = np.sort(np.unique(energy))
    low, high = int(np.searchsorted(order, energy[start])), len(order) - 1
    if not _way_below(energy, edges, start, goals, order[high]):
        return np.inf
    while low < high:
        middle = (low + high) // 2
        if _way_below(energy, edges, start, goals, order[middle]):
            high = middle
        else:
            low = middle + 1
    return float(order[high])


def _way_below(energy: Array, edges: Array, start: int, goals: Array, limit: float) -> bool:
    """Whether nodes of energies up to a limit join a node to a goal."""
    open_nodes = energy <= limit
    a, b = edges[open_nodes[edges].all(axis=1)].T
    m = len(energy)
    _, part = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(m, m)), False)
    return bool((open_nodes[goals] & (part[goals] == part[start])).any())
