"""The AD array: a NumPy array that carries its derivative with respect to the seeded unknowns.

A residual can use it like an ndarray: operators, indexing, NumPy's ufuncs and functions. An
operation that would drop the derivative (``np.asarray``, ``float``, assignment into an ndarray)
raises `DerivativeError`. NumPy computes the values, by the same operations in the same order as
in the plain residual. Both results are bitwise equal.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy import integer, ndarray
from numpy.typing import NDArray

from ..arrays import DOUBLE
from ..errors import DerivativeError
from ..pattern import Pattern
from ..private_api import NO_ARRAY, calling_frame, is_sparse_product, shown_class
from . import dispatch
from .assignments import out_arguments
from .assignments.assignment import SharedMemory, WrittenMemory, memory_with_first_view
from .assignments.elements import number_row
from .assignments.flat_elements import FlatElements
from .assignments.in_place import assign
from .assignments.views import (
    IMAGINARY,
    REAL,
    assign_part,
    part_of_complex,
    share,
    share_where_views,
)
from .conversions import refusals
from .conversions.stand_ins import stand_in
from .derivatives.coefficients import UNIT
from .derivatives.derivative import Derivative
from .derivatives.sparsity import Sparsity
from .indexing import permuted, taken
from .operators import Operators, call_ufunc
from .programs.computation import pattern_and_values, pattern_of_derivative
from .structures.root import evaluation_named
from .structures.structure import Structure


class ADArray(Operators):
    """An array with its derivative; made by `seed` and by operations on AD arrays.

    Attributes
    ----------
    value : ndarray
        The numbers, read-only.
    jacobian : csr_array, shape (size, n)
        Derivative with respect to the n unknowns.

    See Also
    --------
    seed : Make one.
    value_and_jacobian : Needs no AD array from you.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import ad
    >>> x = ad.seed(np.array([1.0, 2.0, 3.0]))
    >>> y = x[1:] * np.exp(x[:-1] - 1.0)
    >>> y.value
    array([2.        , 8.15484549])
    >>> y.jacobian.toarray().round(3)
    array([[2.   , 1.   , 0.   ],
           [0.   , 8.155, 2.718]])
    """

    __slots__ = ("__weakref__", "_derivative", "_memory", "_origin", "_value")
    _origin: tuple[ADArray, Any] | None  # of views by a key: the array, and the key
    __array_priority__: ClassVar[float] = 1000.0

    def __init__(self, value: Any, derivative: Derivative) -> None:
        self._value = value
        self._derivative = derivative
        self._memory: SharedMemory | None = None
        self._origin = None

    # ---- what it holds ---------------------------------------------------------------------

    @property
    def value(self) -> NDArray[Any]:
        """The numbers, as a read-only ndarray (``np.array(y.value)`` is a copy to write into)."""
        value = self._value
        if type(value) is not ndarray and hasattr(value, "record"):
            traced: NDArray[Any] = value
            return traced
        view: NDArray[Any] = np.asarray(value).view()
        view.flags.writeable = False
        return view

    @property
    def jacobian(self) -> Any:
        """Derivative with respect to the unknowns, a ``csr_array`` of shape (y.size, n).

        Its indices are sorted, and entries that happen to be zero are kept: the structure is
        the same at every x at which the same code ran.
        """
        pattern, data = self._pattern_and_values()
        return pattern.matrix(data)

    def _pattern_and_values(self) -> tuple[Pattern, Any]:
        derivative, value = self._derivative, self._value
        if derivative.is_sparsity:
            self._needs_coefficients()
        dtype = value.dtype if value.dtype is DOUBLE else self._jacobian_dtype()
        return pattern_and_values(derivative, value.size, dtype)

    @property
    def sparsity(self) -> Any:
        """Structure of the Jacobian: a ``csr_array`` of ones."""
        pattern = pattern_of_derivative(self._derivative, self.size)
        return pattern.matrix(np.ones(pattern.nnz))

    def _needs_coefficients(self) -> None:
        if self._derivative.is_sparsity:
            raise DerivativeError(
                "this array was made from seed_sparsity and has no derivative values; "
                "use .sparsity, or seed(x) for a Jacobian"
            )

    def _jacobian_dtype(self) -> Any:
        dtype = self._value.dtype
        if dtype is DOUBLE:
            return dtype
        return np.result_type(dtype, np.float32) if dtype.kind in "fc" else np.dtype(float)

    # ---- what an ndarray has -----------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths along each axis."""
        shape: tuple[int, ...] = self._value.shape
        return shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return int(self._value.ndim)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(self._value.size)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        dtype: np.dtype[Any] = self._value.dtype
        return dtype

    @property
    def T(self) -> ADArray:
        """The transposed array."""
        transposed: ADArray = self.transpose()
        return transposed

    @property
    def mT(self) -> ADArray:
        """The array with its last two axes exchanged."""
        transposed: ADArray = self.swapaxes(-1, -2)
        return transposed

    @property
    def flat(self) -> Any:
        """The elements in C order, to be read, assigned and iterated."""
        return FlatElements(self)

    @flat.setter
    def flat(self, value: Any) -> None:
        FlatElements(self)[:] = value

    @property
    def real(self) -> ADArray:
        """The real part; of complex arrays if the unknowns are real."""
        if self._value.dtype.kind != "c":
            return self
        part: ADArray = part_of_complex(self, REAL)
        return part

    @real.setter
    def real(self, v: Any) -> None:
        if self._value.dtype.kind == "c":
            assign_part(self, REAL, v)
        elif v is not self:  # which it is after y.real += v
            self[...] = v

    @property
    def imag(self) -> Any:
        """The imaginary part; of complex arrays if the unknowns are real. Of real ones, zeros."""
        if self._value.dtype.kind != "c":
            return np.zeros_like(self._value)[()]  # an element is a scalar, as in NumPy
        return part_of_complex(self, IMAGINARY)

    @imag.setter
    def imag(self, v: Any) -> None:
        if self._value.dtype.kind != "c":
            raise TypeError("y.imag = v: y is real")
        assign_part(self, IMAGINARY, v)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an AD array without axes")
        return int(self.shape[0])

    def __iter__(self) -> Any:
        if not self.shape:
            raise TypeError("iteration over an AD array without axes")
        return (self[i] for i in range(self.shape[0]))

    def __repr__(self) -> str:
        kind = "sparsity" if self._derivative.is_sparsity else "derivative"
        n = len(self._derivative.root.cols)
        return f"ADArray({self._value!r}, {kind} in {n} unknowns)"

    def __getitem__(self, key: Any) -> ADArray:
        value = self._value
        if value.ndim == 1:
            # Nearly all indexing of a residual is by slices and index arrays.
            derivative = self._derivative
            if type(key) is slice:
                derivative = derivative.taken_slice(*key.indices(len(value)))
                view = ADArray(value[key], derivative)
                memory = self._memory
                if memory is None:
                    root = derivative.root
                    many = root.notes_views
                    memory = memory_with_first_view(view, root) if many else SharedMemory()
                    self._memory = memory
                elif type(memory) is WrittenMemory:
                    memory.note(view)
                view._memory = memory
                view._origin = (self, key)
                return view
            if type(key) is ndarray and key.ndim == 1 and key.dtype.kind == "i":
                index = derivative.root.index(key, len(value))
                return ADArray(index.gather(value), derivative.taken(index))
            if isinstance(key, (int, integer)):
                row = number_row(self, key)  # no view: a copy of a number
                if row is not None:
                    return ADArray(value[key], row)
                if type(key) is int:
                    name, shape = ("key", value.shape, key), value.shape
                    return ADArray(value[key], permuted(derivative, name, shape, lambda p: p[key]))
        elif type(key) is tuple and (not key or isinstance(key[0], (int, integer))):
            row = number_row(self, key)
            if row is not None:
                return ADArray(value[key], row)
        result, derivative = taken(value, self._derivative, key)
        chosen = ADArray(result, derivative)
        base = result.base
        if base is value or (base is not None and base is value.base):
            share(chosen, self)
            chosen._origin = (self, key)
        return chosen

    __setitem__ = assign

    # ---- conversions that would lose the derivative ------------------------------------------

    def __bool__(self) -> bool:
        answer = bool(self._value)
        evaluation = self._derivative.root
        if evaluation.objects:
            raise refusals.truth_value()
        evaluation.decided = True
        return answer

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        frame = calling_frame(1)
        if is_sparse_product(frame):
            return NO_ARRAY
        plain = stand_in(self, dtype, frame)
        if plain is None:
            raise refusals.plain_array()
        return plain

    def __float__(self) -> float:
        raise refusals.plain_number("float")

    def __int__(self) -> int:
        raise DerivativeError(
            "int(y) would lose the derivative; use np.floor(y) or np.rint(y), with derivative zero"
        )

    def __complex__(self) -> complex:
        raise refusals.plain_number("complex")

    def __index__(self) -> int:
        raise refusals.AsIndexError

    def __round__(self, ndigits: int | None = None) -> Any:
        return dispatch.call(np.round, (self, ndigits or 0), {})

    def __floor__(self) -> Any:
        return np.floor(self)

    def __ceil__(self) -> Any:
        return np.ceil(self)

    def __trunc__(self) -> Any:
        return np.trunc(self)

    def __format__(self, spec: str) -> str:
        # Text is for reading: nothing can be computed with it that would miss a derivative.
        return format(self._value, spec) if spec else str(self)

    # ---- NumPy's protocols -------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and ufunc.signature is None:
            return call_ufunc(ufunc, *inputs)
        target = out_arguments.target_among(kwargs)
        if target is not None:
            return out_arguments.written_by_ufunc(ufunc, method, inputs, kwargs, target)
        if method != "__call__":
            return dispatch.UFUNC_METHODS[method](ufunc, method, inputs, kwargs)
        if kwargs:
            refusals.options_of_ufunc(ufunc, inputs, kwargs)
        if ufunc.signature is None:
            return call_ufunc(ufunc, *inputs)
        return dispatch.call(ufunc, inputs, {})  # one of whole vectors or matrices

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func in dispatch.OF_SHAPES:
            return dispatch.OF_SHAPES[func](self, *args, **kwargs)
        target = out_arguments.target_among(kwargs)
        if target is not None:
            return out_arguments.written_by_function(func, args, kwargs, target)
        return share_where_views(dispatch.call(func, args, kwargs), args)

    def __getattr__(self, name: str) -> Any:
        # The methods of ndarrays are set by the package `functions`.
        if name.startswith("__"):
            raise AttributeError(name)  # NumPy and Python look for protocols
        ufunc = vars(np).get(name)
        if isinstance(ufunc, np.ufunc) and not self.ndim:
            # NumPy's ufuncs call these methods of the elements of an array of objects.
            return lambda *others: call_ufunc(ufunc, self, *others)
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)  # its own error, not ours
        raise refusals.missing_attribute(name)

    __class__ = property(shown_class)

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *dir(ADArray)})

    def __copy__(self) -> ADArray:
        return ADArray(self._value, self._derivative)

    def __deepcopy__(self, memo: Any) -> ADArray:
        return ADArray(self._value, self._derivative)

    def __reduce__(self) -> Any:
        if self._derivative.is_sparsity:
            pattern = pattern_of_derivative(self._derivative, self.size)
            data = np.ones(pattern.nnz)
        else:
            pattern, data = pattern_and_values(self._derivative, self.size, self._jacobian_dtype())
        n = len(self._derivative.root.cols)
        kind = self._derivative.is_sparsity
        evaluation = self._derivative.root
        matrix = (pattern.rows, pattern.indices, data)
        named = (evaluation.name(), evaluation.real)
        return restored, (np.asarray(self._value), *matrix, n, kind, *named)


def restored(
    v: Any, rows: Any, cols: Any, data: Any, n: int, is_sparsity: bool, name: str, real: bool
) -> ADArray:
    """Return the AD array that was pickled: its derivative comes back as one matrix."""
    evaluation = evaluation_named(name, n, real)
    structure = Structure(
        evaluation.root, v.size, rows.astype(np.int64), None, cols.astype(np.int32)
    )
    if is_sparsity:
        return ADArray(v, Sparsity(evaluation, {structure: UNIT}))
    return ADArray(v, Derivative(evaluation, {structure: (0.0, 1.0, data, None)}))
