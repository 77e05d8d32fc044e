"""All functions of NumPy and scipy.special: the right derivative, or a refusal; never neither."""

import inspect
import warnings

import numpy as np
import pytest
from scipy import special

from sgsolve import ad
from sgsolve.ad.drivers.function_calls import result_of
from sgsolve.errors import SgsolveError

V = np.array([0.31, 0.72, 0.58, 0.93])
M = V.reshape(2, 2) + np.eye(2)
OTHERS = [
    (), (1,), (0,), (np.array([0.5, 0.25, 0.1, 0.7]),), (np.eye(2) * 2,), ([0, 1],), (2, 1),
    (np.array([True, False, True, True]),), (np.array([1.0, 2.0]),), ((2, 2),), (0.5, 0.9),
]  # fmt: skip
# Files, settings and classes; numbers near which differences see a jump.
LEFT_OUT = {
    "save", "savez", "savez_compressed", "savetxt", "fromfile", "fromregex", "genfromtxt", "load",
    "loadtxt", "frombuffer",
    "round", "around", "bmat", "voigt_profile", "lambertw", "interp", "vectorize",
    "setbufsize", "seterr", "seterrcall", "set_printoptions", "show_config", "show_runtime", "info",
    "test", "empty_like",
}  # fmt: skip


def functions():
    for module in (np, np.linalg, np.fft, special):
        for name in sorted(dir(module)):
            f = getattr(module, name)
            if name[0] != "_" and name not in LEFT_OUT and callable(f) and not inspect.isclass(f):
                yield pytest.param(f, id=f"{module.__name__}.{name}")


def flat(result):
    if isinstance(result, (list, tuple)):
        return np.concatenate([flat(r) for r in result])
    return np.ravel(np.asarray(result))


def slopes(call, x):
    """Central differences, or None where the result has no slope to lose."""
    try:
        if flat(call(x.copy())).dtype.kind != "f":
            return None
        E = 1e-6 * np.eye(x.size).reshape(-1, *x.shape)
        columns = [(flat(call(x + e)) - flat(call(x - e))) / 2e-6 for e in E]
        J = np.array(columns).T
    except Exception:  # a call that NumPy itself refuses asks nothing
        return None
    return J if np.isfinite(J).all() and (np.abs(J) > 1e-7).any() and J.size < 400 else None


def rows(result, n):
    if isinstance(result, (list, tuple)):
        return np.concatenate([rows(r, n) for r in result])
    if isinstance(result, ad.ADArray):
        return result.jacobian.toarray()
    return np.zeros((np.size(result), n))


def named_calls(f):
    """Calls with the names of the arguments, and those of the methods of a ufunc."""
    if isinstance(f, np.ufunc):
        if f.nin == 2 and f.nout == 1:
            yield lambda u: f.reduce(u)
            yield lambda u: f.reduce(u, axis=-1, keepdims=True)
            yield lambda u: f.accumulate(u)
            yield lambda u: f.accumulate(u, axis=None)
            yield lambda u: f.reduceat(u, [0, 1])
            yield lambda u: f.outer(u, 1.1 * V)
        return
    try:
        parameters = inspect.signature(f).parameters.values()
    except (ValueError, TypeError):  # compiled, and named by NumPy 2.4 and later only
        return
    usual = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [p.name for p in parameters if p.default is p.empty and p.kind is usual]
    for others in OTHERS:
        for place in range(len(names) if len(others) == len(names) - 1 else 0):

            def call(u, others=others, place=place):
                values = (*others[:place], u, *others[place:])
                return f(**dict(zip(names, values, strict=True)))

            yield call


@pytest.mark.slow
@pytest.mark.parametrize("f", list(functions()))
def test_named_arguments_and_methods_of_ufuncs(f):
    for x in (V, M):
        for call in named_calls(f):
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                exact = slopes(call, x)
                if exact is None:
                    continue
                try:
                    result = result_of(call, ad.seed(x))
                except SgsolveError:
                    continue
            np.testing.assert_allclose(rows(result, x.size), exact, rtol=2e-4, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("f", list(functions()))
def test_right_or_refused(f):
    for x in (V, M):
        for others in OTHERS:
            for place in range(len(others) + 1):

                def call(u, others=others, place=place):
                    return f(*others[:place], u, *others[place:])

                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    exact = slopes(call, x)
                    if exact is None:
                        continue
                    try:
                        result = call(ad.seed(x))
                    except (SgsolveError, TypeError, ValueError, AttributeError):
                        continue
                np.testing.assert_allclose(rows(result, x.size), exact, rtol=2e-4, atol=2e-5)
