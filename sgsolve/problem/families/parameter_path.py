"""Parameter paths: the values of a sweep, of one parameter or of several that move together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import DataTypeError, NotFiniteError, ShapeError
from ..inputs.signature import parameter_names
from .parameter_family import Line


@dataclass(frozen=True)
class ParameterPath:
    """The values of a sweep: of one parameter, or of several that move from row to row.

    Attributes
    ----------
    names : tuple of str
    table : ndarray, shape (points, names)
    """

    names: tuple[str, ...]
    table: Vector

    @classmethod
    def of(cls, name: str | Sequence[str], values: Any) -> ParameterPath:
        """Check and gather the arguments of a sweep."""
        names = parameter_names(name)
        if np.ma.is_masked(values):
            raise DataTypeError("values are a masked array; leave masked points out")
        table = np.asarray(values)
        if table.dtype.kind not in "biuf":
            raise DataTypeError(f"values must be real numbers, not dtype {table.dtype}")
        if isinstance(name, str) and table.ndim == 1:
            table = table[:, None]
        if table.ndim != 2 or table.size == 0 or table.shape[1] != len(names):
            wanted = "a list of numbers" if len(names) == 1 else f"rows of {len(names)} numbers"
            raise ShapeError(f"values must be {wanted}, not shape {np.shape(values)}")
        if not np.isfinite(table).all():
            raise NotFiniteError("values are not all finite")
        return cls(names, table.astype(float))

    @property
    def values(self) -> list[float]:
        """What the sweep steps through: the parameter, or the number of the row."""
        if len(self.names) == 1:
            return [float(value) for value in self.table[:, 0]]
        return [float(i) for i in range(len(self.table))]

    def line(self, t: float) -> Line:
        """Return the straight line that the sweep is on at t, that ahead at a row."""
        if len(self.names) == 1:
            return Line(self.names)
        i = min(int(np.floor(t)), max(len(self.table) - 2, 0))
        here, there = self.table[i], self.table[min(i + 1, len(self.table) - 1)]
        return Line(self.names, tuple(here), tuple(there - here), float(i))

    def line_behind(self, t: float) -> Line:
        """Return the line that led to t; another one than that ahead where it has a corner."""
        corner = len(self.names) > 1 and t > 0.0 and float(t).is_integer()
        return self.line(t - 1.0 if corner else t)

    def label(self, t: float, digits: int = 6) -> str:
        """Return where t is, in words of the user."""
        if len(self.names) == 1:
            return f"{t:.{digits}g}"
        values = ", ".join(f"{k} = {v:.{digits}g}" for k, v in self.params(t).items())
        return f"row {t:.{digits}g} ({values})"

    def place(self, t: float) -> str:
        """Return where t is, with the name of the parameter."""
        return f"{self.names[0]} = {self.label(t)}" if len(self.names) == 1 else self.label(t)

    def params(self, t: float) -> dict[str, Any]:
        """Return the parameters at t; exactly those of a row at its number."""
        if len(self.names) > 1 and float(t).is_integer():
            row = self.table[int(t)]
            return {name: float(v) for name, v in zip(self.names, row, strict=True)}
        return self.line(t).params(t)
