"""Exchange of diagonals: triangles whose opposite angles add up to more than 180 degrees."""

from __future__ import annotations

import numpy as np

ROUNDS = 100
OPEN = 1e-9  # cotangents that add up to less than minus this: not Delaunay


def with_delaunay_diagonals(
    points: np.ndarray, cells: np.ndarray, parents: np.ndarray, names: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return triangles that are Delaunay inside each region, and their parents.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    cells : ndarray of int, shape (k, 3)
    parents : ndarray of int, shape (k,)
        The coarse triangle of each; `names` of coarse triangles say in which region it is.
    """
    cells, names = cells.copy(), names[parents]
    for _ in range(ROUNDS):
        pairs, ends, apexes = _bad(points, cells, names)
        free = _disjoint(pairs, len(cells))
        if not len(free):
            break
        (a, b), (c, d) = ends[free].T, apexes[free].T
        cells[pairs[free, 0]] = np.stack([a, d, c], axis=1)
        cells[pairs[free, 1]] = np.stack([d, b, c], axis=1)
    return cells, parents


def _bad(
    points: np.ndarray, cells: np.ndarray, names: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of triangles on both sides of edges that are not Delaunay, the edges, the apexes."""
    sides = np.concatenate([cells[:, [1, 2]], cells[:, [2, 0]], cells[:, [0, 1]]])
    apexes, owners = cells.T.ravel(), np.tile(np.arange(len(cells)), 3)
    u, v = points[sides[:, 0]] - points[apexes], points[sides[:, 1]] - points[apexes]
    turn = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    cotangents = np.sum(u * v, axis=1) / np.abs(turn)
    ordered = np.sort(sides, axis=1)
    order = np.lexsort((ordered[:, 1], ordered[:, 0]))
    same = (ordered[order[1:]] == ordered[order[:-1]]).all(axis=1)
    one, other = order[:-1][same], order[1:][same]
    bad = cotangents[one] + cotangents[other] < -OPEN
    bad &= names[owners[one]] == names[owners[other]]
    one, other = one[bad], other[bad]
    return (
        np.stack([owners[one], owners[other]], axis=1),
        sides[one],
        np.stack([apexes[one], apexes[other]], axis=1),
    )


def _disjoint(pairs: np.ndarray, count: int) -> np.ndarray:
    """Numbers of pairs of which no two have a triangle in common: the first of each wins."""
    first = np.full(count, len(pairs))
    number = np.arange(len(pairs))
    np.minimum.at(first, pairs[:, 0], number)
    np.minimum.at(first, pairs[:, 1], number)
    return np.flatnonzero((first[pairs] == number[:, None]).all(axis=1))
