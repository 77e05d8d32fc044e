"""Discrete Fourier transforms: np.fft for AD arrays, for pseudo-spectral residuals.

A transform is a constant matrix along its axis. The values are those of np.fft. The derivative is
the product with that matrix, which is full: n points make n^2 entries. In one direction (`jvp`) the
derivative is one array, and its transform needs no matrix.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import OutOfMemoryError
from ...array import ADArray
from ...derivatives.folded import Folded
from ...ufuncs.ufunc_calls import raw_value

Function = Any
# Transforms of complex numbers to real ones: linear in the real and in the imaginary parts only.
TO_REAL = (np.fft.irfft, np.fft.hfft)
MOST_KEPT = 1024  # points of a transform whose matrix is kept


def along_axis(func: Function) -> Function:
    """Return the rule of a transform along one axis."""

    def rule(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
        result = func(raw_value(a), n, axis, norm)
        if _has_one_direction(a):
            return _along_direction(a, result, lambda v: func(v, n, axis, norm))
        return ADArray(result, _by_matrix(func, a, n, axis, norm)._derivative)

    return rule


def _has_one_direction(a: ADArray) -> bool:
    """Whether there is one derivative for each element, as in `jvp`."""
    return type(a._derivative) is Folded and len(a._derivative.root.cols) == 1


def _along_direction(a: ADArray, result: NDArray[Any], transform: Function) -> ADArray:
    evaluation = a._derivative.root
    moved = transform(a.jacobian.toarray().reshape(a.shape)).ravel()
    column = evaluation.root.selection(np.zeros(result.size, dtype=np.int32))
    return ADArray(result, Folded(evaluation, {column: (0.0, 1.0, moved, None)}))


def _by_matrix(func: Function, a: Any, n: int | None, axis: int, norm: Any) -> Any:
    moved: Any = np.moveaxis(a, axis, 0)
    size = moved.shape[0]
    lines = moved.reshape(size, -1)
    matrix = _transform_matrix if size <= MOST_KEPT else _transform_matrix.__wrapped__
    if func in TO_REAL and lines.dtype.kind == "c":
        real = matrix(func, size, n, norm, 1.0) @ lines.real
        result = real + matrix(func, size, n, norm, 1j) @ lines.imag
    else:
        result = matrix(func, size, n, norm, 1.0) @ lines
    return np.moveaxis(result.reshape(-1, *moved.shape[1:]), 0, axis)


@functools.lru_cache(maxsize=16)
def _transform_matrix(
    func: Function, size: int, n: int | None, norm: Any, factor: Any
) -> NDArray[Any]:
    """Return the transforms of the unit vectors, each multiplied by a factor, as columns."""
    try:
        return np.asarray(func(factor * np.eye(size), n, 0, norm))
    except MemoryError as error:
        raise OutOfMemoryError(
            f"the derivative of np.fft.{func.__name__} along {size} points is a full matrix, for "
            f"which the memory does not suffice ({error}). Use what needs no Jacobian: "
            "solvers.NewtonKrylov(), or ad.jvp"
        ) from error


def along_axes(func: Function, first: Function, others: Function, last: Function) -> Function:
    """Return the rule of a transform along several axes.

    Parameters
    ----------
    func : callable
        NumPy's transform.
    first, others, last : callable
        Transforms along one axis that it consists of: of the last axis before the others or after
        them, and of the others. One of `first` and `last` is None.
    """
    default = (-2, -1) if func.__name__.endswith("2") else None

    def rule(a: Any, s: Any = None, axes: Any = default, norm: Any = None) -> Any:
        result = func(raw_value(a), s, axes, norm)
        if _has_one_direction(a):
            return _along_direction(a, result, lambda v: func(v, s, axes, norm))
        sizes, axes = _sizes_and_axes(a.ndim, s, axes)
        steps = [(others, *step) for step in zip(sizes[:-1], axes[:-1], strict=True)][::-1]
        if axes:
            steps.insert(0 if first else len(steps), (first or last, sizes[-1], axes[-1]))
        for transform, n, axis in steps:
            a = _by_matrix(transform, a, n, axis, norm)
        return ADArray(result, a._derivative)

    return rule


def _sizes_and_axes(ndim: int, s: Any, axes: Any) -> tuple[Sequence[Any], list[int]]:
    if axes is None:
        axes = range(ndim) if s is None else range(-len(s), 0)
    axes = list(axes)
    return [None] * len(axes) if s is None else [None if n == -1 else n for n in s], axes


def moved_by_half(direction: int) -> Function:
    """Return the rule of np.fft.fftshift (direction 1) or np.fft.ifftshift (-1)."""

    def rule(x: Any, axes: Any = None) -> Any:
        axes = range(x.ndim) if axes is None else np.atleast_1d(axes).tolist()
        return np.roll(x, [direction * (x.shape[k] // 2) for k in axes], list(axes))

    return rule


_fft, _ifft, _rfft, _irfft = np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft
TABLE: dict[Any, Any] = {
    **{f: along_axis(f) for f in (_fft, _ifft, _rfft, _irfft, np.fft.hfft, np.fft.ihfft)},
    **{f: along_axes(f, _fft, _fft, None) for f in (np.fft.fft2, np.fft.fftn)},
    **{f: along_axes(f, _ifft, _ifft, None) for f in (np.fft.ifft2, np.fft.ifftn)},
    **{f: along_axes(f, _rfft, _fft, None) for f in (np.fft.rfft2, np.fft.rfftn)},
    **{f: along_axes(f, None, _ifft, _irfft) for f in (np.fft.irfft2, np.fft.irfftn)},
    np.fft.fftshift: moved_by_half(1),
    np.fft.ifftshift: moved_by_half(-1),
}
