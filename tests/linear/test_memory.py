"""Nothing grows: handles are released, work arrays belong to their solver."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from sgsolve.linear.pardiso import available

SCRIPT = """
import sys
import numpy as np, scipy.sparse as sp
from sgsolve import linear
from sgsolve.pattern import Pattern

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

random = np.random.default_rng(0)
def once(n):
    A = sp.random_array((n, n), density=6 / n, rng=random)
    A = sp.csr_array(A + 5 * sp.eye_array(n))
    solver = linear.make(sys.argv[1], Pattern.of(A))
    for _ in range(2):
        solver.factorize(A)
        solver.solve(np.ones(n))

for _ in range(100):
    once(200)
before = resident()
for _ in range(1000):
    once(200)
print(resident() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
@pytest.mark.parametrize("name", ["superlu", *["pardiso"] * available()])
def test_memory_is_flat_over_a_thousand_patterns(name):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name], capture_output=True, text=True, check=True
    )
    # A leaked PARDISO handle of this size holds more than 100 kB: a thousand would show.
    assert float(done.stdout) < 20.0


def test_a_dropped_solver_leaves_no_cycle():
    from sgsolve import linear
    from sgsolve.pattern import Pattern
    from tests.linear.matrices import five_point

    A = five_point(12)
    gc.collect()
    gc.disable()
    try:
        import weakref

        solver = linear.make("superlu", Pattern.of(A))
        solver.factorize(A)
        gone = weakref.ref(solver)
        del solver
        assert gone() is None
    finally:
        gc.enable()
