"""Evaluate a function once more, where ``np.zeros`` and the like make AD arrays.

``F = np.zeros(n); F[1:] = y`` fails on AD arrays: F is an ndarray, which holds numbers. Here the
same code runs with other global names, in which ``np.zeros`` makes an array with derivatives.
Neither NumPy nor a module of the user is changed. The result must have the values of the function
itself on plain numbers; if not, the first error stands.

The names are those of the function, of functions that it calls by a global name, a closure or a
module of the user, of methods and properties of objects, and of functions inside them. Each
evaluation looks them up again. A function that assigns global names is not evaluated this way,
because the assignment would be lost.
"""

from __future__ import annotations

import builtins
import functools
import sys
import sysconfig
from collections.abc import Callable
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ...errors import DerivativeError
from ...private_api import assigned_names
from .assignment import is_written

Function = Callable[..., Any]

FILLED = ("zeros", "empty", "ones", "full", "zeros_like", "empty_like", "ones_like", "full_like")
JOINED = ("array", "asarray", "asanyarray", "fromiter")
MAKERS = {id(getattr(np, name)): name for name in (*FILLED, *JOINED)}
# Names by which code reaches global names that are not written in it.
BY_TEXT = {"globals", "eval", "exec", "vars"}
OF_MODULE = ("__name__", "__package__", "__spec__", "__file__")
LIBRARIES = {"numpy", "scipy", "sgsolve"}
INSTALLED = tuple(sysconfig.get_paths()[key] for key in ("stdlib", "purelib", "platlib"))
HEAP_TYPE = 1 << 9  # of a class that a class statement made, in ``__flags__``
TOLERANCE = 1e-3  # times the square root of the rounding unit, relative to the largest value

# Code that needed it before: the first attempt would be lost time.
needing: set[CodeType] = set()
# Code that makes arrays of objects, with the values of arrays of numbers.
compared: set[CodeType] = set()


class CodeNames(NamedTuple):
    """The names that code uses, and those of outer functions that it assigns.

    Attributes
    ----------
    used : frozenset of str
        Global names and attributes.
    assigned : frozenset of str
        Names of enclosing functions.
    replaceable : bool
        Whether the code can run with other global names.
    """

    used: frozenset[str]
    assigned: frozenset[str]
    replaceable: bool


@functools.lru_cache(maxsize=1024)
def _names_of(code: CodeType) -> CodeNames:
    used, assigned = set(code.co_names), set(assigned_names(code, of_outer_functions=True))
    replaceable = not assigned_names(code, of_outer_functions=False)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            names = _names_of(inner)
            used |= names.used
            assigned |= names.assigned
            replaceable = replaceable and names.replaceable
    return CodeNames(frozenset(used), frozenset(assigned), replaceable and not used & BY_TEXT)


def code_of_function(f: Any) -> CodeType | None:
    """Return the code of a function, a method or a partial; None for other objects."""
    while isinstance(f, functools.partial):
        f = f.func
    return getattr(f, "__code__", None)


