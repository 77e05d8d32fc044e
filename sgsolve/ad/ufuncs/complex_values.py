"""Complex values between real unknowns and real results: phasors, admittances, Fourier modes.

Conjugates, real and imaginary parts, absolute values and angles have no complex derivative. By
real unknowns x they have one: with z' = dz/dx,

    conj(z)' = conj(z')           |z|'     = Re(conj(z) z') / |z|
    Re(z)'   = Re(z')             angle(z)' = Im(z' / z)
    Im(z)'   = Im(z')             sign(z)' = i sign(z) Im(conj(sign(z)) z') / |z|

By unknowns that are complex themselves they raise `DerivativeError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import DerivativeError
from ..derivatives.array_operations import flat
from ..derivatives.derivative import Derivative


def _by_real_unknowns(d: Derivative, name: str) -> None:
    if not d.root.real:
        raise DerivativeError(
            f"{name} of a complex AD array has no complex derivative; use real unknowns for the "
            "real and the imaginary parts: z = x[:n] + 1j * x[n:]"
        )


def derivative_of_real(d: Derivative) -> Derivative:
    """Return the derivative of the real part of a complex array."""
    _by_real_unknowns(d, "real")
    return d.real_part()


def derivative_of_imag(d: Derivative) -> Derivative:
    """Return the derivative of the imaginary part of a complex array."""
    _by_real_unknowns(d, "imag")
    return d.imaginary_part()


def derivative_of_angle(d: Derivative, z: Any) -> Derivative:
    """Return the derivative of the angles (in radians) of complex numbers z."""
    _by_real_unknowns(d, "np.angle")
    with np.errstate(all="ignore"):
        return d.scaled(flat(1.0 / z, z)).imaginary_part()


def _conjugate(d: Derivative, y: Any, z: Any) -> Derivative:
    return d.conjugated()


def _absolute(d: Derivative, y: Any, z: Any) -> Derivative:
    return d.scaled(flat(np.conj(_unit(z, y)), z)).real_part()


def _sign(d: Derivative, y: Any, z: Any) -> Derivative:
    size = np.abs(z)
    turning = np.conj(y) / np.where(size == 0, 1.0, size)
    return d.scaled(flat(turning, z)).imaginary_part().scaled(flat(1j * y, z))


def _rint(d: Derivative, y: Any, z: Any) -> Derivative:
    return d.scaled(0.0)


def _unit(z: Any, size: Any) -> Any:
    """Return z / |z|, and zero at zero: there the slope of |z| is taken as zero."""
    return z / np.where(size == 0, 1.0, size)


# Ufuncs of one complex argument without complex derivative: ``rule(dz, y, z)`` gives dy.
RULES: dict[np.ufunc, Callable[[Derivative, Any, Any], Derivative]] = {
    np.conjugate: _conjugate,
    np.absolute: _absolute,
    np.sign: _sign,
    np.rint: _rint,
}


def derivative_of(ufunc: np.ufunc, d: Derivative, y: Any, z: Any) -> Derivative:
    """Return the derivative of ``y = ufunc(z)`` for a ufunc in `RULES`."""
    _by_real_unknowns(d, f"np.{ufunc.__name__}")
    if d.is_sparsity:
        return d
    with np.errstate(all="ignore"):
        return RULES[ufunc](d, y, z)
