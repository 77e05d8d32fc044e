"""Coefficients that stay zero where a choice does not hand on, whatever they are multiplied by.

``np.maximum(h, 0)`` is constant where h is negative, and so is every function of it. Its slope is
zero there, not zero times the infinite slope of a square root. A `MaskedCoefficient` is an array
that is zero outside of a mask, and keeps the mask: after a product with slopes it is made zero
there again. Zeros that come from values are not of this kind: ``np.sqrt(x * x)`` has no slope at 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from . import array_operations as op


class CoefficientMask:
    """Where a choice hands on its argument; computed only if it is asked for.

    Attributes
    ----------
    key : tuple
        Equal for masks that hold at the same elements because they were made in the same way.
    """

    __slots__ = ("_array", "_bits", "_make", "_make_bits", "key")

    def __init__(self, key: tuple[Any, ...], make: Callable[[], Any], bits: Any = None) -> None:
        self.key = key
        self._make = make  # it refers to what the key names by its address
        self._make_bits = bits
        self._array: Any = None
        self._bits: Any = None

    @property
    def array(self) -> Any:
        """The truth values."""
        if self._array is None:
            self._array = self._make()
        return self._array

    @property
    def bits(self) -> Any:
        """The same as all bits or none."""
        if self._bits is None:
            self._bits = self._make_bits() if self._make_bits else op.bits_of(self.array)
        return self._bits

    def pulled(self, operation: Callable[..., Any], *where: Any) -> CoefficientMask:
        """Return the mask at some positions, ``operation(mask, *where)``."""
        part = (operation, *[w if w is None or type(w) is int else id(w) for w in where])
        # Slices share the bits of all elements.
        bits = (lambda: op.cut(self.bits, *where)) if operation is op.cut else None
        return CoefficientMask((*self.key, part), lambda: operation(self.array, *where), bits)

    def opposes(self, other: CoefficientMask) -> bool:
        """Whether the other one holds exactly where this one does not."""
        mine, theirs = self.key, other.key
        return mine[0] == theirs[0] and mine[1] is not theirs[1] and mine[2:] == theirs[2:]

    def joined(self, function: Callable[..., Any], other: CoefficientMask) -> CoefficientMask:
        """Return a function of the truth values of both."""
        key = (function, self.key, other.key)
        return CoefficientMask((key, True), lambda: function(self.array, other.array))


def mask_of(truth: Any, holds: bool) -> CoefficientMask:
    """Return the mask of an array of truth values, or of their opposites."""
    return CoefficientMask((id(truth), holds), lambda: truth if holds else op.negated(truth))


class MaskedCoefficient(op.Composite):
    """A coefficient array that is zero outside of a mask.

    Attributes
    ----------
    values : array or None
        None: ones.
    mask : CoefficientMask
    clean : bool
        Whether the values are zero outside of the mask already.
    """

    __slots__ = ("clean", "mask", "values")

    def __init__(self, values: Any, mask: CoefficientMask, clean: bool) -> None:
        self.values = values
        self.mask = mask
        self.clean = clean

    def settled(self) -> Any:
        """Return the plain array."""
        if not self.clean:
            mask = self.mask
            if self.values is None:
                self.values = op.as_float(mask.array)
            else:
                self.values = op.zero_outside(self.values, mask.array, mask.bits)
            self.clean = True
        return self.values

    def record(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Return ``function(*arguments)``, one of which this is."""
        rule = RULES.get(function)
        if rule is not None:
            return rule(op.operation(function), *arguments)
        return op.operation(function)(*map(settled, arguments))


def masked_coefficient(c: Any, mask: CoefficientMask) -> MaskedCoefficient:
    """Return c, or ones where it is None, with zeros outside of the mask."""
    if isinstance(c, MaskedCoefficient):
        return MaskedCoefficient(c.settled(), c.mask.joined(op.both, mask), False)
    made = MaskedCoefficient(c, mask, False)
    if c is not None:
        # Now: what is not chosen could overflow or vanish in the products to come.
        made.settled()
    return made


