"""All of NumPy and SciPy with an AD array in every position: right, or refused in words.

Functions, classes and methods are found by introspection, so that a new release of NumPy or SciPy
cannot drop a slope in silence. Arguments are drawn at random, by the name of the function.
"""

import importlib
import inspect
import operator
import signal
import zlib

import numpy as np
import pytest
import scipy.integrate
import scipy.interpolate
import scipy.signal
import scipy.sparse as sp
import scipy.sparse.linalg
import scipy.spatial
import scipy.stats

from sgsolve import ad
from sgsolve.ad.conversions.nested import array_of
from sgsolve.ad.drivers.function_calls import result_of
from sgsolve.errors import SgsolveError

CALLS, ATTEMPTS = 6, 60  # those that NumPy answers, and all
V = np.array([0.31, 0.72, 0.58, 0.93])
UNKNOWNS = [
    V,
    V.reshape(2, 2) + np.eye(2),
    np.array(0.37),
    np.linspace(0.2, 0.9, 8).reshape(2, 2, 2),
]
OTHERS = [
    V[::-1].copy(), np.eye(2) * 2.0, np.eye(4) + 0.1, 0, 1, 2, -1, 0.5, 0.25, [0, 1], (2, 2), "F",
    np.array([1, 0]), np.array([True, False, True, False]), np.arange(4.0), True, None, slice(0, 2),
    V + 0.2j, [V, V], sp.csr_array(np.eye(4) + 0.1), lambda v: v**2, lambda t, y: -y, (0.0, 1.0),
]  # fmt: skip
MODULES = [
    "numpy", "numpy.linalg", "numpy.fft", "numpy.ma", "numpy.lib.stride_tricks",
    "numpy.lib.array_utils", "numpy.lib.scimath", "numpy.lib.recfunctions", "numpy.polynomial",
    "numpy.polynomial.polynomial", "numpy.polynomial.chebyshev", "numpy.polynomial.legendre",
    "numpy.polynomial.hermite", "numpy.polynomial.hermite_e", "numpy.polynomial.laguerre",
    "scipy.linalg", "scipy.ndimage", "scipy.signal", "scipy.signal.windows", "scipy.integrate",
    "scipy.interpolate", "scipy.sparse", "scipy.sparse.linalg", "scipy.sparse.csgraph",
    "scipy.spatial", "scipy.spatial.distance", "scipy.stats", "scipy.optimize", "scipy.fft",
    "scipy.cluster.vq", "scipy.cluster.hierarchy", "scipy.differentiate",
]  # fmt: skip
# Files, settings, tests, pictures; results that are random, or that NumPy leaves undefined.
LEFT_OUT = {
    "save", "savez", "savez_compressed", "savetxt", "fromfile", "fromregex", "genfromtxt",
    "load", "loadtxt", "frombuffer", "bmat", "vectorize", "setbufsize", "seterr", "seterrcall",
    "set_printoptions", "printoptions", "show_config", "show_runtime", "info", "test",
    "empty_like", "errstate", "memmap", "nditer", "nested_iters", "from_dlpack", "save_npz",
    "load_npz", "fromtextfile", "mafromtxt", "ndfromtxt", "set_default_backend",
    "set_global_backend", "set_workers", "use_solver", "open_memmap",
    "clarkson_woodruff_transform", "random_array", "random", "rand", "dual_annealing",
    "differential_evolution", "shgo", "basinhopping", "direct", "brute", "interp_decomp",
    "svds", "lobpcg", "kmeans", "kmeans2", "estimate_rank", "estimate_spectral_norm",
    "bootstrap", "permutation_test", "monte_carlo_test", "power", "goodness_of_fit",
    "convex_hull_plot_2d", "delaunay_plot_2d", "voronoi_plot_2d", "dendrogram", "ConvexHull",
    "distance_transform_cdt", "common_type", "mintypecode", "rvs",
}  # fmt: skip
# NumPy gives these arrays of objects, for which it returns an operand, not a truth value.
OF_OBJECTS = {"numpy.ma.logical_and", "numpy.ma.logical_or"}


