"""Everything that sgsolve takes from the inside of NumPy, SciPy, CPython and linear solvers.

No other module uses a name that these libraries do not document. ``tests/test_private_api.py``
checks every function here, and its messages say what a new release has moved.
"""

from __future__ import annotations

import contextvars
import ctypes
import dis
import functools
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import CodeType, FrameType
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse._sparsetools import csc_matvec, csc_matvecs, csr_matvec, csr_matvecs

# What NumPy's reductions take for "not given".
NOT_GIVEN: Any = np._NoValue

# scipy.special.lambertw and zeta are Python functions that call ufuncs of these names.
LAMBERTW_UFUNC, ZETA_UFUNC = "_lambertw", "_zeta"

# A function of NumPy has no form for an array of objects, or calls a method that numbers lack.
_OF_OBJECTS = re.compile(
    r"dtype\('O'\)|no callable \w+ method|not supported for the input types"
    r"|object arrays are not supported|data type .*: object"
)
_OF_A_NUMBER = re.compile(r"'(?:float|int)' object has no attribute '(\w+)'")


def is_without_form_for_objects(error: Exception) -> bool:
    """Whether an error says that a function of NumPy has no form for an array of objects."""
    text = str(error)
    called = _OF_A_NUMBER.search(text)
    return bool(_OF_OBJECTS.search(text)) or (
        called is not None and isinstance(vars(np).get(called[1]), np.ufunc)
    )


def is_of_array_attribute(error: Exception) -> bool:
    """Whether an error says that a number lacks an attribute that arrays have."""
    asked = _OF_A_NUMBER.search(str(error))
    return asked is not None and hasattr(np.ndarray, asked[1])


def is_of_argument(error: Exception, kind: str) -> bool:
    """Whether an error of compiled code says that an argument must not be of a class."""
    return re.search(rf"must be .*, not {kind}", str(error)) is not None


def is_of_hash(error: Exception, kind: str) -> bool:
    """Whether an error of CPython says that an object of a class can be no key of a dictionary."""
    return str(error).startswith(("unhashable", "cannot use")) and kind in str(error)


def is_of_index(error: IndexError) -> bool:
    """Whether an error of NumPy says that an index is none."""
    return str(error).startswith("only integers")


def is_of_unpacking(error: ValueError) -> bool:
    """Whether an error of CPython says that ``u, v = x`` has another number of values."""
    return "values to unpack" in str(error)


def is_concatenator(frame: FrameType) -> bool:
    """Whether a frame is that of ``np.r_[...]`` or ``np.c_[...]``."""
    owner = frame.f_locals.get("self")
    return owner is np.r_ or owner is np.c_


def joined_item(frame: FrameType) -> Any:
    """Return the item that np.r_ or np.c_ joins next; frame is that of their ``__getitem__``."""
    return frame.f_locals.get("item")


def wrapped_functions(frame: FrameType) -> list[Any]:
    """Return what the function of a frame was given when it was defined, as a decorator is."""
    return [frame.f_locals.get(name) for name in frame.f_code.co_freevars]


def error_states(**modes: Any) -> Callable[[], AbstractContextManager[object]]:
    """Return what makes context managers that do as ``np.errstate(**modes)`` does.

    At each entry ``np.errstate`` composes a value for the context variable that all ufuncs read.
    This takes as long as several operations on small arrays. The value of the same modes is always
    the same, so these managers keep it. Give a mode for each kind of error: a kind without one
    keeps the mode that it had when the module was imported, and not that of the calling code.
    """
    outside = contextvars.copy_context()
    with np.errstate(**modes):
        inside = contextvars.copy_context()
    set_anew = [item for item in inside.items() if outside.get(item[0]) is not item[1]]
    if len(set_anew) != 1:  # another release of NumPy, which keeps it in another place
        return functools.partial(np.errstate, **modes)
    ((variable, state),) = set_anew

    class ErrorState:
        __slots__ = ("_token",)

        def __enter__(self) -> None:
            self._token = variable.set(state)

        def __exit__(self, *error: object) -> None:
            variable.reset(self._token)

    return ErrorState


# For arithmetic whose results are judged by their values: no warning, and no exception.
quiet = error_states(all="ignore")


