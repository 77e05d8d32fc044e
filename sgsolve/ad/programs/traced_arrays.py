"""Traced arrays: values that add what is done to them to a graph.

A traced array stands for an ndarray, or a number, in an evaluation. It holds the values of this
evaluation and the node that computes them. NumPy's functions and operators on it are carried out
by NumPy and added to the graph. Where Python or the library needs the values themselves (``if``,
positions of a mask), the graph gets a `Guard`. NumPy gets no plain array from it: a conversion
would hide operations from the graph, and raises `UntraceableError`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from ...private_api import NO_ARRAY, calling_frame, is_sparse_product, shown_class
from ..derivatives import array_operations as op
from ..derivatives.symbols import TracedScalar, UntraceableError
from .graph import Graph, Guard, Kind, Node, Operand
from .positional_calls import method_named, of_positions

# What these return does not depend on values.
OF_SHAPE_AND_TYPE = (
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj,
    np.min_scalar_type, np.zeros_like, np.ones_like, np.empty_like,
)  # fmt: skip
WRITING = (
    "sort", "fill", "put", "itemset", "partition", "resize", "setfield", "setflags", "byteswap",
)  # fmt: skip
# Functions that write into an argument.
WRITING_FUNCTIONS = (np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal)

TRANSPOSED, REAL_PART, IMAGINARY_PART = map(operator.attrgetter, ("T", "real", "imag"))


class TracedArray:
    """An array or a number of a traced evaluation.

    Attributes
    ----------
    value : ndarray or numpy scalar
    """

    __slots__ = ("graph", "node", "value")
    __array_priority__ = 900.0
    __hash__ = object.__hash__

    def __init__(self, value: Any, node: Node, graph: Graph) -> None:
        self.value = value
        self.node = node
        self.graph = graph

    # ---- adding operations -------------------------------------------------------------------

    def record(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Return ``function(*arguments)``, traced."""
        # Only there is a number one that holds at every x.
        keep_numbers = function is op.unrecorded(op.partial)
        if keep_numbers:
            return self._inside(function, arguments, keep_numbers)
        return self._traced(*self._applied(function, arguments), keep_numbers)

    def _inside(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], keep_numbers: bool
    ) -> Any:
        """Return what a rule gives for traced arrays, its own operations traced if they can be."""
        guards = len(self.graph.guards)
        try:
            return function(*arguments)
        except UntraceableError:
            del self.graph.guards[guards:]
        return self._traced(*self._applied(function, arguments), keep_numbers)

    def record_partials(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Return the partial derivatives that a rule gives.

        They are in the precision of the values. Whoever runs the graph has to look at NumPy's
        floating point flags, as `Program` does.
        """
        graph = self.graph
        before, outer = len(graph.guards), graph.is_of_slopes
        graph.is_of_slopes = True
        try:
            with np.errstate(all="ignore"):
                partials = self._inside(function, arguments, False)
        finally:
            graph.is_of_slopes = outer
        # The value does not depend on them.
        graph.guards_of_partials += graph.guards[before:]
        del graph.guards[before:]
        return partials

    def _applied(self, function: Callable[..., Any], arguments: Any) -> tuple[Any, Operand]:
        result = function(*untraced(tuple(arguments)))
        operands = tuple(map(self._operand, arguments))
        node = self.graph.operation(function, operands, *_declared(result))
        if isinstance(result, np.ndarray) and not _has_contiguous_loops(result):
            node.strides = result.strides
        return result, node

    def _traced(self, result: Any, node: Node, keep_numbers: bool) -> Any:
        if result is None or (keep_numbers and type(result) in (float, int, complex)):
            return result
        if isinstance(result, (tuple, list)):
            parts = []
            for k, part in enumerate(result):
                operands = (node, self.graph.constant(k))
                item = self.graph.operation(operator.getitem, operands, *_declared(part))
                parts.append(self._traced(part, item, keep_numbers))
            return getattr(type(result), "_make", type(result))(parts)
        if isinstance(result, np.ndarray):
            return TracedArray(result, node, self.graph)
        if isinstance(result, (np.generic, int, float, complex)):
            return traced_number(result, node, self.graph)
        raise UntraceableError

    def _operand(self, argument: Any) -> Operand:
        if isinstance(argument, TracedArray):
            return argument.node
        if _is_operands(argument):
            return tuple(map(self._operand, argument))
        return self.graph.constant(argument)

    def decided(self) -> Any:
        """Return the values, on which the course of the evaluation is going to depend."""
        self.graph.guards.append(Guard(self.node, self.value))
        return self.value

    # ---- NumPy's protocols -------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(hasattr(x, "_derivative") for x in inputs):
            return NotImplemented
        if kwargs.get("out") is not None:
            raise UntraceableError(f"np.{ufunc.__name__}(..., out=...)")
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        if function is np.multiply and not kwargs and all(map(is_complex_number, inputs)):
            function = operator.mul  # NumPy's scalars call the ufunc for the operator
        return self.record(*of_positions(function, inputs, kwargs))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(hasattr(t, "_derivative") for t in types):
            return NotImplemented
        if func in OF_SHAPE_AND_TYPE:
            return func(*untraced(args), **untraced(kwargs))
        if func in WRITING_FUNCTIONS or kwargs.get("out") is not None:
            raise UntraceableError(f"np.{func.__name__}, which writes into an array")
        return self.record(*of_positions(func, args, kwargs))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if is_sparse_product(calling_frame(1)):
            return NO_ARRAY
        raise UntraceableError("a conversion to a plain array (np.asarray)")

    def __rmatmul__(self, other: Any) -> Any:
        if hasattr(other, "_derivative"):
            return NotImplemented
        return self.record(operator.matmul, (other, self))

    # ---- what an array has -------------------------------------------------------------------

    __class__ = property(shown_class)
    shape = property(lambda self: np.shape(self.value))
    ndim = property(lambda self: np.ndim(self.value))
    size = property(lambda self: np.size(self.value))
    dtype = property(lambda self: np.asarray(self.value).dtype)
    flags = property(lambda self: np.asarray(self.value).flags)
    strides = property(lambda self: np.asarray(self.value).strides)
    T = property(lambda self: self.record(TRANSPOSED, (self,)))
    real = property(lambda self: self.record(REAL_PART, (self,)))
    imag = property(lambda self: self.record(IMAGINARY_PART, (self,)))

    @property
    def base(self) -> Any:
        """The array that the memory belongs to; the own one's values stand for themselves."""
        return self.value if self.value.base is None else self.value.base

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"a traced array has no attribute {name!r}")
        if name in ("nbytes", "itemsize"):
            return getattr(self.value, name)
        if name in WRITING or not callable(getattr(np.ndarray, name)):
            raise UntraceableError(f"ndarray.{name}")
        method = method_named(name)
        return lambda *args, **kwargs: self.record(*of_positions(method, (self, *args), kwargs))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, TracedArray) and self.ndim == 1:
            return key.elements_of(self)
        return self.record(operator.getitem, (self, key))

    def elements_of(self, array: TracedArray) -> Any:
        """Return the elements of a vector at these positions, or where this holds."""
        return array.record(operator.getitem, (array, self))

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise UntraceableError("an assignment to elements")

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Any:
        return (self[k] for k in range(len(self.value)))

    # ---- what Python asks --------------------------------------------------------------------

    def __bool__(self) -> bool:
        truth: Any = self
        if self.dtype != bool:
            truth = self.record(operator.ne, (self, 0))
        return bool(truth.decided())

    def __float__(self) -> float:
        return float(self.decided())

    def __int__(self) -> int:
        return self._whole(int)

    def __trunc__(self) -> int:
        return self._whole(math.trunc)

    def __floor__(self) -> int:
        return self._whole(math.floor)

    def __ceil__(self) -> int:
        return self._whole(math.ceil)

    def _whole(self, function: Callable[[Any], int]) -> int:
        """Return a whole number on which the evaluation depends, not on the number itself."""
        return int(self.record(function, (self,)).decided())

    def __complex__(self) -> complex:
        return complex(self.decided())

    def __index__(self) -> int:
        return operator.index(self.decided())


