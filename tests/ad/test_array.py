import copy
import gc
import pickle
import threading

import numpy as np
import pytest

from sgsolve import ad

X = np.linspace(0.5, 2.0, 7)
I, J = np.arange(6), np.arange(1, 7)


def residual(x, shift=0.0):
    flux = (x[J] - x[I]) * np.exp(x[I] + shift)
    y = ad.sparsesum([ad.sparsevec(7, I, flux), ad.sparsevec(7, J, -flux)])
    return y + ad.branch(x > 1 + shift, lambda i: x[i] ** 2, lambda i: np.log(x[i]) * y[i])


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda y: pickle.loads(pickle.dumps(y))])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble, np.complex128, np.int64])
def test_copies_work_on(way, dtype):
    x = ad.seed(np.array([3, 1, 2]).astype(dtype))
    for y in (x, x[::-1] * x, np.sum(x * x), x[:0], x.reshape(3, 1) / 2, x[0]):
        z = way(y)
        assert z.dtype == y.dtype
        assert z.shape == y.shape
        np.testing.assert_array_equal(z.value, y.value)
        np.testing.assert_array_equal(z.jacobian.toarray(), y.jacobian.toarray())
        again, expected = np.sum(z * y), np.sum(y * y)
        np.testing.assert_allclose(again.jacobian.toarray(), expected.jacobian.toarray(), rtol=1e-6)


def test_sparsity_can_be_pickled():
    s = pickle.loads(pickle.dumps(residual(ad.seed_sparsity(X))))
    np.testing.assert_array_equal(
        s.sparsity.toarray(), residual(ad.seed_sparsity(X)).sparsity.toarray()
    )


def test_a_pickle_is_read_in_a_cleared_cache():
    data = pickle.dumps(residual(ad.seed(X)))
    expected = residual(ad.seed(X)).jacobian.toarray()
    ad.clear_cache()
    y = pickle.loads(data)
    np.testing.assert_array_equal(y.jacobian.toarray(), expected)


def test_old_arrays_survive_clear_cache():
    x = ad.seed(X)
    y = residual(x)
    expected = y.jacobian.toarray()
    ad.clear_cache()
    np.testing.assert_array_equal(y.jacobian.toarray(), expected)
    np.testing.assert_array_equal((y * 2.0).jacobian.toarray(), 2 * expected)
    assert residual(x).jacobian.nnz == y.jacobian.nnz


def test_arrays_are_freed_without_the_garbage_collector():
    for _ in range(5):
        residual(ad.seed(X)).jacobian
    gc.collect()
    gc.disable()
    try:
        for _ in range(30):
            residual(ad.seed(X)).jacobian
        assert gc.collect() < 30  # one reference cycle an evaluation would be several objects each
    finally:
        gc.enable()


def test_two_threads_on_one_cache():
    """Values and Jacobians of each thread are its own, whichever finds a structure first."""
    points = [X + 0.3 * k for k in range(4)]
    ad.clear_cache()
    expected = [(residual(x, 0.1), residual(ad.seed(x), 0.1).jacobian.toarray()) for x in points]
    for repeat in range(5):
        ad.clear_cache()
        wrong = []
        gate = threading.Barrier(4)

        def work(k, wrong=wrong, gate=gate, repeat=repeat):
            gate.wait()
            for _ in range(25):
                y = residual(ad.seed(points[k]), 0.1)
                same = np.array_equal(y.value, expected[k][0])
                if not (
                    same and np.allclose(y.jacobian.toarray(), expected[k][1], rtol=1e-13, atol=0)
                ):
                    wrong.append((k, repeat))
                if k == 0:
                    residual(ad.seed_sparsity(points[k])).sparsity

        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not wrong


def test_tracing_is_a_matter_of_one_thread():
    seen = []
    ready, done = threading.Event(), threading.Event()

    def trace():
        s = ad.seed_sparsity(X)
        ready.set()
        done.wait(10)
        seen.append(ad.branch(X > 99, lambda i: s[i], lambda i: s[::-1][i]).sparsity.nnz)

    thread = threading.Thread(target=trace)
    thread.start()
    ready.wait(10)
    calls = []
    ad.branch(X > 99, lambda i: calls.append(1), lambda i: X[i])
    done.set()
    thread.join()
    assert not calls
    assert seen == [13]
