"""Derivatives: sums of coefficients times structures.

A `Derivative` maps structures to coefficients ``(alpha, s, c, a)``; its term is

    E . diag(a) . W . diag(alpha + s c) . G

with plain numbers alpha and s, arrays c and a, either of which may be None (c: absent, a: ones).
What is constant stays in alpha and never becomes an array; a factor that is a number stays in s.
Signs and common factors are kept outside, so that the two halves of a difference share one
array c: such an array is scaled, added and assembled once.

`Sparsity` is the same thing without coefficients: all that can depend on what, on any branch.
Both are immutable; every method returns a new object or the same one.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DerivativeError
from .operands import Index, Matrix
from .structure import Root, Structure

Coefficient = tuple[Any, Any, Any, Any]
Terms = dict[Structure, Coefficient]
Scale = Any  # a number, an array, or (number, array)


class Derivative:
    """Derivative of a (flattened) array with respect to the unknowns of `root`."""

    __slots__ = ("root", "terms")
    is_sparsity = False

    def __init__(self, root: Root, terms: Terms) -> None:
        self.root = root
        self.terms = terms

    def scaled(self, factor: Scale) -> Derivative:
        """Return diag(factor) times this derivative.

        `factor` is a number, a one-dimensional array with one value an element, or a pair of both
        (their product).
        """
        number: Any = 1.0
        if type(factor) is tuple:
            number, factor = factor
        if not isinstance(factor, np.ndarray):
            number = number * factor
            return Derivative(
                self.root,
                {g: (p[0] * number, p[1] * number, p[2], p[3]) for g, p in self.terms.items()},
            )
        memo: dict[Any, Any] = {}
        terms: Terms = {}
        for g, (alpha, s, c, a) in self.terms.items():
            d = factor if g.rows is None else _placed(factor, g, memo)
            if g.weights is not None:
                a = d if a is None else _product(a, d, memo)
                terms[g] = (alpha * number, s * number, c, a)
            elif c is None:
                terms[g] = (0.0, alpha * number, d, None)
            else:
                if alpha != 0.0:
                    c, s = _shifted(c, s, alpha, memo)
                terms[g] = (0.0, s * number, _product(c, d, memo), None)
        return Derivative(self.root, terms)

    def times(self, values: NDArray[Any]) -> Derivative:
        """Return diag(values) times this derivative, for values that the user supplied.

        A term that is constant so far stays constant if the values do: they become part of its
        structure. Values that are others on every evaluation become coefficients, and those are
        copies: the user may change an array in place later.
        """
        constant = self.root.constant(values)
        if not constant.steady:
            return self.scaled(constant.values)
        terms: Terms = {}
        others: Terms = {}
        for g, p in self.terms.items():
            if p[2] is None and p[3] is None:
                terms[g.weighted(constant)] = p
            else:
                others[g] = p
        if others:
            terms.update(Derivative(self.root, others).scaled(constant.values).terms)
        return Derivative(self.root, terms)

    def masked(self, mask: NDArray[Any]) -> Derivative:
        """Return this derivative where `mask` holds and zero, not NaN, elsewhere."""
        memo: dict[Any, Any] = {}
        terms: Terms = {}
        for g, p in self.terms.items():
            m = _placed(mask, g, memo)
            if not (np.isfinite(p[0]) and np.isfinite(p[1])):
                # Zero times an infinite number would be NaN: the number goes into the array.
                g, p = _without_numbers(g, p)
                m = mask[g.place(np.arange(len(g.cols)))]
            alpha, s, c, a = p
            if g.weights is not None:
                terms[g] = (alpha, s, c, m.astype(float) if a is None else _zeroed(a, m, memo))
            elif c is None:
                terms[g] = (0.0, alpha, _as_float(m, memo), None)
            else:
                if alpha != 0.0:
                    c, s = _shifted(c, s, alpha, memo)
                _add(terms, g, (0.0, s, _zeroed(c, m, memo), None), memo)
        return Derivative(self.root, terms)

    def plus(self, other: Derivative, sign: float = 1.0) -> Derivative:
        """Return this derivative plus (or minus, with sign -1) another one of the same size."""
        if self.root is not other.root:
            raise DerivativeError(
                f"arrays with derivatives in {len(self.root.cols)} and {len(other.root.cols)} "
                "unknowns cannot be combined; seed one vector and take its parts"
            )
        terms = self.terms.copy()
        memo: dict[Any, Any] = {}
        for g, q in other.terms.items():
            if sign != 1.0:
                q = (-q[0], -q[1], q[2], q[3])
            p = terms.get(g)
            if p is None:
                terms[g] = q
            elif p[3] is None and q[3] is None:
                terms[g] = _joined(p, q, memo)
            else:
                _join_with_row_factors(terms, g, p, q, memo)
        return Derivative(self.root, terms)

    def taken(self, index: Index) -> Derivative:
        """Return the derivative of the flattened array at these positions."""
        return self._pulled([g.take(index) for g in self.terms])

    def taken_slice(self, start: int, stop: int, step: int) -> Derivative:
        """Return the derivative of ``y[start:stop:step]``."""
        return self._pulled([g.take_slice(start, stop, step) for g in self.terms])

    def put(self, rows: Index | slice, size: int) -> Derivative:
        """Return the derivative of an array of `size` zeros with this one added at `rows`."""
        terms: Terms = {}
        memo: dict[Any, Any] = {}
        volatile = type(rows) is Index and rows.volatile
        for g, p in self.terms.items():
            origin = g.origin(rows, size)
            if volatile and origin is not None:
                g, p = _scattered(origin, rows, p, memo)
            else:
                g = g.put(rows, size)
            if g in terms:
                _add(terms, g, p, memo)
            else:
                terms[g] = p
        return Derivative(self.root, terms)

    def multiplied(self, matrix: Matrix) -> Derivative:
        """Return the derivative of ``A @ y``."""
        terms: Terms = {}
        memo: dict[Any, Any] = {}
        for g, p in self.terms.items():
            if p[3] is not None:
                g, p = _expanded(g, p)
            _add(terms, g.multiplied(matrix), p, memo)
        return Derivative(self.root, terms)

    def _pulled(self, taken: list[Any]) -> Derivative:
        """Return the derivative on chosen rows, one structure and pull for each term."""
        terms: Terms = {}
        memo: dict[Any, Any] = {}
        for (g, pull), p in zip(taken, self.terms.values(), strict=True):
            if pull is not None:
                alpha, s, c, a = p
                if g.weights is not None:
                    if a is not None:
                        p = (alpha, s, c, _pull(a, pull, memo))
                elif c is not None:
                    p = (alpha, s, _pull(c, pull, memo), a)
            if g in terms:
                _add(terms, g, p, memo)
            else:
                terms[g] = p
        return Derivative(self.root, terms)


class Sparsity(Derivative):
    """Which unknowns an array can depend on: a derivative without coefficients."""

    __slots__ = ("__weakref__",)
    is_sparsity = True

    def scaled(self, factor: Scale) -> Derivative:
        """Return self: scaling, even by zero, changes no structure."""
        return self

    def times(self, values: NDArray[Any]) -> Derivative:
        """Return self: scaling changes no structure."""
        return self

    def masked(self, mask: NDArray[Any]) -> Derivative:
        """Return self: another mask is another day's."""
        return self

    def plus(self, other: Derivative, sign: float = 1.0) -> Derivative:
        """Return the union."""
        return Sparsity(self.root, {**self.terms, **other.terms})

    def taken(self, index: Index) -> Derivative:
        """Return the sparsity of the flattened array at these positions."""
        return Sparsity(self.root, {g.take(index).structure: UNIT for g in self.terms})

    def taken_slice(self, start: int, stop: int, step: int) -> Derivative:
        """Return the sparsity of ``y[start:stop:step]``."""
        return Sparsity(
            self.root, {g.take_slice(start, stop, step).structure: UNIT for g in self.terms}
        )

    def put(self, rows: Index | slice, size: int) -> Derivative:
        """Return the sparsity of this array put at `rows`.

        Elements that were gathered with the very index they are put at may be others next time
        (a mask): the whole structure that they were gathered from is taken.
        """
        terms: Terms = {}
        for g in self.terms:
            origin = g.origin(rows, size)
            if origin is not None:
                terms[origin] = UNIT
            else:
                terms[g.put(rows, size)] = UNIT
        return Sparsity(self.root, terms)

    def multiplied(self, matrix: Matrix) -> Derivative:
        """Return the sparsity of ``A @ y``; explicit zeros of A count."""
        return Sparsity(self.root, {g.multiplied(matrix): UNIT for g in self.terms})


