"""Residuals as scientists write them: their programs hold no work that code by hand would not."""

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.programs.computation import COMPILE_AFTER

RNG = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def empty_cache():
    ad.clear_cache()


def program_of(f, x):
    """The program of the Jacobian of f, which has the derivative that differences give."""
    for _ in range(COMPILE_AFTER + 1):
        J = ad.jacobian(f, x)
    exact = [np.imag(f(x + 1e-30j * e)) / 1e-30 for e in np.eye(len(x))]
    np.testing.assert_allclose(J.toarray().T, np.reshape(exact, J.T.shape), rtol=1e-12, atol=1e-13)
    return programs_of(f, x)[-1]


def programs_of(f, x):
    graph = f(ad.seed(x))._derivative.tape.graph
    return [p for c in graph.programs.values() for p in c.programs.values()]


def column(x, plates=20, species=2):
    """Plates of a column: vectors of the species, and the temperature as one number for each."""
    X, T = x[: plates * species].reshape(plates, species), x[plates * species :]
    k, a = np.linspace(0.3, 3.0, species), np.linspace(-1.0, 1.0, species)
    rows = []
    for j in range(plates):
        vapor = k * np.exp(a * (T[j] * T[j] - 1.0)) * X[j]
        rows += [X[j] * (1.0 + T[j]) - vapor, np.hstack([np.sum(vapor) - 1.0])]
    return np.concatenate(rows)


def test_numbers_that_a_loop_reads_are_recorded_where_they_meet_arrays():
    program = program_of(column, 1.0 + 0.1 * RNG.random(60))
    assert program.plan.count < 3 * program.pattern.nnz


def test_rows_that_were_added_up_are_merged_before_they_are_spread():
    A = RNG.random((12, 12))

    def centered(x):
        c = x.reshape(5, 12)
        gain = (c @ A) * c
        return (gain - gain.mean(axis=1, keepdims=True)).ravel()

    program = program_of(centered, RNG.random(60))
    assert program.pattern.nnz == 5 * 144
    assert program.plan.count <= 3 * program.pattern.nnz  # 12 * 144 in each row when spread first


@pytest.mark.parametrize("shape", [(6, 1), (5,), (1, 5), (2, 6, 5)])
def test_a_constant_that_is_broadcast_stays_constant(shape):
    k = 1.0 + RNG.random(shape)
    program = program_of(lambda x: np.ravel(k * x.reshape(6, 5) * k), RNG.random(30))
    assert not program.graph.operations


def test_a_constant_that_is_broadcast_may_change():
    k = np.ones((4, 1))

    def f(x):
        return (x.reshape(4, 3) * k).ravel()

    for scale in (1.0, 1.0, 2.0, 3.0, 3.0):
        k[...] = scale
        np.testing.assert_array_equal(ad.jacobian(f, np.ones(12)).diagonal(), np.full(12, scale))


def test_slices_of_joined_arrays_copy_nothing():
    def fluxes(x):
        wall = np.concatenate([x[:1] ** 2, np.sin(x), x[-1:] ** 2])
        flux = wall[1:] * wall[:-1]
        return flux[1:] - flux[:-1]

    program = program_of(fluxes, RNG.random(30))
    assert "gather" not in program.source
    assert program.plan.count <= 100


@pytest.mark.parametrize("mode", ["edge", "wrap", "reflect", "symmetric"])
@pytest.mark.parametrize("width", [1, (2, 1), ((0, 2), (1, 3))])
def test_borders_are_chosen_once(mode, width, monkeypatch):
    def f(x):
        return np.ravel(np.pad(x.reshape(5, 6), width, mode=mode) ** 2)

    x = RNG.random(30)
    F, J = ad.value_and_jacobian(f, x)
    np.testing.assert_array_equal(F, f(x))
    np.testing.assert_allclose(J @ x, 2.0 * F)
    made = []
    positions = np.arange
    monkeypatch.setattr(np, "arange", lambda *args, **kw: made.append(1) or positions(*args, **kw))
    ad.jacobian(f, x)
    assert not made


@pytest.mark.parametrize("exponent", [3, -1, 0.5, 2.5, -2.0, 0, 1, np.float64(1.5)])
def test_powers_of_arrays_and_of_none(exponent):
    x = np.array([0.25, 1.0, 3.0])
    expected = exponent * x ** (exponent - 1.0)
    J = ad.jacobian(lambda u: u**exponent, x)
    np.testing.assert_allclose(J.diagonal(), expected, rtol=1e-15)
    J = ad.jacobian(lambda u: u.reshape(3, 1) ** exponent, x)
    np.testing.assert_allclose(J.diagonal(), expected, rtol=1e-15)


@pytest.mark.parametrize(
    "shapes", [((6, 1), (5,)), ((), (4,)), ((3, 1, 2), (4, 1)), ((1,), (3, 2))]
)
def test_products_that_are_broadcast(shapes):
    a, b = (int(np.prod(s)) for s in shapes)

    def f(x):
        return np.ravel(x[:a].reshape(shapes[0]) * x[a:].reshape(shapes[1]))

    program_of(f, 0.5 + RNG.random(a + b))


def test_many_nodes_are_dropped_at_the_next_evaluation(monkeypatch):
    monkeypatch.setattr("sgsolve.ad.programs.recorded.MOST_NODES", 40)
    sizes = []
    for k in range(30):
        y = ad.seed(np.ones(3))
        for j in range(5):
            y = y * float(10 * k + j)
        sizes.append(y._derivative.tape.graph.size)
    assert max(sizes) < 60


def smoothed(u, rounds):
    for _ in range(rounds):
        u = 0.5 * u + 0.25 * (np.roll(u, 1) + np.roll(u, -1))
    return u


def waves(u):
    """Two ways to the same shift meet in one sum, and another one."""
    there, back = np.roll(np.roll(u, 1), 2), np.roll(np.roll(u, 2), 1)
    return there * 0.3 + back * 0.1 + np.roll(np.roll(u * u, 2), 1)


@pytest.mark.parametrize(
    "f",
    [
        lambda v: smoothed(np.exp(v), 3) * np.array([0.47, -1.29, 0.08, -0.16]),
        lambda v: smoothed(v * v, 3) * np.array([[0.47, -1.29, 0.08, -0.16]] * 2),
        lambda v: smoothed(np.sin(v) * v, 5),
        lambda v: waves(np.exp(v)),
    ],
    ids=["exp", "square", "five", "waves"],
)
def test_a_program_has_the_bits_of_the_evaluations_before_it(f):
    """Where arrays are computed twice it adds the arrays too, not their factors."""
    for x in np.random.default_rng(0).uniform(-2.0, 2.0, (20, 4)):
        ad.clear_cache()
        first, *others = [ad.jacobian(f, x).data for _ in range(COMPILE_AFTER + 2)]
        assert all(np.array_equal(data, first) for data in others)
