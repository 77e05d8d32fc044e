"""What is left out of every run that does not ask for it by name, and a clock for tests of time."""

import gc
import os
import sys

import pytest

# Tests run side by side: the threads of BLAS and PARDISO would wait for each other's cores. This
# stands before NumPy is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")


class Clock:
    """A clock that moves only when a test says so: `clock()` is the time in seconds."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    """The clock of sgsolve during a test; the load of the machine does not matter then."""
    made = Clock()
    for name, module in list(sys.modules.items()):
        for function in ("perf_counter", "computing_time"):
            if name.startswith("sgsolve") and function in vars(module):
                monkeypatch.setattr(module, function, made)
    return made


def pytest_collection_finish():
    """Leave modules and collected tests out of garbage collection: they last as long as the run.

    Each full collection would visit them all; that was 10 to 20 % of the time of the quick tests.
    """
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config, items):
    """Deselect the checks of hours, unless ``-m million`` asks for them."""
    if "million" in config.option.markexpr:
        return
    kept, left = [], []
    for item in items:
        (kept if item.get_closest_marker("million") is None else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept
