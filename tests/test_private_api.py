"""The inside of NumPy, SciPy and CPython is what `private_api` takes it for.

A failure here after a new release of one of them names what has moved.
"""

import ast
import contextlib
import copy
import ctypes
import importlib
import numbers
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import optimize, special
from scipy.sparse.linalg import splu

from sgsolve import private_api

MOVED = "moved or changed in this release; adapt sgsolve/private_api.py"


def test_the_module_can_be_imported():
    products = ("csr_matvec", "csc_matvec", "csr_matvecs", "csc_matvecs")
    names = [("scipy.sparse._sparsetools", name) for name in products]
    for module, name in [*names, ("numpy", "_NoValue")]:
        try:
            found = hasattr(importlib.import_module(module), name)
        except ImportError:
            found = False
        assert found, f"{module}.{name}: {MOVED}"


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_csr_matvec_and_csc_matvec_add_to_the_vector(index):
    A = sp.random_array((30, 20), density=0.2, rng=np.random.default_rng(1), format="csr")
    A.indptr, A.indices = A.indptr.astype(index), A.indices.astype(index)
    x, y = np.linspace(1.0, 2.0, 20), np.linspace(-1.0, 1.0, 30)
    expected = y + A.toarray() @ x
    private_api.add_csr_product(A, x, y)
    np.testing.assert_allclose(
        y, expected, rtol=1e-14, err_msg=f"SciPy: the arguments of csr_matvec {MOVED}"
    )
    expected = x + A.toarray().T @ y
    private_api.add_transposed_product(A, y, x)
    np.testing.assert_allclose(
        x, expected, rtol=1e-14, err_msg=f"SciPy: the arguments of csc_matvec {MOVED}"
    )


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_csr_matvecs_and_csc_matvecs_add_to_the_columns(index, order):
    A = sp.random_array((30, 20), density=0.2, rng=np.random.default_rng(2), format="csr")
    A.indptr, A.indices = A.indptr.astype(index), A.indices.astype(index)
    x = np.asarray(np.random.default_rng(3).standard_normal((20, 4)), order=order)
    y = np.linspace(-1.0, 1.0, 120).reshape(30, 4)
    expected = y + A.toarray() @ x
    private_api.add_csr_products(A, x, y)
    np.testing.assert_allclose(
        y, expected, rtol=1e-13, err_msg=f"SciPy: the arguments of csr_matvecs {MOVED}"
    )
    z = np.zeros((20, 4))
    private_api.add_transposed_products(A, np.asarray(y, order=order), z)
    expected = A.toarray().T @ y
    np.testing.assert_allclose(
        z, expected, rtol=1e-12, atol=1e-14, err_msg=f"SciPy: the arguments of csc_matvecs {MOVED}"
    )


STRICTEST = {"all": "ignore", "over": "raise", "under": "raise"}


@pytest.mark.parametrize("modes", [{"all": "ignore"}, {"all": "raise"}, STRICTEST])
def test_an_error_state_does_as_errstate_does(modes):
    state = private_api.error_states(**modes)
    what = f"NumPy: the context variable that np.errstate sets {MOVED}"
    assert isinstance(state, type), what
    outside = np.geterr()
    with np.errstate(**modes):
        expected = np.geterr()
    with private_api.quiet(), state(), np.errstate(invalid="print"), state():
        assert np.geterr() == expected, what
        with contextlib.suppress(FloatingPointError):
            np.array([1e300]) * 1e300
            assert modes.get("over", modes["all"]) == "ignore", what
    assert np.geterr() == outside, what
    with pytest.raises(KeyError), state():
        raise KeyError
    assert np.geterr() == outside, what


def test_an_error_state_is_that_of_errstate_if_numpy_keeps_it_elsewhere(monkeypatch):
    monkeypatch.setattr(private_api.contextvars, "copy_context", dict)
    state = private_api.error_states(all="ignore")
    outside = np.geterr()
    for _ in range(2):
        with state() as entered:
            assert entered is None
            assert set(np.geterr().values()) == {"ignore"}
        assert np.geterr() == outside