def settled(c: Any) -> Any:
    """Return a coefficient as a plain array; numbers and arrays as they are."""
    return c.settled() if isinstance(c, MaskedCoefficient) else c


def times_values(c: Any, values: Any) -> Any:
    """Return c times values of the code: where they are infinite, so is what they multiply."""
    return masked_product(op.multiply, c, values, True)


def masked_product(multiply: Callable[..., Any], c: Any, d: Any, clean: bool = False) -> Any:
    """Return a product, zero where either factor is; `clean`: infinite factors do not count."""
    masks = [q.mask for q in (c, d) if isinstance(q, MaskedCoefficient)]
    if not masks:
        return multiply(c, d)
    mask = masks[0] if len(masks) == 1 else masks[0].joined(op.both, masks[1])
    if not clean and isinstance(c, MaskedCoefficient) and c.values is None and op.is_array(d):
        return MaskedCoefficient(settled(d), mask, False)
    return MaskedCoefficient(multiply(settled(c), settled(d)), mask, clean)


def spread_coefficient(size: int, ratios: tuple[Any, ...], *pieces: Any) -> Any:
    """Return what `spread` makes of an `Index` and its values in turn, constant elsewhere."""
    indices, values = pieces[::2], pieces[1::2]
    full = op.spread(size, ratios, *map(settled, pieces))
    masks = [v.mask if isinstance(v, MaskedCoefficient) else None for v in values]
    if masks.count(None) == len(masks) and sum(map(len, indices)) == size:
        return full
    key = ("spread", *map(id, indices), *[None if m is None else m.key for m in masks])

    def made() -> Any:
        truths = [None if m is None else m.array for m in masks]
        return op.spread_mask(
            size, *itertools.chain.from_iterable(zip(indices, truths, strict=True))
        )

    return MaskedCoefficient(full, CoefficientMask((key, True), made), True)


def locked_zeros(values: Any, terms: Any) -> Any:
    """Return values of an array with these terms: zero, where they are constant and zero."""
    masks = {}
    for g, (alpha, _, c, a) in terms.items():
        q = a if g.has_weights else c
        if isinstance(q, MaskedCoefficient) and alpha == 0.0 and g.rows is None:
            masks[q.mask.key] = q.mask
        elif type(alpha) is not op.ConstantSlope or c is not None or a is not None:
            return values
    if len(masks) > 1:
        return values
    mask = CoefficientMask((id(values), "zeros"), lambda: op.differs(values, 0.0))
    for varying in masks.values():
        mask = mask.joined(op.either, varying)
    return MaskedCoefficient(values, mask, True)


def masked_sum(add: Callable[..., Any], c: Any, d: Any, *ratio: Any) -> Any:
    """Return a sum, which keeps the zeros that both of its terms have."""
    total = add(settled(c), settled(d), *ratio)
    if not (isinstance(c, MaskedCoefficient) and isinstance(d, MaskedCoefficient)):
        return total
    if c.mask.opposes(d.mask):
        return total
    same = c.mask.key == d.mask.key
    return MaskedCoefficient(total, c.mask if same else c.mask.joined(op.either, d.mask), True)


def masked_pull(pull: Callable[..., Any], c: Any, *where: Any) -> Any:
    """Return the elements at some positions."""
    return MaskedCoefficient(pull(c.settled(), *where), c.mask.pulled(pull, *where), True)


def masked_part(part: Callable[..., Any], c: Any) -> Any:
    """Return a part of complex coefficients, or their conjugates."""
    return MaskedCoefficient(part(c.settled()), c.mask, True)


RULES: dict[Callable[..., Any], Callable[..., Any]] = {
    op.unrecorded(operation): rule
    for rule, operations in (
        (masked_product, (op.multiply,)),
        (masked_sum, (op.add, op.subtract, op.add_multiple)),
        (masked_pull, (op.take, op.cut, op.gather)),
        (masked_part, (op.conjugate, op.real_part, op.imag_part)),
    )
    for operation in operations
}
