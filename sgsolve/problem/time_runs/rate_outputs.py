"""Outputs of a run in time that hold a rate, pairs (g, h) for g + dh/dt, or a stored quantity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from ... import ad
from ...ad.drivers.function_calls import evaluate
from ...arrays import Vector
from ...continuation.columns import Column
from ...continuation.runs.user_functions import UnfitError, call_with_parameters, named
from ...errors import DataTypeError
from ...transient.currents import Stored
from ...transient.evolution import Currents

Function = Callable[..., Any]
Pair = tuple[Function, Function]


def split_outputs(
    outputs: Any, taken: tuple[str, ...]
) -> tuple[dict[str, Function], dict[str, Pair | Stored]]:
    """Return outputs that are functions, and those that are pairs (g, h), by name."""
    if outputs is None or not isinstance(outputs, Mapping):
        return named("outputs", outputs, taken), {}
    pairs = {name: one for name, one in outputs.items() if isinstance(one, tuple | Stored)}
    functions = {name: one for name, one in outputs.items() if name not in pairs}
    for name, pair in pairs.items():
        if isinstance(pair, Stored):
            continue
        if len(pair) != 2 or not all(callable(one) for one in pair):
            raise DataTypeError(
                f"outputs: {name!r} must be a function of x, or a pair (g, h) of functions for "
                f"g + dh/dt, not {pair!r}"
            )
    named("outputs", {name: _functions(pair)[1] for name, pair in pairs.items()}, taken)
    return functions, pairs


class RateOutputs(Currents):
    """All pairs of a run as one array of numbers, g and h each of shape (m,).

    Parameters
    ----------
    pairs : mapping of str to (callable, callable) or Stored
        ``g(x, names of parameters...)`` and ``h`` alike return a number or an array, both of one
        shape, and work on AD arrays.
    params : callable
        ``params(t)`` -> all parameters at a time.
    t, x : float and ndarray of shape (n,)
        Where they are evaluated first, to learn their shapes.

    Raises
    ------
    DataTypeError
        What they return is no number nor array of numbers, or g and h differ in shape.
    """

    def __init__(
        self,
        pairs: Mapping[str, Pair | Stored],
        params: Callable[[float], Mapping[str, Any]],
        t: float,
        x: Vector,
    ) -> None:
        self._pairs = {name: _functions(one) for name, one in pairs.items()}
        self._stored = {name for name, one in pairs.items() if isinstance(one, Stored)}
        self._params, self._n = params, len(x)
        known = params(t)
        self._parts: dict[str, tuple[slice, tuple[int, ...]]] = {}
        begin = 0
        for name, pair in self._pairs.items():
            shapes = {_real_output(name, one, x.copy(), known).shape for one in pair}
            if len(shapes) > 1:
                g, h = (np.shape(call_with_parameters(one, x.copy(), known)) for one in pair)
                raise UnfitError(f"output {name!r}: g has the shape {g}, but h has {h}")
            (shape,) = shapes
            end = begin + int(np.prod(shape))
            self._parts[name] = slice(begin, end), shape
            begin = end
        self.size = begin
        self.derivatives(t, x)

    def values(self, t: float, x: Vector) -> tuple[Vector, Vector]:
        """Return g and h at (x, t), each of shape (m,)."""
        known, found = self._params(t), []
        for k in range(2):
            parts = [
                _real_output(name, pair[k], x.copy(), known) for name, pair in self._pairs.items()
            ]
            for (name, (_, shape)), part in zip(self._parts.items(), parts, strict=True):
                if part.shape != shape:
                    raise UnfitError(
                        f"output {name!r} returned numbers of shape {part.shape} at t = {t:.6g}, "
                        f"and of shape {shape} before"
                    )
            found.append(np.concatenate([part.ravel() for part in parts]))
        return found[0], found[1]

    def derivatives(self, t: float, x: Vector) -> tuple[Any, Any]:
        """Return dg/dx and dh/dx at (x, t), sparse, each of shape (m, n)."""
        known, seeded = self._params(t), ad.seed(x)
        found = []
        for k in range(2):
            rows = [
                _rows(call_with_parameters(pair[k], seeded, known, evaluate), self._n)
                for pair in self._pairs.values()
            ]
            found.append(sp.vstack(rows, format="csr"))
        return found[0], found[1]

    def columns(self) -> list[Column]:
        """Return one column for each pair."""
        found = []
        for name, (part, shape) in self._parts.items():
            if name in self._stored:
                part = slice(self.size + part.start, self.size + part.stop)
            found.append(Column(name, _Part(part, shape)))
        return found


def _functions(output: Pair | Stored) -> Pair:
    """Return g and h of an output; of a stored quantity h alone is of interest."""
    return (output.function, output.function) if isinstance(output, Stored) else output


class _Part:
    """The numbers of one output at a point."""

    def __init__(self, part: slice, shape: tuple[int, ...]) -> None:
        self.part, self.shape = part, shape

    def __call__(self, point: Any) -> Any:
        return point.at.currents[self.part].reshape(self.shape)


def _real_output(name: str, function: Function, x: Vector, known: Mapping[str, Any]) -> Vector:
    value = np.asarray(call_with_parameters(function, x, known, evaluate))
    if value.dtype.kind not in "biuf":
        raise UnfitError(
            f"output {name!r} must return a real number or an array of them, not {value!r}"
        )
    return value.astype(float)


def _rows(y: Any, n: int) -> Any:
    """Return the derivative of what a function returned; zero if it does not depend on x."""
    if isinstance(y, ad.ADArray):
        return y.jacobian
    return sp.csr_array((int(np.prod(np.shape(y))), n))