def add_csr_product(matrix: Any, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Add the product of a CSR matrix and a vector to y, all of one dtype.

    ``matrix @ x`` calls the same kernel on an array of zeros, which costs one pass over memory for
    the zeros and one for the sum.
    """
    csr_matvec(len(y), len(x), matrix.indptr, matrix.indices, matrix.data, x, y)


def add_transposed_product(matrix: Any, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Add the product of the transpose of a CSR matrix and a vector to y, of double precision.

    The arrays of a CSR matrix are those of its transpose in CSC format. ``matrix.T`` makes an
    object of them first, which for a small matrix takes ten times as long as the product. For a
    matrix in CSC format this is the product with the matrix itself.
    """
    csc_matvec(len(y), len(x), matrix.indptr, matrix.indices, matrix.data, x, y)


def add_csr_products(matrix: Any, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Add the products of a CSR matrix and the columns of x to those of y; y is in C order."""
    rows, count = y.shape
    arrays = matrix.indptr, matrix.indices, matrix.data
    csr_matvecs(rows, len(x), count, *arrays, x.ravel(), y.reshape(-1))


def add_transposed_products(matrix: Any, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Add those of its transpose, or of a matrix in CSC format; y is in C order."""
    rows, count = y.shape
    arrays = matrix.indptr, matrix.indices, matrix.data
    csc_matvecs(rows, len(x), count, *arrays, x.ravel(), y.reshape(-1))


def csr_with_data(prototype: Any, data: NDArray[Any]) -> Any:
    """Return a ``csr_array`` with the index arrays of another one, without checking anything.

    This is what ``copy.copy`` does, in a sixth of its time.
    """
    result = object.__new__(sp.csr_array)
    attributes = result.__dict__
    attributes.update(prototype.__dict__)
    attributes["data"] = data
    return result


def csr_of_arrays(
    data: NDArray[Any], indices: NDArray[Any], indptr: NDArray[Any], shape: tuple[int, int]
) -> Any:
    """Return the ``csr_array`` of these arrays; nothing is checked.

    SciPy's constructor takes ten times as long, as long as the arithmetic of a small Jacobian.
    """
    result = csr_with_data(_EMPTY, data)
    result.indices, result.indptr, result._shape = indices, indptr, shape
    return result


_EMPTY = sp.csr_array((0, 0))


def item_references(held: list[Any]) -> int:
    """Return the number of references to the only item of a list, as this function counts them."""
    return sys.getrefcount(held[0])


# How many references the question itself makes depends on the version of the interpreter.
REFERENCES_OF_LIST_ONLY = item_references([np.empty(0)])


def attribute_references(owner: Any) -> int:
    """Return the number of references to ``owner._memory``, as this function counts them."""
    return sys.getrefcount(owner._memory)


def value_references(owner: Any) -> int:
    """Return the number of references to ``owner._value``, as this function counts them."""
    return sys.getrefcount(owner._value)


class _Owner:
    __slots__ = ("_memory", "_value")

    def __init__(self) -> None:
        self._memory = object()
        self._value = np.empty(0)


REFERENCES_OF_OWNER_ONLY = attribute_references(_Owner())
REFERENCES_OF_VALUE_ONLY = value_references(_Owner())


def calling_frame(depth: int) -> FrameType:
    """Return the frame that called the function that asks (``depth=1``), or one further out."""
    return sys._getframe(depth + 1)


def is_of_root_finder(frame: FrameType) -> bool:
    """Whether a frame asks whether a function is NaN, for ``scipy.optimize.brentq`` and the like.

    The C code of these then converts the value to a number without a look at errors. It calls the
    function once more while the error is set, and CPython fails at any place: "no attribute".
    """
    module = frame.f_globals.get("__name__")
    return frame.f_code.co_name == "f_raise" and module == "scipy.optimize._zeros_py"


def assigned_names(code: CodeType, of_outer_functions: bool) -> list[str]:
    """Return the names that code assigns or deletes: global ones, or those of outer functions.

    The bytecode tells them apart, which may change with any version of CPython.
    """
    kind = "DEREF" if of_outer_functions else "GLOBAL"
    assigning = (f"STORE_{kind}", f"DELETE_{kind}")
    names = [step.argval for step in dis.get_instructions(code) if step.opname in assigning]
    return [name for name in names if not of_outer_functions or name in code.co_freevars]


def shown_class(y: Any) -> type:
    """Return the class that ``isinstance`` is told of an array y that stands for its values.

    Code that asks for ndarrays, or for numbers, goes the way of the plain evaluation. The own
    class is told to sgsolve, and to SciPy's sparse matrices, which leave the product to
    ``y.__rmatmul__`` then. The function is the getter of a property, called by who asks; products
    with sparse matrices ask a dozen times, so it makes no further call. They also ask by
    ``np.isscalar``, whose abstract class takes twice as long where it is told another class.
    """
    frame: FrameType | None = _calling_frame(1)
    while frame is not None:
        told = _told(id(frame.f_code))
        if told:
            return type(y)
        if told is None:
            name = frame.f_globals.get("__name__", "")
            asks_for_caller = name == "abc" or frame.f_code is np.isscalar.__code__
            if not asks_for_caller and not name.startswith(("scipy.sparse", "sgsolve.")):
                break
            told = _told_own_class[id(frame.f_code)] = not asks_for_caller
            _held.append(frame.f_code)
            if told:
                return type(y)
        frame = frame.f_back
    value = getattr(y, "_value", y)  # of traced arrays it is y.value
    return type(value.value if hasattr(value, "record") else value)


_calling_frame = sys._getframe
# Which code of libraries is told the own class, and which asks for its caller (False), by its id.
# The code is held, so that its id stays its own; to compute its hash would take longer.
_told_own_class: dict[int, bool] = {}
_told = _told_own_class.get
_held: list[CodeType] = []


def is_sparse_product(frame: FrameType) -> bool:
    """Whether a frame is SciPy's ``A @ y``, which asks for an ndarray before it tries `y`."""
    return (
        frame.f_globals.get("__name__", "").startswith("scipy.sparse")
        and "matmul" in frame.f_code.co_name
    )


# An array of one object tells SciPy's sparse matrices to leave the product to the other factor.
NO_ARRAY: Any = np.array(None, dtype=object)


def mkl_pardiso(pypardiso: Any) -> tuple[Any, Any]:
    """Return the MKL library that pypardiso loaded, and its function ``pardiso``."""
    library = pypardiso.ps.libmkl
    return library, library["pardiso"]


def set_mumps_transpose(context: Any, transpose: bool) -> None:
    """Let the next solve of a context of python-mumps use A or its transpose: ICNTL(9)."""
    context.mumps_instance.icntl[9] = 0 if transpose else 1


def mumps_prediction(context: Any) -> tuple[float, float]:
    """Return bytes and operations of a factorization that a context of python-mumps has analyzed.

    INFOG(16) holds the memory in MB, RINFOG(1) the operations.
    """
    instance = context.mumps_instance
    return 1e6 * float(instance.infog[16]), float(instance.rinfog[1])


def petsc_option_used(module: Any, name: str) -> bool:
    """Return whether PETSc has read an option: PetscOptionsUsed, which petsc4py lacks until 3.20.

    ``module`` is petsc4py.PETSc, whose library is linked to that of PETSc.
    """
    used = ctypes.c_int(0)
    function = ctypes.CDLL(module.__file__).PetscOptionsUsed
    function.argtypes = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p
    function(None, name.encode(), ctypes.byref(used))
    return used.value != 0


def superlu_failure(error: RuntimeError) -> str:
    """Return "singular", "memory" or "" from the text of a RuntimeError of SciPy's ``splu``."""
    text = str(error).lower()
    if "singular" in text:
        return "singular"
    return "memory" if "alloc" in text or "memory" in text else ""


def ufunc_loops(ufunc: np.ufunc) -> list[tuple[str, int, int]]:
    """Return signature, function and data of the inner loops of a ufunc, as addresses.

    They are members of ``PyUFuncObject``, a structure of NumPy's C API. Empty where its layout is
    not the one that is known.
    """
    fields = _UfuncFields.from_address(id(ufunc) + object.__basicsize__)
    known = (ufunc.nin, ufunc.nout, ufunc.nargs, ufunc.ntypes)
    if (fields.nin, fields.nout, fields.nargs, fields.ntypes) != known:
        return []
    count = ufunc.ntypes
    if not fields.functions or not count:
        return []
    functions = (ctypes.c_void_p * count).from_address(fields.functions)
    data = (ctypes.c_void_p * count).from_address(fields.data) if fields.data else [None] * count
    return [(ufunc.types[k], functions[k] or 0, data[k] or 0) for k in range(count)]


class _UfuncFields(ctypes.Structure):
    _fields_ = (
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
        ("ntypes", ctypes.c_int),
    )