T, Y = np.arange(5.0), np.cos(np.arange(5.0))
POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.4, 0.6]])
S = sp.csr_array(np.eye(4) + 0.1)
OBJECTS = {  # of constants
    **{
        kind: lambda kind=kind: getattr(np.polynomial, kind)(V.copy())
        for kind in ("Polynomial", "Chebyshev", "Legendre", "Hermite", "HermiteE", "Laguerre")
    },
    **{
        kind: lambda kind=kind: getattr(scipy.interpolate, kind)(T, Y)
        for kind in ("CubicSpline", "PchipInterpolator", "Akima1DInterpolator", "interp1d",
                     "make_interp_spline", "UnivariateSpline", "InterpolatedUnivariateSpline",
                     "KroghInterpolator", "BarycentricInterpolator")
    },
    **{
        f"{form}_{kind}": lambda form=form, kind=kind: getattr(sp, f"{form}_{kind}")(S)
        for form in ("csr", "csc", "coo", "dia", "lil", "dok", "bsr")
        for kind in ("array", "matrix")
    },
    **{
        kind: lambda kind=kind: getattr(scipy.spatial, kind)(POINTS)
        for kind in ("KDTree", "cKDTree")
    },
    "poly1d": lambda: np.poly1d(V.copy()),
    "masked": lambda: np.ma.MaskedArray(V.copy(), [0, 1, 0, 0]),
    "matrix": lambda: np.matrix(np.eye(2) + 0.1),
    "ndarray": lambda: V.copy(),
    "recarray": lambda: np.rec.array([(1.0, 2.0)], dtype=[("a", float), ("b", float)]),
    "RegularGridInterpolator": lambda: scipy.interpolate.RegularGridInterpolator((T,), Y),
    "RectBivariateSpline": lambda: scipy.interpolate.RectBivariateSpline(T, T, np.outer(Y, Y)),
    "LinearNDInterpolator": lambda: scipy.interpolate.LinearNDInterpolator(POINTS, Y),
    "RBFInterpolator": lambda: scipy.interpolate.RBFInterpolator(POINTS, Y),
    "norm": lambda: scipy.stats.norm,
    "gamma(2)": lambda: scipy.stats.gamma(2.0),
    "poisson": lambda: scipy.stats.poisson(2.0),
    "multivariate_normal": lambda: scipy.stats.multivariate_normal([0.0, 0.0]),
    "splu": lambda: scipy.sparse.linalg.splu(S.tocsc()),
    "LinearOperator": lambda: scipy.sparse.linalg.aslinearoperator(S),
    "Rotation": lambda: scipy.spatial.transform.Rotation.from_euler("z", 0.3),
    "TransferFunction": lambda: scipy.signal.TransferFunction([1.0], [1.0, 2.0]),
    "solution": lambda: scipy.integrate.solve_ivp(
        lambda t, y: -y, (0.0, 1.0), [1.0], dense_output=True
    ).sol,
}  # fmt: skip
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow,
             operator.matmul, operator.mod, operator.floordiv, operator.iadd, operator.imul,
             operator.isub, operator.itruediv, operator.imatmul, operator.getitem]  # fmt: skip


class TooLong(BaseException):
    """No answer within two seconds."""