def test_a_csr_array_is_its_attributes():
    A = sp.csr_array(np.array([[1.0, 0.0], [2.0, 3.0]]))
    A.has_sorted_indices, A.has_canonical_format = True, True
    B = private_api.csr_with_data(A, np.array([4.0, 5.0, 6.0]))
    what = f"SciPy: the attributes of csr_array {MOVED}"
    assert type(B) is sp.csr_array, what
    assert vars(B).keys() == vars(copy.copy(A)).keys(), what
    assert B.indices is A.indices, what
    assert (B.toarray() == [[4.0, 0.0], [5.0, 6.0]]).all(), what
    assert B.shape == (2, 2), what
    assert B.has_canonical_format, what
    assert B.has_sorted_indices, what
    assert ((B @ A).toarray() == B.toarray() @ A.toarray()).all(), what
    assert (A.data == [1.0, 2.0, 3.0]).all(), what
    assert (B.T.tocsr() + A).nnz == 4, what


def test_a_csr_array_is_made_of_its_arrays():
    A = sp.csr_array(np.array([[1.0, 0.0, 0.0], [2.0, 0.0, 3.0]]))
    B = private_api.csr_of_arrays(A.data, A.indices, A.indptr, A.shape)
    what = f"SciPy: the attributes of csr_array {MOVED}"
    plain = sp.csr_array((A.data, A.indices, A.indptr), shape=A.shape)
    assert type(B) is sp.csr_array, what
    assert vars(B).keys() == vars(plain).keys(), what
    assert B.shape == (2, 3), what
    assert (B.toarray() == A.toarray()).all(), what
    assert (B.T @ [1.0, 1.0] == [3.0, 0.0, 3.0]).all(), what
    assert (B.tocsc() - A.tocsc()).nnz == 0, what


def test_references_to_an_item_are_counted():
    what = f"CPython: what sys.getrefcount counts {MOVED}"
    item = np.empty(3)
    held = [item]
    assert private_api.item_references(held) > private_api.REFERENCES_OF_LIST_ONLY, what
    del item
    assert private_api.item_references(held) == private_api.REFERENCES_OF_LIST_ONLY, what
    view = held[0][1:]
    assert private_api.item_references(held) > private_api.REFERENCES_OF_LIST_ONLY, what
    del view
    assert private_api.item_references(held) == private_api.REFERENCES_OF_LIST_ONLY, what


def test_references_to_an_attribute_are_counted():
    what = f"CPython: what sys.getrefcount counts {MOVED}"
    owner, other = private_api._Owner(), private_api._Owner()
    assert private_api.attribute_references(owner) == private_api.REFERENCES_OF_OWNER_ONLY, what
    other._memory = owner._memory
    assert private_api.attribute_references(owner) > private_api.REFERENCES_OF_OWNER_ONLY, what
    del other
    assert private_api.attribute_references(owner) == private_api.REFERENCES_OF_OWNER_ONLY, what


def test_the_calling_frame_is_the_one_of_that_depth():
    def inner():
        return [private_api.calling_frame(depth).f_code.co_name for depth in (0, 1, 2)]

    def outer():
        return inner()

    names = outer()
    assert names == ["<listcomp>", "inner", "outer"] or names[:2] == ["inner", "outer"], (
        f"CPython: sys._getframe {MOVED}"
    )


def assigner():
    global made_here
    outer = other = 0

    def inner():
        nonlocal outer
        outer, own = 1, other
        return own, lambda: own

    made_here = inner
    return outer


def test_assigned_names_are_read_from_the_code():
    what = f"CPython: the names of instructions that assign {MOVED}"
    code = assigner.__code__
    inner = next(c for c in code.co_consts if isinstance(c, type(code)))
    assert private_api.assigned_names(code, of_outer_functions=False) == ["made_here"], what
    assert private_api.assigned_names(code, of_outer_functions=True) == [], what
    assert private_api.assigned_names(inner, of_outer_functions=True) == ["outer"], what
    assert private_api.assigned_names(inner, of_outer_functions=False) == [], what


