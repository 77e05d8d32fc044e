"""Functions of the Floquet multipliers that change their sign at special points of cycles."""

from __future__ import annotations

import numpy as np

from ..arrays import Vector
from ..results.floquet import trivial_of

LARGEST = 600.0  # logarithm of a product, so that it stays within the range of floats
REAL = 1e-9  # imaginary parts below this part of the modulus are rounding


def real_multipliers(values: Vector) -> Vector:
    """Return those without an imaginary part."""
    real: Vector = values.real[np.abs(np.imag(values)) <= REAL * np.abs(values)]
    return real


def upper_multipliers(values: Vector) -> Vector:
    """Return the multipliers in the upper half plane, largest modulus first.

    A pair that holds the trivial multiplier is left out: two that are 1, as where a quantity is
    conserved, become a pair by rounding.
    """
    if not np.iscomplexobj(values):
        return np.empty(0, dtype=complex)
    trivial = values[trivial_of(values)]
    other = (values != trivial) & (values != np.conj(trivial))
    upper = values[other & (values.imag > REAL * np.abs(values))]
    ordered: Vector = upper[np.argsort(-np.abs(upper))]
    return ordered


def below(values: Vector) -> int:
    """Return how many real multipliers are below -1."""
    return int((real_multipliers(values) < -1.0).sum())


def pairs_outside(values: Vector) -> int:
    """Return how many complex pairs are outside the unit circle."""
    return int((np.abs(upper_multipliers(values)) > 1.0).sum())


def at_minus_one(values: Vector) -> float:
    """Return a number with the sign of the product of 1 + mu over all multipliers.

    Unlike the number of real multipliers below -1, it does not change where two of them become
    complex.
    """
    return _signed_product(np.asarray(1.0 + values))


def at_one(values: Vector) -> float:
    """Return a number with the sign of the product of mu - 1 without the trivial multiplier."""
    return _signed_product(np.delete(values, trivial_of(values)) - 1.0)


def _signed_product(factors: Vector) -> float:
    """Return the product of real numbers and complex pairs, at most `LARGEST`."""
    real = np.imag(factors) == 0.0
    with np.errstate(divide="ignore"):
        size = np.exp(min(float(np.log(np.abs(factors)).sum()), LARGEST))
    return float(np.prod(np.sign(factors[real].real)) * size)


def above_minus_one(rank: int, values: Vector) -> float:
    """Return how far the real multiplier of a rank, from below, is above -1, at most 1."""
    real = np.sort(real_multipliers(values))
    if rank >= len(real):
        return 1.0
    return float((1.0 + real[rank]) / (1.0 + abs(real[rank])))


def outside(rank: int, values: Vector) -> float:
    """Return the logarithm of the modulus of a complex pair; NaN if there are not so many."""
    upper = upper_multipliers(values)
    return float(np.log(np.abs(upper[rank]))) if rank < len(upper) else np.nan