@pytest.fixture(autouse=True)
def _alarm(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # some methods write files

    def stop(*_):
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def functions(home):
    module = importlib.import_module(home)
    for name in sorted(getattr(module, "__all__", dir(module))):
        f = getattr(module, name, None)
        if f"{home}.{name}" in OF_OBJECTS:
            continue
        if name[0] == "_" or name in LEFT_OUT or not callable(f):
            continue
        if not (inspect.isclass(f) and issubclass(f, (BaseException, np.generic))):
            yield f"{home}.{name}", f


def called(f):
    """Return f; of a class, the values of a new object."""
    if not inspect.isclass(f):
        return f

    def values(*args):
        made = f(*args)
        if callable(made):
            return made(np.array([0.3, 0.4]))
        for name in ("coef", "c", "data", "x", "y"):
            if hasattr(made, name):
                return getattr(made, name)
        return made

    return values


def counts(f):
    """Return the least and the largest number of arguments that are worth trying."""
    if isinstance(f, np.ufunc):
        return f.nin, f.nin
    try:
        parameters = inspect.signature(f).parameters.values()
    except (ValueError, TypeError):
        return 1, 3
    usual = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    least = max(1, sum(p.default is p.empty for p in usual))
    several = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return least, max(least, min(len(usual), least + 2), 2 * several)


def flat(result):
    """Return all numbers of a result as one vector."""
    if isinstance(result, (tuple, list)):
        return np.concatenate([flat(part) for part in result]) if len(result) else np.zeros(0)
    return np.ravel(ad.value(as_one(result)))


def numeric(result):
    return flat(result).dtype.kind in "biufc"


def equal(result, other):
    return np.array_equal(flat(result), flat(other), equal_nan=True)


def rows(result, n):
    """Return the slopes of all numbers of a result."""
    if isinstance(result, (tuple, list)):
        return np.concatenate([rows(p, n) for p in result]) if len(result) else np.zeros((0, n))
    result = as_one(result)
    if isinstance(result, ad.ADArray):
        return result.jacobian.toarray()
    return np.zeros((np.size(result), n))


def as_one(result):
    """Return an array of any kind as an ndarray, or as an AD array."""
    if sp.issparse(result):
        result = result.toarray()
    return result if isinstance(result, ad.ADArray) else array_of(np.asarray(result))


def slopes(call, x):
    """Return one-sided differences to both sides; None where there are none to compare."""
    E = 1e-6 * np.eye(x.size).reshape(-1, *x.shape)
    middle = flat(call(x.copy()))
    if middle.dtype.kind not in "fc" or middle.size > 100:
        return None
    sides = [np.array([(flat(call(x + s * e)) - middle) / (s * 1e-6) for e in E]) for s in (1, -1)]
    smooth = np.allclose(*sides, rtol=1e-3, atol=1e-3) and np.abs(sides[0]).max(initial=0) < 1e4
    return 0.5 * (sides[0] + sides[1]).T if smooth else None


def fault(call, x):
    """Return what is wrong with a call; "": nothing. None: NumPy gives no answer to compare."""
    copies = x.copy(), x.copy()  # both kept: an answer with an address differs between them
    try:
        expected, again = (call(copy) for copy in copies)
        exact = slopes(call, x)
        if numeric(expected) and not equal(expected, again):
            return None
    except Exception:
        return None
    try:
        result = result_of(call, ad.seed(x))
        found = rows(result, x.size)
    except SgsolveError as error:
        return "" if len(str(error)) > 30 else f"no advice: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if numeric(expected) and numeric(result) and not equal(result, expected):
        return f"values {flat(result)[:3]} of {flat(expected)[:3]}"
    if exact is None or not np.isfinite(found).all():
        return ""
    if found.shape != exact.shape:
        return f"slopes of shape {found.shape}, not {exact.shape}"
    wrong = not np.allclose(found, exact, rtol=1e-3, atol=1e-3)
    return f"slopes {found.tolist()} of {exact.round(4).tolist()}" if wrong else ""


def faults(name, f):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    f, (least, most), answered = called(f), counts(f), 0
    for _ in range(ATTEMPTS):
        count = int(rng.integers(least, most + 1))
        place = int(rng.integers(count))
        args = [OTHERS[k] for k in rng.integers(0, len(OTHERS), count)]
        x = UNKNOWNS[int(rng.integers(len(UNKNOWNS)))]

        def call(u, args=args, place=place):
            plain = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
            return f(*plain[:place], u, *plain[place + 1 :])

        signal.setitimer(signal.ITIMER_REAL, 2.0)
        try:
            found = fault(call, x)
        except TooLong:
            return
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if found:
            args[place] = f"AD array of shape {x.shape}"
            yield f"{found}\n  {name}{tuple(args)}"
        answered += found is not None
        if answered == CALLS:
            return


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("home", MODULES)
def test_right_or_refused_in_words(home):
    with np.errstate(all="ignore"):
        found = [fault for name, f in functions(home) for fault in faults(name, f)]
    assert not found, "\n".join(found)


def methods(name):
    """Return the methods of an object, and operators with it on both sides."""
    make = OBJECTS[name]
    for method in sorted(dir(make())):
        if (
            method[0] != "_"
            and method not in LEFT_OUT
            and callable(getattr(type(make()), method, None))
        ):
            yield f"{name}.{method}", lambda *a, method=method: getattr(make(), method)(*a)
    if callable(make()):
        yield f"{name}()", lambda *a: make()(*a)
    for op in OPERATORS:
        yield f"{op.__name__}({name}, y)", lambda y, op=op: op(make(), y)
        yield f"{op.__name__}(y, {name})", lambda y, op=op: op(y, make())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OBJECTS)
def test_methods_and_operators_of_objects(name):
    with np.errstate(all="ignore"):
        found = [fault for name, f in methods(name) for fault in faults(name, f)]
    assert not found, "\n".join(found)
