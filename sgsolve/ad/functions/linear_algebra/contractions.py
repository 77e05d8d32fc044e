"""Sums over indices of one AD array with constants, as products with a constant matrix."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ...array import ADArray
from ...derivatives.derivative import Derivative
from ...indexing import kept, positions_of
from ...structures.operands import Constant, Matrix

DOUBLES = (np.float64, np.complex128)


def linear_einsum(
    inputs: list[list[str]], output: list[str], operands: list[Any]
) -> Derivative | None:
    """Return the derivative of a sum in which one operand is an AD array, or None.

    Parameters
    ----------
    inputs, output : lists of str
        Index of each axis of the operands and of the result.
    operands : list of ADArray or ndarray

    Returns
    -------
    Derivative or None
        None: no constant has an index that is summed over, there are other AD arrays, or constants
        are others in each evaluation.
    """
    carrying = [k for k, a in enumerate(operands) if isinstance(a, ADArray)]
    if len(carrying) != 1 or any(hasattr(a, "record") for a in operands):
        return None
    name, y = without_repetition(inputs[carrying[0]], operands[carrying[0]])
    others = [(n, a) for k, (n, a) in enumerate(zip(inputs, operands, strict=True))
              if k != carrying[0]]  # fmt: skip
    fixed = sorted({k for n, _ in others for k in n} & {*name, *output})
    summed = [k for k in name if k not in output]
    sizes = _index_sizes([(name, y), *others])
    if sizes is None or not set(summed) & set(fixed):
        return None
    number = {k: i for i, k in enumerate(sizes)}
    spelled = itertools.chain.from_iterable((a, [number[k] for k in n]) for n, a in others)
    factors = np.einsum(*spelled, [number[k] for k in fixed])
    if any(a.dtype not in DOUBLES for a in (factors, y)):
        return None
    constant = y._derivative.root.constant(factors)
    if not constant.persistent:
        return None
    matrix = _matrix_of(y, name, output, summed, fixed, sizes, constant)
    derivative: Derivative = y._derivative.multiplied(matrix)
    return derivative


def _index_sizes(named: list[tuple[list[str], Any]]) -> dict[str, int] | None:
    """Return the size of every index; None where one axis is stretched."""
    sizes: dict[str, int] = {}
    for name, a in named:
        for k, size in zip(name, np.shape(a), strict=True):
            if sizes.setdefault(k, size) != size:
                return None
    return sizes


def _matrix_of(
    y: ADArray,
    name: list[str],
    output: list[str],
    summed: list[str],
    fixed: list[str],
    sizes: dict[str, int],
    constant: Constant,
) -> Any:
    """Return the matrix by which the flattened y is multiplied; kept as long as it is used."""
    root = y._derivative.root
    key = ("einsum", tuple(name), tuple(output), tuple(fixed), tuple(sizes.items()), constant)
    letters = [*output, *summed]
    shape = tuple(sizes[k] for k in letters)

    def spread(values: NDArray[Any], axes: list[str]) -> NDArray[Any]:
        moved = np.transpose(values, [axes.index(k) for k in letters if k in axes])
        places = tuple(slice(None) if k in axes else np.newaxis for k in letters)
        return np.broadcast_to(moved[places], shape).ravel()

    def matrix() -> Matrix:
        rows = positions_of(tuple(sizes[k] for k in output))
        values = constant.values.reshape([sizes[k] for k in fixed])
        places = spread(rows, output), spread(positions_of(y.shape), name)
        coo = sp.coo_array((spread(values, fixed), places), shape=(rows.size, y.size))
        return Matrix(sp.csr_array(coo), (), root.clock, (coo.shape, "csr"))

    return kept(root, key, matrix)


def without_repetition(name: list[str], operand: Any) -> tuple[list[str], Any]:
    """Return the diagonal of every pair of axes with the same index."""
    while len(set(name)) < len(name):
        i, j = next(
            (i, j) for i, j in itertools.combinations(range(len(name)), 2) if name[i] == name[j]
        )
        operand = np.diagonal(operand, 0, i, j)  # the diagonal becomes the last axis
        name = [k for at, k in enumerate(name) if at not in (i, j)] + [name[i]]
    return name, operand
