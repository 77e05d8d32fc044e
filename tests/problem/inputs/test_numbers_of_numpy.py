"""Settings that are numbers of NumPy act as the same numbers of Python."""

import dataclasses

import numpy as np
import pytest

from sgsolve import Problem, solvers
from sgsolve.continuation import Arclength, Natural

KINDS = (np.float64, np.float32)


@pytest.fixture
def arch():
    return Problem(
        lambda x, load, bent: [load * np.sin(x[0]) - x[0] + bent],
        params={"load": 1.5, "bent": -1.0},
    )


def numpy_settings(cls, kind, **given):
    """The settings of a class with every number replaced by one of NumPy."""
    settings = cls(**given)
    values = {one.name: getattr(settings, one.name) for one in dataclasses.fields(cls)}
    whole = {name: np.int64(v) for name, v in values.items() if type(v) is int}
    parts = {name: kind(v) for name, v in values.items() if type(v) is float}
    return cls(**(values | whole | parts))


@pytest.mark.parametrize("kind", KINDS)
def test_curves(arch, kind):
    lengths = {"step": 0.0625, "max_step": 0.25, "min_step": 2.0**-20}
    ends = kind(-1.0), kind(1.0)
    plain = arch.continuation([-2.0], "bent", (-1.0, 1.0), steps=Arclength(**lengths))
    steps = numpy_settings(Arclength, kind, **lengths)
    branch = arch.continuation([-2.0], "bent", ends, steps=steps, keep_states=np.int64(1))
    assert branch["bent"] == pytest.approx(plain["bent"], rel=1e-6)
    short = {"step": kind(-0.0625), "max_step": kind(0.25), "max_points": np.int64(6)}
    assert len(arch.fold_curve(branch, "load", (kind(0.5), kind(3.0)), **short)) == 6
    assert len(arch.continuation([-2.0], "bent", ends, step=kind(0.5)).folds) == 2
    diagram = arch.bifurcation_diagram([-2.0], "bent", ends, step=kind(0.5), depth=np.int64(0))
    diagram.plot(np.int64(0))


@pytest.mark.parametrize("kind", KINDS)
def test_solvers_and_sweeps(arch, kind):
    presets = ("Newton", "DampedNewton", "LineSearchNewton", "TrustRegion", "PseudoTransient")
    for name in (*presets, "LevenbergMarquardt", "NewtonKrylov", "Robust", "Restarts"):
        solver = numpy_settings(getattr(solvers, name), kind)
        assert arch.solve([-2.0], solver).success, name
    steps = numpy_settings(Natural, kind)
    sweep = arch.sweep([-2.0], "bent", [kind(-1.0), kind(-0.5)], steps=steps)
    assert len(sweep) == 2
