"""Fields: blocks of unknowns by name and in shape, packed into one vector and unpacked from it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import ad
from ...ad.conversions.nested import array_of
from ...ad.drivers.function_calls import result_of
from ...errors import DataTypeError, InputError, ParameterError, ShapeError
from ...results.blocks import REST, Blocks, describe, n_unknowns
from .signature import Signature
from .unknowns import Unknowns


def pack(unknowns: Unknowns, fields: Mapping[str, Any]) -> Any:
    """Return the vector of unknowns with these fields; see `Problem.pack`."""
    values = {name: _as_array(value) for name, value in fields.items()}
    shapes = unknowns.shapes
    missing = [name for name in unknowns.parts if name not in values]
    if missing or not values:
        raise InputError(f"pack got no block {missing[0] if missing else REST!r}")
    n = n_unknowns(shapes) if shapes else sum(int(np.size(value)) for value in values.values())
    return vector_of(unknowns.blocks(n), values, "pack got", np.broadcast_to if shapes else None)


def unpack(unknowns: Unknowns, x: Any) -> dict[str, Any]:
    """Return the fields of a vector; see `Problem.unpack`."""
    if hasattr(x, "success") and hasattr(x, "x"):
        raise DataTypeError(f"x is a whole {type(x).__name__}; give its .x")
    x = x if isinstance(x, ad.ADArray) else np.asarray(x)
    if np.ndim(x) != 1:
        raise ShapeError(f"x must be a vector of shape (n,), not {np.shape(x)}")
    return unknowns.blocks(len(x)).unpack(x)


def vector_of(
    blocks: Blocks, values: Mapping[str, Any], what: str, spread: Callable[..., Any] | None = None
) -> Any:
    """Return one vector from a value for each block.

    Parameters
    ----------
    values : mapping of str to ndarray or AD array
    what : str
        Who made the values, for messages.
    spread : callable, optional
        What makes an array of a block's shape from a single number.

    Raises
    ------
    InputError
        If a block is missing, or there is no such block.
    ShapeError
        If a value has another shape than its block.
    """
    for name in values:
        if name not in blocks:
            raise InputError(f"{what} a block {name!r}; the blocks are {describe(blocks.shapes)}")
    parts = []
    for name, shape in blocks.shapes.items():
        if name not in values:
            raise InputError(f"{what} no block {name!r}; the blocks are {describe(blocks.shapes)}")
        value = values[name]
        if spread is not None and np.ndim(value) == 0 and not isinstance(value, ad.ADArray):
            value = spread(value, shape)
        if np.shape(value) != shape:
            raise ShapeError(
                f"{what} shape {np.shape(value)} for block {name!r}, which has shape {shape}"
            )
        parts.append(np.ravel(value))
    x = np.concatenate(parts)
    order = np.concatenate([np.arange(blocks.n)[blocks[name]] for name in blocks.shapes])
    return x if np.array_equal(order, np.arange(blocks.n)) else x[np.argsort(order)]


def _as_array(value: Any) -> Any:
    value = array_of(value)
    return value if isinstance(value, ad.ADArray) else np.asarray(value)


BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class FieldFunction:
    """A function of fields as a function of the vector of unknowns.

    Parameters
    ----------
    function : callable
        ``function(u=..., p=..., **parameters)``. What it returns may be a mapping of block to
        array; then it becomes one vector.
    what : str
        What the function is, for messages.
    """

    def __init__(self, function: Callable[..., Any], unknowns: Unknowns, what: str) -> None:
        self.function, self._unknowns, self._what = function, unknowns, what
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        if not unknowns.parts:
            raise InputError("fields=True needs blocks, such as blocks={'u': (20, 20), 'p': (20,)}")
        if not callable(function):
            raise DataTypeError(f"{what} must be a function of the fields, not {function!r}")
        taken = inspect.signature(function).parameters.values()
        if any(p.kind is p.VAR_KEYWORD for p in taken):
            return
        named = {p.name for p in taken if p.kind in BY_NAME}
        missing = [name for name in unknowns.parts if name not in named]
        if missing:
            raise InputError(
                f"{what} has no argument {missing[0]!r}; with fields=True it is called with one "
                f"argument for each block, by name: {', '.join(unknowns.parts)}"
            )

    @property
    def __signature__(self) -> inspect.Signature:
        """The vector of unknowns, and the arguments of the function that are no fields."""
        x = inspect.Parameter("x", inspect.Parameter.POSITIONAL_ONLY)
        taken = inspect.signature(self.function).parameters.values()
        rest = [p for p in taken if p.name not in self._unknowns.parts]
        keywords = [p.replace(kind=p.KEYWORD_ONLY) for p in rest if p.kind in BY_NAME]
        others = [p for p in rest if p.kind is p.VAR_KEYWORD]
        return inspect.Signature([x, *keywords, *others])

    def __call__(self, x: Any, /, **parameters: Any) -> Any:
        """Call the function with the fields of x."""
        blocks = self._unknowns.blocks(len(x))
        value = result_of(self.function, **blocks.unpack(x), **parameters)
        if not isinstance(value, Mapping):
            return _vector_of_fields(value, blocks)
        arrays = {name: _as_array(part) for name, part in value.items()}
        return vector_of(blocks, arrays, f"{self._what} returned")


def _vector_of_fields(value: Any, blocks: Blocks) -> Any:
    """Return an array in the shape of the only field, or of all fields stacked, as a vector."""
    shapes = list(blocks.shapes.values())
    shape = shapes[0] if len(shapes) == 1 else (len(shapes), *shapes[0])
    alike = all(other == shapes[0] for other in shapes)
    return np.ravel(value) if alike and getattr(value, "shape", ()) == shape else value


def of_fields(function: Any, unknowns: Unknowns, what: str) -> Any:
    """Return a function of fields as one of the vector; what is no function stays as it is."""
    return FieldFunction(function, unknowns, what) if callable(function) else function


def null_space_of_blocks(unknowns: Unknowns, given: Any) -> Any:
    """Return a null vector that was given by blocks, zero in the others; what is none, as it is."""
    if not isinstance(given, Mapping):
        return given
    if not unknowns.shapes:
        raise InputError("null_space by blocks needs blocks with shapes; give a vector, shape (n,)")
    return pack(unknowns, {**dict.fromkeys(unknowns.shapes, 0.0), **given})


def refuse_block_names(unknowns: Unknowns, params: Mapping[str, Any] | None) -> None:
    """Raise `ParameterError` if a parameter has the name of a block."""
    for name in params or {}:
        if name in unknowns.parts:
            raise ParameterError(f"the parameter {name!r} has the name of a block; rename one")


def refuse_fields_without_option(signature: Signature, unknowns: Unknowns) -> None:
    """Raise `InputError` if a residual of the vector needs arguments with the names of blocks.

    Its first argument is the vector, whatever its name; what ``params`` gives is a parameter.
    """
    for name in signature.required:
        if name in unknowns.parts and name not in signature.params:
            raise InputError(
                f"the residual has an argument {name!r} with the name of a block; give "
                "fields=True to have it called with one argument for each block, or rename it"
            )
