"""A detector of one's own: found in every kind of run, with its declarations, saved and resumed."""

import numpy as np
import pytest

from sgsolve import Branch, Problem, SpecialPoint
from sgsolve.continuation import UnlocatedWarning
from sgsolve.continuation.columns import Column
from sgsolve.continuation.locating import detector
from sgsolve.continuation.locating.detector import Detector, Doubt, located, register_detector
from sgsolve.continuation.locating.locate import crossing
from sgsolve.continuation.stepper import Found, Point
from sgsolve.errors import InputError


class Lowest(Detector):
    """Where the first unknown has a minimum along the branch."""

    kind, marker, changes_stability = "lowest", "v", True
    columns = (Column("slope", lambda point: point.tests["lowest"] / point.tangent[-1]),)

    def measure(self, stepper, point, before):
        point.tests[self.kind] = point.tangent[0]

    def locate(self, stepper, a, b):
        ends = a.tests[self.kind], b.tests[self.kind]
        root = crossing(stepper, a, b, lambda point: point.tangent[0], 1e-12, ends)
        if root is None:
            return []
        return [Found(root.point, SpecialPoint(self.kind, root.point.p, root.point.x.copy()))]


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr(detector, "_REGISTERED", dict(detector._REGISTERED))
    register_detector("lowest", Lowest)


def valley():
    return Problem(lambda x, p: x - (p - 0.3) ** 2, params={"p": -1.0})


def test_it_is_found_in_continuation_sweep_and_diagram():
    runs = (
        valley().continuation([1.69], "p", (-1.0, 1.0), detect="lowest"),
        valley().sweep([1.69], "p", np.linspace(-1.0, 1.0, 9), detect="lowest"),
        valley().bifurcation_diagram([1.69], "p", (-1.0, 1.0), detect="lowest").branches[0],
    )
    for branch in runs:
        (point,) = branch.special_points
        assert point.kind == "lowest"
        assert point.parameter == pytest.approx(0.3, abs=1e-9)
        assert (point.marker, point.changes_stability) == ("v", True)
        assert branch["slope"] == pytest.approx(2.0 * (branch["p"] - 0.3), abs=1e-12)


def test_a_run_can_end_there_and_its_declarations_are_saved(tmp_path):
    branch = valley().continuation([1.69], "p", (-1.0, 1.0), detect="lowest", stop="lowest")
    assert branch["p"][-1] == pytest.approx(0.3, abs=1e-9)
    branch.save(tmp_path / "branch.npz")
    (point,) = Branch.load(tmp_path / "branch.npz").special_points
    assert (point.kind, point.marker, point.changes_stability) == ("lowest", "v", True)


def test_its_name_and_those_of_options_are_none_for_events():
    for kind in ("lowest", "hopf", "fold"):
        with pytest.raises(InputError, match=f"an event cannot be called '{kind}'"):
            valley().continuation([1.69], "p", events={kind: lambda x: x[0]})


def test_a_point_that_has_a_marker_keeps_it():
    one = Lowest()
    a, b = (Point(np.zeros(1), p, s=p, tests={"lowest": 1.0}) for p in (0.0, 1.0))
    for marker, shown in (("x", "v"), ("h", "h")):
        special = SpecialPoint("lowest", 0.5, np.zeros(1), marker=marker)
        one.locate = lambda *_, special=special: [Found(b, special)]
        (found,) = located(None, a, b, [one])
        assert found.special.marker == shown


class Suspicious(Lowest):
    """Certain that there is a point in the step that passes 0.3, but not where."""

    def locate(self, stepper, a, b):
        if a.tests[self.kind] < 0.0 < b.tests[self.kind]:
            b.tests[detector.STEP_DOUBT] = Doubt("it lies within the step", self.kind)
        return []


def test_a_point_that_is_certain_but_not_located_has_the_declarations_of_its_kind():
    register_detector("lowest", Suspicious)
    with pytest.warns(UnlocatedWarning):
        branch = valley().continuation([1.69], "p", (-1.0, 1.0), detect="lowest")
    (point,) = branch.special_points
    assert (point.kind, point.marker, point.changes_stability) == ("lowest", "v", True)
    assert abs(point.parameter - 0.3) <= point.uncertainty