UNIT: Coefficient = (1.0, 0.0, None, None)


class _Tracing(threading.local):
    seed: Any = staticmethod(lambda: None)


_tracing = _Tracing()


def begin_tracing(seed: Sparsity) -> None:
    """Note that this thread is finding out structure, for as long as `seed` is in use."""
    _tracing.seed = weakref.ref(seed)


def end_tracing() -> None:
    """Note that this thread is evaluating derivatives again: an ordinary seed was made."""
    _tracing.seed = _Tracing.seed


def tracing() -> bool:
    """Whether this thread is finding out structure, so that both sides of a branch count."""
    return _tracing.seed() is not None


def _add(terms: Terms, g: Structure, q: Coefficient, memo: dict[Any, Any]) -> None:
    p = terms.get(g)
    if p is None:
        terms[g] = q
    elif p[3] is None and q[3] is None:
        terms[g] = _joined(p, q, memo)
    else:
        _join_with_row_factors(terms, g, p, q, memo)


def _joined(p: Coefficient, q: Coefficient, memo: dict[Any, Any]) -> Coefficient:
    """Return the sum of two coefficients of one structure, neither with row factors."""
    alpha, s1, c1, _ = p
    alpha = alpha + q[0]
    c2 = q[2]
    if c2 is None:
        return alpha, s1, c1, None
    s2 = q[1]
    if c1 is None:
        return alpha, s2, c2, None
    if c1 is c2:
        return alpha, s1 + s2, c1, None
    if s1 == 0:
        return alpha, s2, c2, None
    ratio = s2 / s1
    key = (id(c1), id(c2), ratio)
    known = memo.get(key)
    if known is not None:
        return alpha, s1, known[0], None
    if ratio == 1:
        c = c1 + c2
    elif ratio == -1:
        c = c1 - c2
    else:
        c = c2 * ratio
        c = np.add(c, c1, out=c) if c.dtype == np.result_type(c, c1) else c + c1
    # The operands stay referenced by the memo, so that their ids stay theirs.
    memo[key] = (c, c1, c2)
    return alpha, s1, c, None


