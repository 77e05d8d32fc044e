"""Complex values between real unknowns and real results."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem, ad
from sgsolve.ad.programs.recorded import Recorded
from sgsolve.errors import DerivativeError

N = 4
RNG = np.random.default_rng(7)
Y = RNG.normal(size=(N, N)) + 1j * RNG.normal(size=(N, N))
SPARSE = sp.csr_array(np.where(RNG.random((N, N)) < 0.6, Y, 0))
REAL = sp.csr_array(RNG.normal(size=(N, N)))
W = RNG.normal(size=N) + 1j * RNG.normal(size=N)
INDEX = np.array([0, 2, 2, 1])
X = RNG.normal(size=2 * N)


def cartesian(x):
    return x[:N] + 1j * x[N:]


def phasors(x):
    return x[:N] * np.exp(1j * x[N:])


def matrix(z):
    return z.reshape(2, 2)


# Of complex numbers z made of real unknowns.
OF_Z = {
    "abs": abs,
    "np.abs": lambda z: np.abs(z) ** 2,
    "conj": lambda z: np.conj(z) * z,
    "method": lambda z: z.conj() + z.conjugate() * 1j,
    "real, imag": lambda z: np.concatenate([z.real * z.imag, np.real(z), np.imag(z)]),
    "angle": np.angle,
    "degrees": lambda z: np.angle(z, deg=True),
    "sign": np.sign,
    "sqrt": lambda z: np.sqrt(z).real,
    "hypot": lambda z: np.hypot(z.real, z.imag),
    "where": lambda z: np.where(abs(z) > 1, z * np.conj(z), 1j),
    "select": lambda z: np.select([z.real > 0.5, z.real > 0], [abs(z), np.angle(z)], 0.0),
    "branch": lambda z: ad.branch(z.real > 0, lambda i: abs(z[i]), lambda i: z[i].imag ** 2),
    "vdot": lambda z: np.vdot(z, Y @ z),
    "vdot of a constant": lambda z: np.vdot(W, z).real,
    "vecdot": lambda z: np.vecdot(z, Y @ z),
    "einsum": lambda z: np.einsum("i,ij,j->i", np.conj(z), Y, z),
    "outer": lambda z: np.outer(z, z.conj()),
    "join": lambda z: np.concatenate([z.real, z, [1j]]),
    "join parts": lambda z: np.hstack([abs(z), z.imag, [1.0]]),
    "norm": np.linalg.norm,
    "norm 1": lambda z: np.linalg.norm(z, 1),
    "norm 3": lambda z: np.linalg.norm(z, 3),
    "norm inf": lambda z: np.linalg.norm(z, np.inf),
    "Frobenius": lambda z: np.linalg.norm(np.outer(z, z)),
    "column sums": lambda z: np.linalg.norm(np.outer(z, z), 1),
    "var": np.var,
    "std": lambda z: np.std(matrix(z), axis=0, ddof=1),
    "mean": lambda z: np.mean(z).imag,
    "prod": lambda z: np.conj(np.prod(z)),
    "cumprod": lambda z: abs(np.cumprod(z)),
    "index": lambda z: (z[INDEX] * W).conj(),
    "scatter": lambda z: (
        ad.sparsesum([ad.sparsevec(5, INDEX, z.real), ad.sparsevec(5, INDEX, z * 1j)]).imag
    ),
    "powers": lambda z: abs(z ** (1 + 2j)) + (z**3).imag,
    "functions": lambda z: abs(np.tanh(z) * np.log(z + 3)),
    "products": lambda z: matrix(z).conj().T @ matrix(z),
    "constant product": lambda z: np.abs(Y[:2, :2] @ matrix(z)),
    "inner": lambda z: np.inner(z, z.conj()),
    "determinant": lambda z: abs(np.linalg.det(matrix(z))),
    "sign of determinant": lambda z: np.linalg.slogdet(matrix(z))[0],
    "log of determinant": lambda z: np.linalg.slogdet(matrix(z))[1],
    "close to real": lambda z: np.real_if_close(z * z.conj()),
    "sort": lambda z: np.sort(z).imag,
    "elements": lambda z: abs(sum(list(z))),
}
# Of the real unknowns x themselves.
OF_X = {
    "power": lambda x: phasors(x) * np.conj(Y @ phasors(x)),
    "power, sparse": lambda x: np.conj(SPARSE @ phasors(x)) * phasors(x),
    "from the right": lambda x: np.conj(phasors(x) @ Y) * phasors(x),
    "constant imaginary part": lambda x: np.imag((Y @ x[:N]) * 1j + W),
    "conjugate of a product": lambda x: np.conj((SPARSE @ (x[:N] * x[N:])) * x[N:] * W),
    "imag of products": lambda x: np.imag((SPARSE @ (SPARSE @ x[:N])) * (1j + 2)),
    "real matrix": lambda x: ((REAL @ x[:N]) * W).real + ((REAL @ x[N:]) * 1j).imag,
    "real times complex": lambda x: (x[:N] * W).real,
    "one element": lambda x: (x[0] * 1j + x[1] * W[0]).real,
    "complex base": lambda x: np.abs((1j) ** x[:N]),
    "complex table": lambda x: np.abs(np.interp(x[:N], [-3.0, 0, 3], [1j, 2, 3 - 1j])),
}
CASES = {**{name: lambda x, f=f: f(cartesian(x)) for name, f in OF_Z.items()}, **OF_X}


def differences(f, x):
    h = 1e-5
    steps = h * np.eye(len(x))
    sides = [[np.ravel(f(x + k * e)) for k in (-2, -1, 1, 2)] for e in steps]
    return np.stack([(a - 8 * b + 8 * c - d) / (12 * h) for a, b, c, d in sides], axis=1)


@pytest.mark.parametrize("name", CASES)
def test_derivatives_by_real_unknowns(name):
    """Jacobian (at first, and compiled), jvp, vjp and pattern, against differences."""
    f = CASES[name]
    exact = differences(f, X)
    tol = 1e-8 * max(1.0, np.abs(exact).max())
    for _ in range(8):
        y = f(ad.seed(X))
        J = y.jacobian
        assert J.dtype == np.asarray(f(X)).dtype
        assert np.abs(J.toarray() - exact).max() < tol
    v = np.cos(np.arange(len(X)))
    assert np.abs(np.ravel(ad.jvp(f, X, v)[1]) - exact @ v).max() < 10 * tol
    w = np.sin(np.arange(1, y.size + 1)).reshape(y.shape)
    assert np.abs(ad.vjp(f, X, w)[1] - w.ravel() @ exact).max() < 10 * tol
    pattern = ad.sparsity_pattern(f(ad.seed_sparsity(X)))
    data = ad.jacobian_values(f(ad.seed(X)), pattern)
    assert np.abs(pattern.matrix(data).toarray() - exact).max() < tol


def by_hand(V, Ybus):
    """Derivatives of S = V conj(Y V) by magnitudes and angles (MATPOWER's Technical Note 2)."""
    I, D = Ybus @ V, np.diag(V)
    unit = np.diag(V / np.abs(V))
    by_size = D @ np.conj(Ybus @ unit) + np.diag(np.conj(I)) @ unit
    by_angle = 1j * D @ np.conj(np.diag(I) - Ybus @ D)
    return np.hstack([by_size, by_angle])


def power_flow(buses):
    """A ring with chords: loads everywhere but at bus 0, which holds 1 V at angle 0."""
    rng = np.random.default_rng(1)
    i = np.concatenate([np.arange(buses), rng.integers(0, buses, buses // 3)])
    j = (i + np.concatenate([np.ones(buses, int), np.full(buses // 3, buses // 2)])) % buses
    y = 1 / (0.01 + 0.05j * (1 + rng.random(len(i))))
    rows, cols = np.concatenate([i, j, i, j]), np.concatenate([i, j, j, i])
    values = np.concatenate([y, y, -y, -y])
    Ybus = sp.coo_array((values, (rows, cols)), shape=(buses, buses)).tocsr()
    load = -0.02 * rng.random(buses) - 0.01j * rng.random(buses)

    def residual(x):
        V = np.concatenate([[1.0 + 0j], x[: buses - 1] * np.exp(1j * x[buses - 1 :])])
        mismatch = (V * np.conj(Ybus @ V) - load)[1:]
        return np.concatenate([mismatch.real, mismatch.imag])

    return residual, Ybus, load


@pytest.mark.parametrize("buses", [3, 30])
def test_power_flow(buses):
    residual, Ybus, load = power_flow(buses)
    m = buses - 1
    start = np.concatenate([np.ones(m), np.zeros(m)])
    for k in range(8):
        x = start + 0.01 * k * np.cos(np.arange(2 * m))
        V = np.concatenate([[1.0], x[:m] * np.exp(1j * x[m:])])
        hand = by_hand(V, Ybus.toarray())[1:]
        hand = np.delete(hand, [0, buses], axis=1)
        hand = np.vstack([hand.real, hand.imag])
        J = ad.jacobian(residual, x)
        assert np.abs(J.toarray() - hand).max() <= 1e-13 * np.abs(hand).max()
    assert J.nnz == 4 * Ybus[1:, 1:].nnz
    solution = Problem(residual).solve(start).x
    V = np.concatenate([[1.0], solution[:m] * np.exp(1j * solution[m:])])
    assert np.abs((V * np.conj(Ybus @ V) - load)[1:]).max() < 1e-9


def test_circuit_with_a_wanted_amplitude():
    """A series resonant circuit: the frequency and the source that give amplitude and phase."""
    R, L, C = 50.0, 1e-3, 1e-8

    def residual(x):
        w = x[0] * 1e5
        current = x[1] / (R + 1j * w * L + 1 / (1j * w * C))
        return np.stack([abs(current) - 0.01, np.angle(current) + np.pi / 4])

    x = Problem(residual).solve([3.3, 1.0]).x
    w = x[0] * 1e5
    assert np.isclose(w * L - 1 / (w * C), R)
    assert np.isclose(x[1], 0.01 * R * np.sqrt(2))


def test_evaluations_are_recorded():
    y = CASES["power"](ad.seed(X))
    assert type(y._derivative) is Recorded
    assert type(abs(y)._derivative) is Recorded


def test_slopes_at_zero_are_those_of_real_absolute_values():
    J = ad.jacobian(lambda x: abs(x[:1] + 1j * x[1:]), [0.0, 0.0])
    assert np.array_equal(J.toarray(), [[0.0, 0.0]])
    assert J.nnz == 2


def test_the_pattern_holds_parts_that_are_zero():
    """What is real today may be complex tomorrow: the imaginary part keeps its entries."""
    J = ad.jacobian(lambda x: (x * np.ones(2, dtype=complex)).imag, [1.0, 2.0])
    assert J.nnz == 2
    assert not J.toarray().any()


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
def test_precision(dtype):
    x = np.array([0.3, -1.2], dtype=dtype)
    y = abs(ad.seed(x) * (dtype(1) + 2j * dtype(1)))
    assert y.dtype == dtype
    exact = np.sign(x) * np.sqrt(dtype(5))
    error = y.jacobian.diagonal() - exact
    assert np.abs(error).max() <= 8 * np.finfo(dtype).eps


def test_pickled_arrays_remain_of_real_unknowns():
    z = pickle.loads(pickle.dumps(cartesian(ad.seed(X))))
    np.testing.assert_allclose(
        abs(z).jacobian.toarray(), ad.jacobian(lambda x: abs(cartesian(x)), X).toarray()
    )


REFUSED = {
    "conj": np.conj, "abs": abs, "real": lambda z: z.real, "imag": np.imag, "angle": np.angle,
    "sign": np.sign, "norm": np.linalg.norm, "var": np.var, "std": np.std,
    "rint": np.rint, "vdot": lambda z: np.vdot(z, z), "degrees": lambda z: np.angle(z, deg=True),
    "log of determinant": lambda z: np.linalg.slogdet(z[:4].reshape(2, 2)),
}  # fmt: skip


@pytest.mark.parametrize("seed", [ad.seed, ad.seed_sparsity])
@pytest.mark.parametrize("name", REFUSED)
def test_complex_unknowns_have_no_such_derivative(name, seed):
    z = seed(cartesian(X))
    with pytest.raises(DerivativeError, match="complex"):
        REFUSED[name](z)


def test_mixed_unknowns_are_complex():
    z, x = ad.seed_all([1 + 1j], [2.0])
    with pytest.raises(DerivativeError, match="complex"):
        abs(z * x)
    with pytest.raises(DerivativeError, match="complex"):
        ad.jvp(lambda x: abs(x * 1j), [1.0], [1j])


def test_a_real_type_is_not_made_of_complex_numbers():
    with pytest.raises(DerivativeError, match=r"y\.real"):
        cartesian(ad.seed(X)).astype(float)


def test_a_complex_residual_is_refused():
    with pytest.raises(Exception, match="complex"):
        Problem(phasors).solve(X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[:2] + 1j * np.imag(x[2]),
        lambda x: x[:0] + 1j * np.imag(np.linalg.norm(x)),
        lambda x: 1j * x.sum().imag * x,
        lambda x: x[:2] + 1j * np.imag(x[:1]),
    ],
)
def test_the_imaginary_part_of_a_real_element_is_a_scalar_as_in_numpy(f):
    x = np.arange(1.0, 4.0, dtype=np.float32)
    assert f(ad.seed(x)).dtype == f(x).dtype


@pytest.mark.parametrize(
    "f", [lambda z, w: abs(z), lambda z, w: z * w, lambda z, w: complex(1.3, 0.7) * z]
)
def test_complex_scalars_round_as_those_of_numpy(f):
    z, w = RNG.normal(size=(2, 200)) + 1j * RNG.normal(size=(2, 200))
    x = ad.seed(np.stack([z.real, z.imag]))
    carried = [x[0, i] + 1j * x[1, i] for i in range(200)]
    given = [f(v, w[i]).value for i, v in enumerate(carried)]
    np.testing.assert_array_equal(given, [f(v, w[i]) for i, v in enumerate(z)])
    both = [f(v, carried[i - 1]).value for i, v in enumerate(carried)]
    np.testing.assert_array_equal(both, [f(v, z[i - 1]) for i, v in enumerate(z)])


@pytest.mark.parametrize("traced", [False, True])
def test_products_of_complex_scalars_are_rounded_as_numpys_scalars_are(traced):
    """NumPy multiplies complex scalars and arrays of one complex number by different loops."""
    constants = np.exp(1j * np.arange(40.0))

    def f(x):
        z = (x[0] + 1j * x[1]) * np.exp(1j * x[0])
        rows = [c * z * (z * c) + complex(c) * (z * complex(c)) for c in constants]
        return np.hstack([part for row in rows for part in (row.real, row.imag, abs(row))])

    x = np.array([0.7, -1.3])
    if traced:
        pytest.importorskip("llvmlite")
        value = ad.compiled(f, at_once=True).value_and_jacobian(x)[0]
    else:
        value = ad.value_and_jacobian(f, x)[0]
    np.testing.assert_array_equal(value, f(x))