class Asked:
    """Notes whether SciPy's product is what asks for an array."""

    shape = (3,)
    __array_priority__ = 1000.0

    def __init__(self):
        self.by_product = []

    def __array__(self, dtype=None, copy=None):
        self.by_product.append(private_api.is_sparse_product(private_api.calling_frame(1)))
        return private_api.NO_ARRAY

    def __rmatmul__(self, other):
        return "ours"


class Shown:
    __array_priority__ = 1000.0
    dtype, shape, ndim, size = np.dtype(float), (3,), 1, 3

    def __array__(self, dtype=None, copy=None):
        return private_api.NO_ARRAY

    def __rmatmul__(self, other):
        return "ours"

    _value = np.zeros(3)
    __class__ = property(private_api.shown_class)


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
@pytest.mark.parametrize("make", [sp.eye_array, sp.eye])
def test_the_class_of_an_ndarray_is_shown_to_all_but_sparse_matrices(make, form, monkeypatch):
    monkeypatch.setattr(private_api, "_told_own_class", {})
    shown = Shown()
    with contextlib.suppress(Exception):  # it asks too, and is known then; the product is not
        make(3, format=form).multiply(shown)
    assert make(3, format=form) @ shown == "ours", f"SciPy: the class that a product asks {MOVED}"
    assert isinstance(shown, np.ndarray)
    assert isinstance(shown, Shown)
    assert not isinstance(shown, numbers.Number)
    assert make(3, format=form) @ shown == "ours", f"SciPy: the class that a product asks {MOVED}"


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
@pytest.mark.parametrize("make", [sp.eye_array, sp.eye])
def test_a_sparse_product_is_recognized_by_its_frame(make, form):
    asked = Asked()
    result = make(3, format=form) @ asked
    what = f"SciPy: the way of a sparse matrix to __rmatmul__ {MOVED}"
    assert result == "ours", what
    assert all(asked.by_product), what
    asked = Asked()
    np.asarray(asked)
    assert asked.by_product == [False], what


def test_numpys_reductions_take_the_mark_for_not_given():
    mark = private_api.NOT_GIVEN
    x = np.array([1.0, 2.0])
    assert np.sum(x, initial=mark, where=mark) == 3.0, f"NumPy: np._NoValue {MOVED}"


class Caught:
    """Notes the name of the ufunc that it is given to."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return ufunc.__name__


@pytest.mark.parametrize(
    ("function", "name"),
    [(special.lambertw, private_api.LAMBERTW_UFUNC), (lambda x: special.zeta(2.0, x), "_zeta")],
)
def test_scipys_functions_call_ufuncs_of_these_names(function, name):
    assert function(Caught()) == name, f"SciPy: the ufunc {name} {MOVED}"
    assert private_api.ZETA_UFUNC == "_zeta"


class Without:
    """An object that NumPy's functions have no form for."""


def test_the_error_for_arrays_of_objects_without_a_form():
    objects = np.array([[Without()]], dtype=object)
    calls = {
        "exp": lambda: np.exp(objects),
        "erf": lambda: special.erf(objects),
        "inv": lambda: np.linalg.inv(objects),
        "method of a number": lambda: (1.0).exp(),
    }
    for name, call in calls.items():
        with pytest.raises((TypeError, AttributeError)) as caught:
            call()
        found = private_api.is_without_form_for_objects(caught.value)
        assert found, f"NumPy: the error of {name} for objects, {caught.value!s}: {MOVED}"
    assert not private_api.is_without_form_for_objects(TypeError("unsupported operand type(s)"))
    assert not private_api.is_without_form_for_objects(
        AttributeError("'float' object has no attribute 'shape'")
    )


def test_the_error_for_a_number_without_an_attribute_of_arrays():
    for name, expected in (("shape", True), ("mobility", False)):
        with pytest.raises(AttributeError) as caught:
            getattr(1.0, name)
        assert private_api.is_of_array_attribute(caught.value) == expected, f"CPython: {MOVED}"