def _join_with_row_factors(
    terms: Terms, g: Structure, p: Coefficient, q: Coefficient, memo: dict[Any, Any]
) -> None:
    if p[2] is None and q[2] is None:
        a = _as_rows(g, p) + _as_rows(g, q)
        terms[g] = (1.0, 0.0, None, a)
        return
    if p[3] is q[3]:
        alpha, s, c, _ = _joined((*p[:3], None), (*q[:3], None), memo)
        terms[g] = (alpha, s, c, p[3])
        return
    del terms[g]
    for part in (p, q):
        h, r = _expanded(g, part)
        _add(terms, h, r, memo)


def _as_rows(g: Structure, p: Coefficient) -> Any:
    """Return alpha times the row factors as an array."""
    return np.full(g.weights.shape[0], p[0]) if p[3] is None else p[0] * p[3]


def _expanded(g: Structure, p: Coefficient) -> tuple[Structure, Coefficient]:
    """Return the same term with one coefficient for each entry and no weights."""
    alpha, s, c, a = p
    v = g.weights.data
    source = g.weights.indices
    v = v * alpha if c is None else v * _shift(c, s, alpha)[source]
    if a is not None:
        v = v * a[g.row_of_entry()]
    return g.expanded(), (0.0, 1.0, v, None)


def _scattered(
    parent: Structure, index: Any, p: Coefficient, memo: dict[Any, Any]
) -> tuple[Structure, Coefficient]:
    """Return the term on the structure that it was gathered from, zero elsewhere."""
    alpha, s, c, a = p
    count = len(parent.cols) if parent.weights is None else parent.weights.shape[0]

    def spread(values: Any) -> Any:
        key = ("spread", id(values))
        if key not in memo:
            dtype = float if values is None else values.dtype
            full = np.zeros(count, dtype=dtype)
            full[index.values] = 1.0 if values is None else values
            memo[key] = (full, values)
        return memo[key][0]

    if parent.weights is not None:
        return parent, (alpha, s, c, spread(a))
    if c is None:
        return parent, (0.0, alpha, spread(None), None)
    if alpha != 0.0:
        c, s = _shifted(c, s, alpha, memo)
    return parent, (0.0, s, spread(c), None)


