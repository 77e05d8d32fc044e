"""Derivatives of single numbers, for residuals that loop over elements.

A node of a tape for each operation on a number would cost far more than the operation. Numbers that
are read in a long loop carry their derivative as a dictionary instead: the slope by each unknown.
`NumberRow` is such a derivative, `SparsityRow` one without slopes. Both become an ordinary
derivative where anything else is done to them.
"""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...derivatives.array_operations import NO_SLOPE, ConstantSlope
from ...derivatives.derivative import Derivative, same_evaluation
from ...structures.root import Evaluation
from ..recorded import Recorded
from ..traced_arrays import TracedArray
from .filled_rows import FilledRows, Postponed, Row, joined_rows
from .row_tables import FEW_ARRAYS, READS_OF_ARRAY, RowTable, UnitTable, real_row
from .traced_slopes import as_slope

REAL_NUMBERS = (float, int, np.float64, ConstantSlope)


class OneRow(Postponed):
    """The derivative of one number, as a row of the Jacobian.

    Attributes
    ----------
    row : dict of int to float
        Slopes by unknowns.
    """

    __slots__ = ("row",)
    is_sparsity: bool

    def __init__(self, root: Evaluation, row: Row) -> None:
        self.root = root
        self.row = row
        self._made = None

    def _make(self) -> Derivative:
        return joined_rows(self.root, {0: self}, 1, self.is_sparsity)

    @abstractmethod
    def plus(self, other: Any, sign: float = 1.0) -> Any:
        """Return this derivative plus (or minus, with sign -1) another one."""

    def put(self, rows: Any, size: int) -> Any:
        """Return the derivative of a vector of zeros with this number at one place."""
        if type(rows) is slice:
            return FilledRows(self.root, size, None, self.is_sparsity).filled(rows.start, self)
        return self.ordinary().put(rows, size)


class NumberRow(OneRow):
    """The derivative of one number: its slopes by unknowns."""

    __slots__ = ()
    is_sparsity = False

    def scaled_by_number(self, number: Any) -> Any:
        """Return `number` times this derivative."""
        factor = number if type(number) is float else _real_factor(number)
        if factor is None:
            return self.ordinary().scaled_by_number(number)
        return NumberRow(self.root, {c: s * factor for c, s in self.row.items()})

    def scaled(self, factor: Any) -> Any:
        """Return this derivative times a number, an array of one number, or a pair of both."""
        if type(factor) is float:
            return self.scaled_by_number(factor)
        if type(factor) is tuple:
            number, factor = factor
            if _real_factor(number) is None:
                return self.ordinary().scaled((number, factor))
            return self.scaled(factor).scaled_by_number(number)
        if _real_factor(factor) is not None:
            return self.scaled_by_number(factor)
        if type(factor) is np.ndarray and factor.dtype == np.float64:
            return self.scaled_by_number(factor.item())
        return self.ordinary().scaled(factor)

    def masked(self, mask: NDArray[Any], holds: bool = True) -> Any:
        """Return this derivative if the mask holds (or does not), that of a constant elsewhere."""
        truth: Any = np.all(mask)
        chosen = bool(as_slope(truth) if hasattr(truth, "record") else truth) is holds
        return self if chosen else NumberRow(self.root, dict.fromkeys(self.row, NO_SLOPE))

    def plus(self, other: Any, sign: float = 1.0) -> Any:
        """Return this derivative plus (or minus, with sign -1) another one."""
        if type(other) is not NumberRow:
            real = row_of_number(other)
            if real is None:
                return self.ordinary().plus(other, sign)
            other = real
        if other.root is not self.root:
            same_evaluation(self.ordinary(), other.ordinary())
        row = self.row.copy()
        for c, s in other.row.items():
            if sign != 1.0:
                s = -s
            row[c] = row[c] + s if c in row else s
        return NumberRow(self.root, row)

    def product(self, other: Any, value: Any, others: Any) -> Any:
        """Return the derivative of the product of two numbers with these values."""
        if type(other) is not NumberRow:
            other = row_of_number(other) or other
        if type(other) is not NumberRow or other.root is not self.root:
            return self.scaled(others).plus(other.scaled(value))
        a, b = value.item(), others.item()
        if type(a) is not float or type(b) is not float:
            a, b = as_slope(a), as_slope(b)
        a, b = _locked(a, self), _locked(b, other)
        row = {c: s * b for c, s in self.row.items()}
        for c, s in other.row.items():
            row[c] = row[c] + s * a if c in row else s * a
        return NumberRow(self.root, row)

    def quotient(self, other: Any, result: Any, others: Any) -> Any:
        """Return the derivative of a quotient from its value and that of the denominator."""
        y, b = result.item(), others.item()
        if type(y) is not float or type(b) is not float:
            y, b = as_slope(y), as_slope(b)
        if type(other) is NumberRow and other.root is self.root and b:
            # No factor 1 / b: it overflows where the quotients do not.
            row = {c: s / b for c, s in self.row.items()}
            for c, s in other.row.items():
                row[c] = row.get(c, 0.0) - y * (s / b)
            return NumberRow(self.root, row)
        with np.errstate(all="ignore"):
            inverse = 1.0 / others
            slope = result * inverse
        return self.scaled(inverse).plus(other.scaled(slope), -1.0)

    def chained(self, rule: Callable[..., Any], result: Any, value: Any) -> Any:
        """Return the derivative of a function with that rule, from its result and argument."""
        if hasattr(value, "record"):
            return self.scaled(value.record_partials(rule, (result, value)))
        with np.errstate(all="ignore"):
            return self.scaled(rule(result, value))