def test_the_error_of_compiled_code_for_an_argument_of_another_class():
    factors = splu(sp.csc_array(np.eye(2)))
    with pytest.raises(TypeError) as caught:
        factors.solve("text")
    assert private_api.is_of_argument(caught.value, "str"), f"CPython: {caught.value!s} {MOVED}"
    assert not private_api.is_of_argument(caught.value, "ADArray")


def test_the_error_for_a_key_that_has_no_hash():
    for use in (lambda: {[]: 1}, lambda: {[]}, lambda: [] in {1, 2}):
        with pytest.raises(TypeError) as caught:
            use()
        assert private_api.is_of_hash(caught.value, "list"), f"CPython: {caught.value!s} {MOVED}"
        assert not private_api.is_of_hash(caught.value, "ADArray")


def test_the_error_for_an_index_that_is_none():
    with pytest.raises(IndexError) as caught:
        np.zeros(3)[1.0]
    assert private_api.is_of_index(caught.value), f"NumPy: {caught.value!s} {MOVED}"
    with pytest.raises(IndexError) as caught:
        np.zeros(3)[4]
    assert not private_api.is_of_index(caught.value)


@pytest.mark.parametrize("values", [np.zeros(3), [1.0]])
def test_the_error_for_another_number_of_values(values):
    with pytest.raises(ValueError, match="unpack") as caught:
        _a, _b = values
    assert private_api.is_of_unpacking(caught.value), f"CPython: {caught.value!s} {MOVED}"
    assert not private_api.is_of_unpacking(ValueError("shapes differ"))


def test_what_a_decorated_function_wraps():
    def decorated(function):
        def wrapper():
            return private_api.wrapped_functions(private_api.calling_frame(0)), function

        return wrapper

    found, _ = decorated(len)()
    assert found == [len], f"CPython: the free variables of a frame {MOVED}"


def test_references_to_a_value_are_counted():
    class Holder:
        def __init__(self):
            self._value = np.empty(3)

    holder = Holder()
    only = private_api.REFERENCES_OF_VALUE_ONLY
    assert private_api.value_references(holder) == only, f"CPython: counts {MOVED}"
    view = holder._value[1:]
    assert private_api.value_references(holder) > only
    del view
    assert private_api.value_references(holder) == only


class Joined:
    """Notes whether it is the item that NumPy joins when NumPy asks it for an array."""

    def __array__(self, dtype=None, copy=None):
        frame = private_api.calling_frame(1)
        of_concatenator = private_api.is_concatenator(frame)
        self.is_joined = of_concatenator and private_api.joined_item(frame) is self
        return np.zeros(1)


@pytest.mark.parametrize("concatenator", [np.r_, np.c_])
def test_the_item_that_numpy_joins(concatenator):
    item, in_a_list = Joined(), Joined()
    assert concatenator[item, item].size == concatenator[[in_a_list]].size + 1 == 2
    assert item.is_joined, f"NumPy: the item of np.r_ {MOVED}"
    assert not in_a_list.is_joined


LIBRARIES = ("numpy", "scipy", "pypardiso", "mumps", "pyamg", "petsc4py", "mpi4py", "llvmlite")