class TracedNumber(TracedArray, TracedScalar):
    """A number of a traced evaluation: a parameter, an element, a sum."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(self.decided())  # it looks for the number in a dict or a set


class TracedFloat(TracedNumber):
    """One of Python's numbers: arithmetic takes another way than with one of NumPy's."""

    __slots__ = ()


def traced_number(value: Any, node: Node, graph: Graph) -> TracedNumber:
    """Return a number of a traced evaluation."""
    node.plain = not isinstance(value, np.generic)
    return (TracedFloat if node.plain else TracedNumber)(value, node, graph)


def is_complex_number(value: Any) -> bool:
    """Whether a value is a complex scalar, whose products NumPy rounds as it does no others."""
    if isinstance(value, TracedNumber):
        value = value.value
    return isinstance(value, (complex, np.complexfloating))


def untraced(argument: Any) -> Any:
    """Return an argument with values in place of traced arrays, in tuples and lists too."""
    if isinstance(argument, TracedArray):
        return argument.value
    if _is_operands(argument):
        return tuple(map(untraced, argument))
    if type(argument) is dict:  # not one of the sparse matrices that are dicts
        return {k: untraced(v) for k, v in argument.items()}
    return argument


def _has_contiguous_loops(array: Any) -> bool:
    """Whether NumPy takes its loops for contiguous arrays, which round in another way.

    Every array of one element is contiguous to NumPy's flags; its loops look at the strides.
    """
    usual = array.size != 1 or not array.ndim or array.itemsize in array.strides
    return bool(array.flags.c_contiguous and usual)


def _is_operands(argument: Any) -> bool:
    """Whether an argument stands for several operands: a tuple, or a list with traced arrays."""
    return isinstance(argument, tuple) or (isinstance(argument, list) and _holds_traced(argument))


def _holds_traced(argument: Any) -> bool:
    if isinstance(argument, (tuple, list)):
        return any(map(_holds_traced, argument))
    return isinstance(argument, TracedArray)


def _declared(result: Any) -> tuple[Kind, tuple[int, ...], Any]:
    if isinstance(result, np.ndarray):
        return Kind.ARRAY, result.shape, result.dtype
    if isinstance(result, (np.generic, int, float, complex)):
        return Kind.NUMBER, (), np.result_type(result)
    return Kind.OBJECT, (), None


def _binary_operator(
    function: Callable[[Any, Any], Any], reflected: bool = False
) -> Callable[..., Any]:
    def method(self: TracedArray, other: Any) -> Any:
        if hasattr(other, "_derivative") or hasattr(other, "tocsr"):
            return NotImplemented
        if type(other) is op.ConstantSlope:
            return NotImplemented  # it stays zero, whatever it is multiplied by
        return self.record(function, (other, self) if reflected else (self, other))

    return method


def _unary_operator(function: Callable[[Any], Any]) -> Callable[[TracedArray], Any]:
    return lambda self: self.record(function, (self,))


def _writing(self: TracedArray, other: Any) -> NoReturn:
    raise UntraceableError("an operator that works in place")


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or",
              "xor", "lshift", "rshift"):  # fmt: skip
    _function: Any = getattr(operator, f"__{_name}__")
    setattr(TracedArray, f"__{_name}__", _binary_operator(_function))
    if _name != "matmul":
        setattr(TracedArray, f"__r{_name}__", _binary_operator(_function, reflected=True))
    setattr(TracedArray, f"__i{_name}__", _writing)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(TracedArray, f"__{_name}__", _binary_operator(getattr(operator, _name)))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(TracedArray, f"__{_name}__", _unary_operator(getattr(operator, f"__{_name}__")))