def replaced_function(f: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return f with ``np.zeros`` and the like that make AD arrays as those in its arguments.

    None is returned for a function that makes no arrays or assigns global names, and after it has
    written into an argument.
    """
    carriers = [a for a in (*args, *kwargs.values()) if hasattr(a, "_derivative")]
    if not carriers or any(is_written(a) for a in carriers):
        return None
    own: Any = f
    if not isinstance(f, (FunctionType, MethodType, functools.partial)):
        own = own.__call__  # of an object
    names = _Replaced(carriers[0], own)
    evaluation = carriers[0]._derivative.root
    evaluation.objects = evaluation.decided = False
    try:
        replaced = names.of(own)
    except _AssignedNameError:
        return None
    return replaced if names.found else None


def plain_argument(a: Any) -> Any:
    """Return an argument; an AD array as its numbers, in an array of their own."""
    return np.array(a._value) if hasattr(a, "_derivative") else a


def values_agree(y: Any, plain: Any) -> bool:
    """Whether y, an AD array, has the values of a plain array, up to rounding."""
    found, expected = np.asarray(plain_argument(y)), np.asarray(plain_argument(plain))
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return False
    return not hasattr(plain, "_derivative") and values_close(found, expected)


def values_close(found: Any, expected: Any) -> bool:
    """Whether two arrays of floating point numbers agree up to rounding."""
    if found.size != expected.size or expected.dtype.kind not in "fc":
        return False
    found = found.reshape(expected.shape)
    if np.array_equal(found, expected):
        return True
    size = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    rounding = TOLERANCE * float(np.finfo(expected.dtype).eps) ** 0.5
    return np.allclose(found, expected, rtol=rounding, atol=rounding * size, equal_nan=True)


class _AssignedNameError(DerivativeError):
    """Code assigns a global name, or one of an outer function that was replaced."""


class _Module(ModuleType):
    """NumPy, or a module of the user, with other functions that make arrays."""

    def __init__(self, module: ModuleType, of: Function) -> None:
        super().__init__(module.__name__)
        vars(self).update(_module=module, _of=of)

    def __getattr__(self, name: str) -> Any:
        return self._of(getattr(self._module, name))

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._module, name, value)


class _Empty:
    """A class whose objects are their attributes."""


class _Replaced:
    """Functions with other global names, for one evaluation.

    Attributes
    ----------
    found : bool
        Whether NumPy, a function of `MAKERS` or an object may be among the names.
    """

    def __init__(self, like: Any, f: Any) -> None:
        self._package = _package_of(f)
        makers = {name: _filling_maker(getattr(np, name), like) for name in FILLED}
        self._makers = makers | {name: _joining_maker(getattr(np, name), like) for name in JOINED}
        self._functions: dict[int, Any] = {}
        self._modules: dict[int, _Module] = {}
        self._builtins = vars(builtins) | {"__import__": self._import}
        self.found = False

    def of(self, value: Any) -> Any:
        """Return what stands for the value of a global name or of a closure."""
        if isinstance(value, ModuleType):
            return self._module(value)
        if id(value) in MAKERS:
            self.found = True
            return self._makers[MAKERS[id(value)]]
        if isinstance(value, functools.partial):
            return functools.partial(self.of(value.func), *value.args, **value.keywords)
        if isinstance(value, MethodType):
            return MethodType(self.of(value.__func__), self._object(value.__self__))
        if self._is_of_user(value):
            return self._functions.get(id(value)) or self._function(value)
        return self._object(value) if _is_instance(value) else value

    def _module(self, module: ModuleType) -> ModuleType:
        """Return NumPy or a module of the user with the other functions, any other as it is."""
        package, file = module.__name__.partition(".")[0], vars(module).get("__file__")
        of_python = file is None and package != self._package  # built in
        if module is not np and (of_python or not self._is_user_module(package, file)):
            return module
        self.found = True  # its functions are looked up when they are called
        return self._modules.setdefault(id(module), _Module(module, self.of))

    def _import(self, *args: Any, **kwargs: Any) -> Any:
        """Import a module in place of the function of Python: ``import numpy`` in a function."""
        return self.of(builtins.__import__(*args, **kwargs))

    def _function(self, f: FunctionType) -> FunctionType:
        names = _names_of(f.__code__)
        if not names.replaceable:
            raise _AssignedNameError
        cells = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))
        replaced = {name: CellType() for name, cell in cells.items() if self._concerns(cell)}
        if names.assigned & replaced.keys():
            raise _AssignedNameError
        space = {name: f.__globals__[name] for name in OF_MODULE if name in f.__globals__}
        space["__builtins__"] = self._builtins
        self.found |= "numpy" in names.used
        closure = tuple((cells | replaced).values())
        result = FunctionType(f.__code__, space, f.__name__, None, closure)
        self._functions[id(f)] = result  # before the names: it may be among them
        for name in names.used & f.__globals__.keys() - space.keys():
            space[name] = self.of(f.__globals__[name])
        for name, cell in replaced.items():
            cell.cell_contents = self.of(cells[name].cell_contents)
        result.__defaults__ = f.__defaults__ and tuple(map(self.of, f.__defaults__))
        result.__kwdefaults__ = {k: self.of(v) for k, v in (f.__kwdefaults__ or {}).items()}
        result.__dict__ = f.__dict__
        return result

    def _object(self, instance: Any) -> Any:
        """Return an object with the same attributes whose methods use the other global names.

        Only plain classes of the user are taken: a base class from elsewhere may keep state that
        is no attribute.
        """
        cls: Any = type(instance)
        if cls is type or not all(self._is_plain(base) for base in cls.__mro__[:-1]):
            return instance

        def attribute(view: Any, name: str) -> Any:
            part = getattr(cls, name, None)
            if type(part) is property and part.fget is not None:
                return self.of(part.fget)(view)
            value = cls.__getattribute__(view, name)
            own = type(value) is MethodType and value.__self__ is view
            return MethodType(self.of(value.__func__), view) if own else value

        self.found = True  # methods are looked up when they are called
        view: Any = object.__new__(type(cls.__name__, (cls,), {"__getattribute__": attribute}))
        object.__setattr__(view, "__dict__", vars(instance))
        return view

    def _is_plain(self, cls: type) -> bool:
        """Whether the objects of a class are their attributes, and subclasses have no effects."""
        package, module = cls.__module__.partition(".")[0], sys.modules.get(cls.__module__)
        return (
            type(cls) is type
            and cls.__basicsize__ <= _Empty.__basicsize__  # else C code keeps more, as in a lock
            and self._is_user_module(package, getattr(module, "__file__", None))
            and not {"__slots__", "__init_subclass__"} & vars(cls).keys()
        )

    def _concerns(self, cell: CellType) -> bool:
        try:
            value = cell.cell_contents
        except ValueError:  # empty
            return False
        kinds = (functools.partial, MethodType, ModuleType)
        return (
            id(value) in MAKERS
            or isinstance(value, kinds)
            or self._is_of_user(value)
            or _is_instance(value)
        )

    def _is_of_user(self, value: Any) -> bool:
        """Whether a value is a function of the user: no library is looked into."""
        if not isinstance(value, FunctionType):
            return False
        return self._is_user_module(_package_of(value), value.__globals__.get("__file__"))

    def _is_user_module(self, package: str, file: str | None) -> bool:
        """Whether a module is none of a library, by the name of its package and its file."""
        installed = str(file).startswith(INSTALLED) or "-packages" in str(file)
        return package == self._package or not (package in LIBRARIES or installed)


def _is_instance(value: Any) -> bool:
    """Whether a value is an object of a class that Python code defines, and no class itself."""
    cls = type(value)
    return bool(cls.__flags__ & HEAP_TYPE) and not isinstance(value, type)


def _package_of(f: Any) -> str:
    """Return the name of the package that a function is from."""
    if isinstance(f, functools.partial):
        return _package_of(f.func)
    space = getattr(f, "__globals__", {})
    return str(space.get("__name__")).partition(".")[0]


def _filling_maker(make: Function, like: Any) -> Function:
    """Return a function that makes arrays of floats as AD arrays without derivatives."""

    def made(*args: Any, **kwargs: Any) -> Any:
        values = make(*args, **kwargs)
        if type(values) is not np.ndarray or values.dtype.kind not in "fc" or not values.ndim:
            return values
        order: Any = "F" if values.flags.fnc else "C"
        y = np.zeros(values.shape, values.dtype, order, like=like)
        if "empty" not in make.__name__ and values.any():
            y[...] = values
        return y

    return made


def _joining_maker(make: Function, like: Any) -> Function:
    """Return a function that joins AD arrays in lists."""

    def made(*args: Any, **kwargs: Any) -> Any:
        return make(*args, **({"like": like} | kwargs))

    return made
