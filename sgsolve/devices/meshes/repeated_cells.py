"""Cells that are there twice: files repeat a cell for each of its groups."""

from __future__ import annotations

import numpy as np

from ...errors import InputError


def distinct(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first of each set of cells with the same nodes, in order, and its place for all.

    Parameters
    ----------
    cells : ndarray of int, shape (k, v)

    Returns
    -------
    first : ndarray of int, shape (d,)
        Numbers of the cells that differ.
    place : ndarray of int, shape (k,)
        For each cell the place in `first` of the one with its nodes.
    """
    _, first, same = np.unique(
        np.sort(cells, axis=1), axis=0, return_index=True, return_inverse=True
    )
    order = np.argsort(first)
    place = np.empty(len(first), dtype=np.int64)
    place[order] = np.arange(len(first))
    return first[order], place[same.reshape(-1)]


def check_distinct(cells: np.ndarray, kind: str) -> None:
    """Raise for a cell that is there twice: its volume would count twice."""
    first, place = distinct(cells)
    if len(first) < len(cells):
        again = int(np.flatnonzero(first[place] != np.arange(len(cells)))[0])
        raise InputError(
            f"{kind} {again} is there twice: it has the nodes of {kind} {first[place[again]]}"
        )