def private_reaches(path):
    """Private modules and attributes of other libraries that a file uses, as written."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            library, *inside = node.module.split(".")
            names = [alias.name for alias in node.names]
            if library in LIBRARIES and any(n.startswith("_") for n in (*inside, *names)):
                found.append(f"from {node.module} import {', '.join(names)}")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            outside = node.value.id in ("np", "sp", "special", "sys", "numpy", "scipy")
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            if (outside and private) or name == "sys.getrefcount":
                found.append(name)
    return found


def test_no_other_module_uses_the_inside_of_a_library():
    root = Path(private_api.__file__).parent
    found = {str(p.relative_to(root)): private_reaches(p) for p in root.rglob("*.py")}
    assert len(found.pop("private_api.py")) >= 4
    assert not {path: reaches for path, reaches in found.items() if reaches}


def test_this_file_tests_every_reach():
    tree = ast.parse(Path(private_api.__file__).read_text(encoding="utf-8"))
    names = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    used = {
        n.attr
        for n in ast.walk(ast.parse(Path(__file__).read_text()))
        if isinstance(n, ast.Attribute)
    }
    assert len(names) >= 15
    assert {name for name in names if not name.startswith("_")} <= used


def test_petsc_says_which_options_were_read():
    PETSc = pytest.importorskip("petsc4py.PETSc", reason="no petsc4py")
    what = f"PETSc: the function PetscOptionsUsed {MOVED}"
    options = PETSc.Options()
    options.setValue("sgsolve_probe", 3)
    try:
        assert not private_api.petsc_option_used(PETSc, "sgsolve_probe"), what
        assert options.getInt("sgsolve_probe") == 3
        assert private_api.petsc_option_used(PETSc, "sgsolve_probe"), what
    finally:
        options.delValue("sgsolve_probe")


def test_superlu_reports_a_zero_pivot_by_its_text():
    with pytest.raises(RuntimeError) as caught:
        splu(sp.csc_array(np.array([[1.0, 2.0], [2.0, 4.0]])))
    what = f"SciPy: the text of SuperLU for a singular matrix {MOVED}"
    assert private_api.superlu_failure(caught.value) == "singular", what
    assert private_api.superlu_failure(RuntimeError("Malloc fails for work[].")) == "memory"
    assert private_api.superlu_failure(RuntimeError("something else")) == ""


def test_pypardiso_holds_the_library_of_mkl():
    pypardiso = pytest.importorskip("pypardiso", exc_type=ImportError)
    library, function = private_api.mkl_pardiso(pypardiso)
    what = f"pypardiso: the attribute ps.libmkl {MOVED}"
    assert callable(function), what
    assert hasattr(library, "mkl_set_num_threads_local"), what


@pytest.mark.parametrize("finder", ["brentq", "brenth", "bisect", "ridder"])
def test_root_finders_ask_for_nan_in_a_frame_that_is_known(finder):
    frames = []

    def straight(t):
        frames.append(sys._getframe(1))
        return t - 1.0

    getattr(optimize, finder)(straight, 0.0, 5.0)
    what = f"SciPy: the wrapper of the function of {finder} {MOVED}"
    assert all(map(private_api.is_of_root_finder, frames)), what


def test_python_mumps_has_its_control_parameters():
    mumps = pytest.importorskip("mumps", reason="no python-mumps")
    context = mumps.Context()
    context.analyze(sp.coo_array(np.eye(2)))
    what = f"python-mumps: the attributes of mumps_instance {MOVED}"
    for transpose, value in ((True, 0), (False, 1)):
        private_api.set_mumps_transpose(context, transpose)
        assert context.mumps_instance.icntl[9] == value, what
    A = sp.coo_array(np.eye(50) + np.ones((50, 50)))
    context.analyze(A)
    nbytes, operations = private_api.mumps_prediction(context)
    assert nbytes >= 50 * 50 * 8, what
    assert operations == pytest.approx(2.0 / 3.0 * 50**3, rel=0.3), what


def test_inner_loops_of_ufuncs():
    """They compute what the ufunc computes; the structure they are read from is NumPy's."""
    for ufunc in (np.exp, np.add, special.expit):
        loops = private_api.ufunc_loops(ufunc)
        assert [signature for signature, _, _ in loops] == list(ufunc.types), MOVED
    count, size = 7, 8
    x, y = np.linspace(0.1, 2.0, count), np.empty(count)
    _, function, data = next(k for k in private_api.ufunc_loops(np.exp) if k[0] == "d->d")
    prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)
    addresses = (ctypes.c_void_p * 2)(x.ctypes.data, y.ctypes.data)
    steps = (ctypes.c_ssize_t * 2)(size, size)
    prototype(function)(addresses, ctypes.byref(ctypes.c_ssize_t(count)), steps, data)
    np.testing.assert_array_equal(y, np.exp(x))