def _placed(factor: NDArray[Any], g: Structure, memo: dict[Any, Any]) -> Any:
    """Return the factor of every compact row."""
    rows = g.rows
    if rows is None:
        return factor
    if isinstance(rows, slice):
        key: Any = ("rows", id(factor), rows.start, rows.stop)
    else:
        key = ("rows", id(factor), id(rows))
    if key not in memo:
        memo[key] = factor[rows]
    return memo[key]


def _product(c: Any, d: Any, memo: dict[Any, Any]) -> Any:
    key = (id(c), id(d))
    product = memo.get(key)
    if product is None:
        product = c * d
        memo[key] = product
    return product


def _zeroed(c: Any, mask: Any, memo: dict[Any, Any]) -> Any:
    key = ("zeroed", id(c), id(mask))
    if key not in memo:
        memo[key] = (_selected(c, mask, memo), c)
    return memo[key][0]


def _selected(c: Any, mask: Any, memo: dict[Any, Any]) -> Any:
    """Return ``where(mask, c, 0)``: by bits, which takes an eighth of np.where's time."""
    if c.dtype != np.float64 or not c.flags.c_contiguous:
        return np.where(mask, c, c.dtype.type(0))
    key = ("bits", id(mask))
    if key not in memo:
        memo[key] = (-mask.astype(np.int64), mask)
    return (c.view(np.int64) & memo[key][0]).view(np.float64)


def _as_float(mask: Any, memo: dict[Any, Any]) -> Any:
    key = ("float", id(mask))
    if key not in memo:
        memo[key] = (mask.astype(float), mask)
    return memo[key][0]


def _without_numbers(g: Structure, p: Coefficient) -> tuple[Structure, Coefficient]:
    """Return the same term with its numbers multiplied into one array."""
    if g.weights is not None:
        return _expanded(g, p)
    alpha, s, c, _ = p
    full = np.full(len(g.cols), alpha) if c is None else c * s + alpha
    return g, (0.0, 1.0, full, None)


def _shift(c: Any, s: Any, alpha: Any) -> Any:
    shifted = c if type(s) is float and s == 1.0 else c * s
    return shifted if type(alpha) is float and alpha == 0.0 else shifted + alpha


def _shifted(c: Any, s: Any, alpha: Any, memo: dict[Any, Any]) -> tuple[Any, Any]:
    """Return (c', s') with s' c' = alpha + s c; opposite pairs share c'."""
    if s == 0:
        return np.full_like(c, 1.0, dtype=np.result_type(c, float)), alpha
    offset = alpha / s
    key = ("shift", id(c), offset)
    if key not in memo:
        memo[key] = (c + offset, c)
    return memo[key][0], s


def _pull(values: Any, pull: Any, memo: dict[Any, Any]) -> Any:
    if type(pull) is slice:
        key: Any = (id(values), pull.start, pull.stop, pull.step)
    else:
        key = (id(values), id(pull))
    known = memo.get(key)
    if known is not None:
        return known[0]
    if type(pull) is Index:
        pulled = pull.gather(values)
    else:
        pulled = values[pull] if type(pull) is slice else values.take(pull)
    memo[key] = (pulled, values)
    return pulled
