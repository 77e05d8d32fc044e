"""Views of AD arrays: the array that each one was taken from, and the key that selects it.

A view by a key holds both. Of ``y.T``, ``y.reshape(shape)`` and the like, only the array is noted.
Their key is found from where their elements lie in memory, if something is written.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ...errors import DerivativeError
from ..derivatives.derivative import Derivative
from ..derivatives.symbols import UntraceableError
from ..indexing import taken
from ..ufuncs import complex_values
from .assignment import WrittenMemory, memory_with_first_view


class Outdated:
    """In place of value and derivative of a view that cannot follow what was written."""

    __slots__ = ()

    def _raise(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise DerivativeError(
            "this view (y.T, reshape) was taken from an AD array that was written into since: "
            "take it after the last assignment"
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)  # Python looks for protocols
        self._raise()

    __array_ufunc__ = __getitem__ = __neg__ = __abs__ = __bool__ = _raise
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __matmul__ = __rmatmul__ = _raise
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __mod__ = __rmod__ = _raise
    __floordiv__ = __rfloordiv__ = __lt__ = __le__ = __gt__ = __ge__ = _raise


OUTDATED = Outdated()
BY_LAYOUT: Any = "by layout"  # in place of the key of y.T, y.reshape(shape)


class ComplexPart:
    """The key of ``y.real`` or ``y.imag``, which are views of a complex array."""

    __slots__ = ("_derivative", "_name", "_other")

    def __init__(self, name: str) -> None:
        self._name = name
        parts = complex_values.derivative_of_real, complex_values.derivative_of_imag
        self._derivative, self._other = parts if name == "real" else parts[::-1]

    def taken(self, value: Any, derivative: Derivative) -> tuple[Any, Derivative]:
        """Return value and derivative of the part of an array."""
        return getattr(value, self._name), self._derivative(derivative)

    def replaced(self, y: Any, part: Any) -> tuple[Any, Derivative]:
        """Return value and derivative of y with another part."""
        if hasattr(y._value, "record") or hasattr(part._value, "record"):
            raise UntraceableError("a part of complex numbers that is written into")
        value = np.array(y._value)
        setattr(value, self._name, part._value)
        real, imaginary = part._derivative, self._other(y._derivative)
        if self is IMAGINARY:
            real, imaginary = imaginary, real
        return value, real.plus(imaginary.scaled_by_number(1j))


REAL, IMAGINARY = ComplexPart("real"), ComplexPart("imag")


def part_of_complex(y: Any, key: ComplexPart) -> Any:
    """Return the real or the imaginary part of a complex AD array, a view of it."""
    part = type(y)(*key.taken(y._value, y._derivative))
    share(part, y)
    part._origin = (y, key)
    return part


def assign_part(y: Any, key: ComplexPart, v: Any) -> None:
    """Carry out ``y.real = v`` or ``y.imag = v``."""
    origin = getattr(v, "_origin", None)
    if origin is None or origin[0] is not y or origin[1] is not key:
        part_of_complex(y, key)[...] = v
    # Otherwise it is the second half of y.real += v: the view wrote its result into y.


def taken_anew(viewed: Any, key: Any) -> tuple[Any, Derivative]:
    """Return value and derivative of the view of an array by a key."""
    if type(key) is ComplexPart:
        return key.taken(viewed._value, viewed._derivative)
    return taken(viewed._value, viewed._derivative, key)


def share(view: Any, origin: Any) -> None:
    """Note that an AD array is a view of another one."""
    memory = origin._memory
    if memory is None:
        memory = memory_with_first_view(view, origin._derivative.root)
        origin._memory = memory
    elif type(memory) is WrittenMemory:
        memory.note(view)
    view._memory = memory


def share_where_views(result: Any, operands: Any) -> Any:
    """Return a result, each of its arrays noted as a view of the operand that it is one of."""
    if hasattr(result, "_derivative"):
        value = result._value
        base = value.base
        if base is not None:
            own = getattr(operands[0], "_value", None) if operands else None
            if own is not None and (base is own or base is own.base) and result is not operands[0]:
                share_by_layout(result, operands[0])  # as mostly
            else:
                _share_with_owner(result, _owner(value), operands)
            return result
        for operand in operands:  # mostly a new array, which none of them shares
            if getattr(operand, "_value", None) is value and operand is not result:
                share_by_layout(result, operand)
                break
    elif isinstance(result, (list, tuple)):
        for part in result:
            share_where_views(part, operands)
    return result


def _share_with_owner(array: Any, owner: Any, operands: Any) -> bool:
    """Note that an array is a view of the operand with the same owner; whether there is one."""
    for operand in operands:
        if isinstance(operand, (list, tuple)):
            if _share_with_owner(array, owner, operand):
                return True
        elif hasattr(operand, "_derivative") and array is not operand:
            if owner is not _owner(operand._value):
                continue
            share_by_layout(array, operand)
            return True
    return False


def share_by_layout(view: Any, origin: Any) -> None:
    """Note that an array is a view whose key is to be found from its place in memory."""
    share(view, origin)
    view._origin = (origin, BY_LAYOUT)


def _owner(value: Any) -> Any:
    """Return the array that the memory of a value belongs to.

    Between a view and its array, NumPy's stride tricks put objects that are no arrays.
    """
    while (base := getattr(value, "base", None)) is not None:
        value = base
    return value


def origin_with_key(view: Any) -> tuple[Any, Any] | None:
    """Return the array that a view is of, and the key that selects its elements."""
    viewed = view._origin[0]
    whole, part = viewed._value, view._value
    if hasattr(whole, "record"):
        raise UntraceableError("a view that is written into, without a key")
    if whole.dtype != part.dtype or not whole.ndim:
        return None
    place = _offsets(whole).ravel()
    order = np.argsort(place)
    wanted = _offsets(part) + (part.ctypes.data - whole.ctypes.data)
    found = np.searchsorted(place, wanted, sorter=order)
    positions = order[np.minimum(found, len(order) - 1)] if whole.size else found
    if not whole.flags.writeable or not np.array_equal(place[positions], wanted):
        return None
    return viewed, np.unravel_index(positions, whole.shape)


def _offsets(array: Any) -> Any:
    """Return where the elements of an array lie, in bytes from the first one."""
    axes = [np.arange(n) * stride for n, stride in zip(array.shape, array.strides, strict=True)]
    return sum(np.ix_(*axes)) if axes else np.zeros((), dtype=np.int64)
