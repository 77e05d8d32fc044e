"""Where runs start: within the limits of their solvers, and with parameters told from options."""

import numpy as np
import pytest

from sgsolve import InputError, Problem
from sgsolve.solvers import Bounds, Newton, Positive, Robust

ROOT = Problem(lambda x, a=1.0: np.log(x) - np.log(a))
RUNS = {
    "sweep": lambda x, **options: ROOT.sweep(x, "a", [1.0, 2.0], **options),
    "continuation": lambda x, **options: ROOT.continuation(x, "a", (0.5, 2.0), **options),
    "solutions": lambda x, **options: ROOT.solutions([[2.0], x], **options),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_start_outside_the_limits_of_the_solver_is_refused(run):
    positive = Newton(limits=Positive())
    for solver in (positive, Robust(limits=(Positive(),))):
        with pytest.raises(InputError, match=r"the start is not Positive: x\[0\] = -1"):
            run([-1.0], solver=solver)
    with pytest.raises(InputError, match="the start lies outside the Bounds"):
        run([9.0], solver=Newton(limits=Bounds(0.0, 3.0)))
    assert run([1.5], solver=positive)
