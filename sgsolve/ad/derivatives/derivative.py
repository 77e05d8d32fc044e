"""Derivatives: sums of coefficients times structures.

A `Derivative` maps structures to coefficients ``(alpha, s, c, a)``; its term is

    E . diag(a) . W . diag(alpha + s c) . G

with plain numbers alpha and s, arrays c and a, either of which may be None (c: absent, a: ones).
What is constant stays in alpha and never becomes an array; a factor that is a number stays in s.
Signs and common factors are kept outside, so that the two halves of a difference share one
array c: such an array is scaled, added and assembled once.

A derivative is immutable: every method returns a new one or the same one. `sparsity.Sparsity` has
the same methods and no coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DerivativeError
from ..structures import operations
from ..structures.operands import Constant, Index, Matrix
from ..structures.root import Evaluation
from ..structures.structure import Selection
from . import array_operations as op
from .coefficients import (
    UNIT,
    Memo,
    Terms,
    add_term,
    expanded_term,
    joined_terms,
    moderate,
    pulled,
    scattered,
    shift,
    varying_part,
)
from .complex_parts import conjugated, parts
from .factors import masked_terms, scaled_terms, terms_times_number, with_number
from .masked_coefficients import MaskedCoefficient, locked_zeros, settled, times_values
from .merging import AFTER_SUM, merged

Scale = Any  # a number, an array, or (number, array)


class Derivative:
    """Derivative of a (flattened) array with respect to the unknowns of an evaluation.

    Attributes
    ----------
    root : Evaluation
        With the root's structures and operands.
    terms : dict
        Coefficients by structure.
    reads, table
        For loops over elements: how many elements of the array were read, and its rows. Not set
        before.
    """

    __slots__ = ("reads", "root", "table", "terms")
    reads: int
    table: Any
    is_sparsity = False

    def __init__(self, root: Evaluation, terms: Terms) -> None:
        self.root = root
        self.terms = terms

    def scaled(self, factor: Scale) -> Derivative:
        """Return diag(factor) times this derivative.

        `factor` is a number, a one-dimensional array with one value an element, or a pair of both
        (their product).
        """
        return self._scaled(factor, op.multiply)

    def scaled_by_values(self, values: NDArray[Any], number: float = 1.0) -> Derivative:
        """Return diag(number values) times this derivative, for values of the code, not slopes."""
        return self._scaled((number, values), times_values)

    def _scaled(self, factor: Scale, multiply: Callable[..., Any]) -> Derivative:
        number: Any = 1.0
        if type(factor) is tuple:
            number, factor = factor
        if isinstance(factor, op.NUMBERS):
            return self.scaled_by_number(number * factor)
        return type(self)(self.root, scaled_terms(self.terms, number, factor, multiply))

    def scaled_by_number(self, number: Any) -> Derivative:
        """Return `number` times this derivative."""
        return type(self)(self.root, terms_times_number(self.terms, number))

    def times(self, values: NDArray[Any], shape: tuple[int, ...] | None = None) -> Derivative:
        """Return diag(values) times this derivative, for values that the user supplied.

        A term that is constant so far stays constant if the values do: they become part of its
        structure. Values that are others on every evaluation become coefficients, and those are
        copies: the user may change an array in place later. They are broadcast to a given shape.
        """
        constant = self.root.constant(values)
        if shape is not None:
            constant = constant.broadcast(shape)
        if constant.persistent:
            return self.weighted(constant)
        return self.scaled_by_values(constant.values)

    def over(self, values: NDArray[Any]) -> Derivative:
        """Return diag(1 / values) times this derivative, for values that the user supplied."""
        constant = self.root.constant(values)
        inverse = constant.inverse()
        return self.weighted(inverse) if constant.persistent else self.scaled(inverse.values)

    def weighted(self, constant: Constant) -> Derivative:
        """Return diag(constant) times this derivative, the constant part of it staying constant."""
        self._merge()
        terms: Terms = {}
        others: Terms = {}
        for g, p in self.terms.items():
            if p[2] is None and p[3] is None and moderate(p[0]):
                terms[operations.weighted(g, constant)] = p
            else:
                others[g] = p
        if others:
            terms.update(Derivative(self.root, others).scaled_by_values(constant.values).terms)
        return type(self)(self.root, terms)

    def masked(self, mask: NDArray[Any], holds: bool = True) -> Derivative:
        """Return this derivative where `mask` holds (or does not), zero and constant elsewhere."""
        return type(self)(self.root, masked_terms(self.terms, mask, holds))

    def plus(self, other: Derivative, sign: float = 1.0) -> Derivative:
        """Return this derivative plus (or minus, with sign -1) another one of the same size."""
        same_evaluation(self, other)
        terms = self.terms.copy()
        memo = Memo()
        for g, q in other.terms.items():
            if sign != 1.0:
                q = (-q[0], -q[1], q[2], q[3])
            add_term(terms, g, q, memo)
        return type(self)(self.root, merged(self.root.root, terms, AFTER_SUM))

    def plus_all(self, others: Sequence[Derivative]) -> Derivative:
        """Return the sum with all the others, each added in its own time."""
        terms = self.terms.copy()
        memo = Memo()
        for other in others:
            same_evaluation(self, other)
            for g, q in other.terms.items():
                add_term(terms, g, q, memo)
        return type(self)(self.root, merged(self.root.root, terms, AFTER_SUM))

    def joined(self, others: Sequence[Derivative]) -> Derivative:
        """Return the sum with all the others, each of which has rows of its own."""
        for other in others:
            same_evaluation(self, other)
        terms = joined_terms([self.terms, *[other.terms for other in others]])
        return type(self)(self.root, merged(self.root.root, terms, AFTER_SUM))

    def product(self, other: Derivative, value: Any, others: Any) -> Derivative:
        """Return the derivative of the product of two arrays with these values."""
        mine = self.scaled_by_values(locked_zeros(others, other.terms))
        return mine.plus(other.scaled_by_values(locked_zeros(value, self.terms)))

    def quotient(self, other: Derivative, result: Any, others: Any) -> Derivative:
        """Return the derivative of a quotient from its value and that of the denominator."""
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = op.reciprocal(others)
            slope = op.multiply(result, inverse)
        slope = locked_zeros(slope, self.terms)
        return self.scaled(inverse).plus(other.scaled((-1.0, slope)))

    def chained(self, rule: Callable[..., Any], result: Any, value: Any) -> Derivative:
        """Return the derivative of a function with that rule, from its result and argument."""
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = op.partial(rule, result, value)
        return self.scaled(slope)

    def taken(self, index: Index) -> Derivative:
        """Return the derivative of the flattened array at these positions."""
        self._merge()
        return self._pulled([operations.take_rows(g, index) for g in self.terms])

    def taken_slice(self, start: int, stop: int, step: int) -> Derivative:
        """Return the derivative of ``y[start:stop:step]``."""
        self._merge()
        return self._pulled([operations.take_slice(g, start, stop, step) for g in self.terms])

    def put(self, rows: Index | slice, size: int) -> Derivative:
        """Return the derivative of an array of `size` zeros with this one added at `rows`."""
        if isinstance(rows, Index) and rows.transient:
            return self._returned_to_origin(rows, size)
        self._merge()
        terms = {operations.put(g, rows, size): p for g, p in self.terms.items()}
        return type(self)(self.root, terms)

    def _returned_to_origin(self, index: Index, size: int) -> Derivative:
        """Return the derivative on the structures that elements were gathered from."""
        terms: Terms = {}
        memo = Memo()
        for g, p in self.terms.items():
            origin = g.origin(index, size)
            if origin is not None:
                h, q = scattered(origin, index, p, memo)
                add_term(terms, h, q, memo)
            else:
                add_term(terms, operations.put(g, index, size), p, memo)
        return type(self)(self.root, terms)

    def nothing(self) -> Derivative:
        """Return the derivative of constants."""
        return type(self)(self.root, {})

    def multiplied(self, matrix: Matrix) -> Derivative:
        """Return the derivative of ``A @ y``."""
        self._merge()
        terms: Terms = {}
        memo = Memo()
        for g, p in self.terms.items():
            if p[3] is not None:
                g, p = expanded_term(g, p)
            large = None if p[2] is None else operations.large_product(g, matrix)
            if large is None:
                add_term(terms, operations.multiplied(g, matrix), p, memo)
            else:
                alpha, s, c, _ = p
                product, structure = large
                values = op.product(product, shift(c, s, alpha))
                add_term(terms, structure, with_number(1.0, values), memo)
        return type(self)(self.root, terms)

    def carried_out(self) -> Derivative:
        """Return the same derivative with its terms at hand."""
        return self

    def final(self) -> Derivative:
        """Return the same derivative in the form in which it is assembled."""
        kinds = {type(q) for p in self.terms.values() for q in p}
        if MaskedCoefficient not in kinds and op.ConstantSlope not in kinds:
            return self
        memo = Memo()
        terms: Terms = {}
        for g, p in self.terms.items():
            if p[3] is not None and isinstance(p[2], MaskedCoefficient):
                g, p = expanded_term(g, p)  # an infinite row factor would meet its zeros
            alpha = 0.0 if type(p[0]) is op.ConstantSlope else p[0]
            add_term(terms, g, (alpha, p[1], settled(p[2]), settled(p[3])), memo)
        return type(self)(self.root, terms)

    def varying(self) -> Derivative | None:
        """Return slopes that are zero where this one is constant; None if that is not known."""
        terms = {g: varying_part(p) for g, p in self.terms.items()}
        if all(p is UNIT for p in terms.values()) or any(g.has_weights for g in terms):
            return None
        return Derivative(self.root, terms)

    def conjugated(self) -> Derivative:
        """Return the complex conjugate: the derivative of the conjugate by real unknowns."""
        memo = Memo()
        terms: Terms = {}
        for g, p in self.terms.items():
            add_term(terms, *conjugated(g, p, memo), memo)
        return type(self)(self.root, terms)

    def real_part(self) -> Derivative:
        """Return the real part: the derivative of the real part by real unknowns."""
        return self._part(op.real_part)

    def imaginary_part(self) -> Derivative:
        """Return the imaginary part: the derivative of the imaginary part by real unknowns."""
        return self._part(op.imag_part)

    def _part(self, part: Callable[..., Any]) -> Derivative:
        memo = Memo()
        terms: Terms = {}
        for g, p in self.terms.items():
            for h, q in parts(g, p, part, memo):
                add_term(terms, h, q, memo)
        return type(self)(self.root, terms)

    def _merge(self) -> None:
        """Hold one term instead of many if that is less; to be asked before terms are multiplied.

        The derivative stays the same one. Chains of stages need it: each operation that moves
        rows makes as many structures as there are terms, and the sum with others keeps them all.
        """
        self.terms = merged(self.root.root, self.terms)

    def _pulled(self, taken: list[Selection]) -> Derivative:
        """Return the derivative on chosen rows, one structure and pull for each term."""
        terms: Terms = {}
        memo = Memo()
        for (g, pull), p in zip(taken, self.terms.values(), strict=True):
            if pull is not None:
                alpha, s, c, a = p
                if g.has_weights:
                    if a is not None:
                        p = (alpha, s, c, pulled(a, pull, memo))
                elif c is not None:
                    p = (alpha, s, pulled(c, pull, memo), a)
            add_term(terms, g, p, memo)
        return type(self)(self.root, terms)


def same_evaluation(d: Derivative, e: Derivative) -> None:
    """Raise for arrays of two evaluations: their unknowns are not the same.

    Raises
    ------
    DerivativeError
    """
    if d.root is not e.root:
        raise DerivativeError(
            f"arrays with derivatives in {len(d.root.cols)} and {len(e.root.cols)} "
            "unknowns of two seeds cannot be combined: seed one vector and take its parts "
            "(ad.seed_all). A derivative inside a residual (ad.jacobian, a local Newton) cannot "
            "use arrays of the residual: make its unknowns unknowns of the problem"
        )


def total(parts: Sequence[Derivative]) -> Derivative:
    """Return the sum of derivatives of arrays of the same size."""
    if len(parts) == 1:
        return parts[0]
    return parts[0].plus_all(parts[1:]) if len(parts) > 2 else parts[0].plus(parts[1])


def joined_parts(parts: Sequence[Derivative]) -> Derivative:
    """Return the derivative of an array made of parts, each put at rows of its own."""
    return parts[0].joined(parts[1:]) if len(parts) > 1 else parts[0]
