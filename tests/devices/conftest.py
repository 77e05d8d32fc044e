"""Reference tables and the constants that they were computed with."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def reference():
    """Columns of a table in tests/data, by name; the first line names them."""

    def load(name):
        path = ROOT / "tests" / "data" / f"{name}.csv"
        with path.open() as file:
            names = file.readline().strip().split(",")
        return dict(zip(names, np.loadtxt(path, delimiter=",", skiprows=1).T, strict=True))

    return load


@pytest.fixture(scope="session")
def old_constants():
    """The constants that the reference curves were computed with."""
    from sgsolve.devices import Constants

    return Constants(q=1.6e-19, k=1.3806503e-23, eps0=8.85e-14)
