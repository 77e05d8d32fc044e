"""Zeros of test functions between two points, where some of the points cannot be had."""

import numpy as np
import pytest

from sgsolve.continuation.curve_points.metric import start_metric
from sgsolve.continuation.family import linearized, second_derivative
from sgsolve.continuation.locating.approximate_points import unlocated
from sgsolve.continuation.locating.bracket import LostError, bracketed_root
from sgsolve.continuation.locating.events import Event
from sgsolve.continuation.locating.locate import crossing
from sgsolve.continuation.stepper import Point
from sgsolve.errors import LinearSolveError

A, B = Point(np.array([0.0]), 0.0, s=0.0), Point(np.array([1.0]), 1.0, s=1.0)


class Chord:
    """Points on the straight line, but for those in a gap."""

    def __init__(self, gap=(2.0, 2.0)):
        self.gap = gap

    def between(self, a, b, t):
        if self.gap[0] < t < self.gap[1]:
            return None
        return Point(a.x + t * (b.x - a.x), a.p + t * (b.p - a.p), s=a.s + t * (b.s - a.s))


def test_a_zero_is_located_to_the_tolerance():
    root = crossing(Chord(), A, B, lambda point: point.p**3 - 0.3, 1e-12)
    assert root.exact
    assert root.t == pytest.approx(0.3 ** (1 / 3), abs=1e-11)
    assert root.point.p == root.t


def test_without_a_change_of_sign_there_is_no_zero():
    assert crossing(Chord(), A, B, lambda point: point.p + 1.0, 1e-12) is None


@pytest.mark.parametrize("lost", ["no point", "NaN", "singular"])
def test_a_zero_within_a_gap_is_bracketed_by_its_ends(lost):
    def test(point):
        if 0.4 < point.p < 0.6 and lost == "NaN":
            return np.nan
        if 0.4 < point.p < 0.6 and lost == "singular":
            raise LinearSolveError("singular")
        return point.p - 0.5

    root = crossing(Chord((0.4, 0.6) if lost == "no point" else (2.0, 2.0)), A, B, test, 1e-12)
    assert not root.exact
    low, high = sorted((root.point.p, root.other.p))
    assert 0.3 < low <= 0.4
    assert 0.6 <= high < 0.7


def test_an_event_within_a_gap_is_approximate():
    event = Event("half", lambda x, p: p - 0.5)
    a, b = (Point(point.x, point.p, s=point.s) for point in (A, B))
    for point in (a, b):
        event.measure(None, point, None)
    (found,) = event.locate(Chord((0.4, 0.6)), a, b)
    assert abs(found.special.parameter - 0.5) <= found.special.uncertainty
    assert "half" in unlocated([found.special])
    assert unlocated([]) == ""


def test_events_of_one_direction():
    for direction, count in ((1.0, 1), (-1.0, 0), (0.0, 1)):
        event = Event("half", lambda x, p: p - 0.5, direction=direction)
        a, b = (Point(point.x, point.p, s=point.s) for point in (A, B))
        for point in (a, b):
            event.measure(None, point, None)
        assert len(event.locate(Chord(), a, b)) == count


def test_a_search_that_finds_no_place_to_try_ends():
    def test(t):
        raise LostError

    assert bracketed_root(test, {0.0: -1.0, 1.0: 2.0}, 1e-12) == (0.0, 1.0)


class Family:
    """F = x^2 - p, undefined for x below -1."""

    n = 1

    def linearize(self, x, p):
        if x[0] < -1.0:
            raise ZeroDivisionError
        return x**2 - p, np.array([[2.0 * x[0]]]), np.array([-1.0])


def test_second_derivatives_are_those_of_the_formula():
    """w . [J Fp] v = 2 x w v_x - w v_p, whose gradient over (x, p) is (2 w v_x, 0)."""
    import scipy.sparse as sp

    class Sparse(Family):
        def linearize(self, x, p):
            F, J, Fp = super().linearize(x, p)
            return F, sp.csr_array(J), Fp

    at = linearized(Sparse(), np.array([0.7, 0.2]))
    w, v = np.array([3.0]), np.array([0.5, -2.0])
    np.testing.assert_allclose(second_derivative(Sparse(), at, w, v), [3.0, 0.0], atol=1e-8)
    assert second_derivative(Sparse(), at, w, np.zeros(2)).tolist() == [0.0, 0.0]
    assert second_derivative(Sparse(), at, w, v, h=10.0) is None  # one end is outside the model
    assert linearized(Sparse(), np.array([-2.0, 0.0])) is None


def test_a_block_that_is_zero_but_for_errors_has_the_unit_one():
    z = np.array([1e-20, 2e-20, 1e6, 2e6, 1.0])
    scale = np.array([2e-20, 2e-20, 2e6, 2e6])
    tangent = np.array([1.0, 1.0, 1e6, 1e6, 1.0])
    plain = start_metric(z, tangent, np.array([1.0, 1.0, 2e6, 2e6]))
    error = np.array([1e-20, 1e-20, 1.0, 1.0])
    np.testing.assert_allclose(start_metric(z, tangent, scale, error=error).weights, plain.weights)