def _real_factor(number: Any) -> Any:
    """Return a real number as a factor of slopes, None for anything else."""
    if type(number) in REAL_NUMBERS:
        return number if type(number) is ConstantSlope else float(number)
    if isinstance(number, TracedArray) and number.size == 1:
        return as_slope(number)
    return None


def _locked(value: Any, row: NumberRow) -> Any:
    """Return a value as a factor of slopes: of zero where it stays zero nearby."""
    if type(value) is float and value:
        return value
    fixed = all(type(s) is ConstantSlope for s in row.row.values()) and not value
    return NO_SLOPE if fixed else value


class SparsityRow(OneRow):
    """The unknowns that one number can depend on, all slopes 1."""

    __slots__ = ()
    is_sparsity = True

    def scaled(self, *_: Any) -> Any:
        """Return self."""
        return self

    scaled_by_number = masked = scaled

    def plus(self, other: Any, sign: float = 1.0) -> Any:
        """Return the union."""
        if type(other) is not SparsityRow:
            other = row_of_number(other)
        if other.root is not self.root:
            same_evaluation(self.ordinary(), other.ordinary())
        return SparsityRow(self.root, {**self.row, **other.row})

    def product(self, other: Any, value: Any, others: Any) -> Any:
        """Return the union."""
        return self.plus(other)

    quotient = product

    def chained(self, rule: Any, result: Any, value: Any) -> Any:
        """Return self."""
        return self


def row_of(derivative: Any, size: int, position: int, at_once: bool = False) -> OneRow | None:
    """Return a row of a derivative, or None if few numbers of its array were read.

    The rows of an array are computed together, after some were read or `at_once`.
    """
    table: RowTable | UnitTable | None = getattr(derivative, "table", None)
    if table is None:
        table = _new_table(derivative, size, at_once)
        if table is None:
            return None
        derivative.table = table
    row: OneRow | None = table.known.get(position)
    if row is None:
        row = table.known[position] = new_row(derivative, table.row(position))
    return row


def rows_of(derivative: Any, size: int) -> list[OneRow]:
    """Return the rows of a derivative of few numbers."""
    if type(derivative) is FilledRows and derivative.base is None:
        numbers = derivative.numbers()
        return [numbers.get(k) or new_row(derivative, {}) for k in range(size)]
    unknowns = read_unknowns(derivative)
    table = RowTable(derivative.carried_out(), size) if unknowns is None else UnitTable(unknowns)
    return [new_row(derivative, table.row(k)) for k in range(size)]


def _new_table(derivative: Any, size: int, at_once: bool) -> RowTable | UnitTable | None:
    evaluation: Evaluation = derivative.root
    if type(derivative) is Recorded and evaluation.tape is None:
        evaluation.tape = weakref.ref(derivative.tape)
    unknowns = read_unknowns(derivative)
    if unknowns is not None:
        return UnitTable(unknowns)
    derivative.reads = count = getattr(derivative, "reads", 0) + 1
    if count < READS_OF_ARRAY and not (at_once and evaluation.tables < FEW_ARRAYS):
        return None
    evaluation.tables += 1
    return RowTable(derivative, size)


def row_of_number(derivative: Any) -> OneRow | None:
    """Return the derivative of one number as a row, or None if its slopes are complex."""
    if type(derivative) in (NumberRow, SparsityRow):
        own: OneRow = derivative
        return own
    row = real_row(derivative)
    return None if row is None else new_row(derivative, row)


def new_row(derivative: Any, row: Row) -> OneRow:
    """Return the derivative of a number, of the same kind as another derivative."""
    return (SparsityRow if derivative.is_sparsity else NumberRow)(derivative.root, row)


def joined_numbers(numbers: dict[int, Any], size: int) -> FilledRows | None:
    """Return the derivative of a vector of numbers, or None if some are not rows."""
    one: Any = next(iter(numbers.values()), None)
    kind = type(one)
    if kind is not NumberRow and kind is not SparsityRow:
        return None
    root: Evaluation = one.root
    if any(type(number) is not kind or number.root is not root for number in numbers.values()):
        return None
    return FilledRows(root, size, None, kind.is_sparsity, numbers)


def read_unknowns(derivative: Any) -> Sequence[int] | None:
    """Return the unknowns that an array consists of, as a slice of them does; None for others."""
    if type(derivative) is Recorded:
        return derivative.sliced_unknowns()
    terms = derivative.terms
    if len(terms) != 1:
        return None
    structure, (number, _, varying, of_rows) = next(iter(terms.items()))
    if number != 1.0 or varying is not None or of_rows is not None:
        return None
    if structure.rows is not None or structure.has_weights:
        return None
    unknowns: list[int] = structure.cols.tolist()
    return unknowns
