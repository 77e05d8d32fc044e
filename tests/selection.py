"""Values of a parametrized test that are left to the slow tests."""

import pytest


def slow(*values):
    """Return the values, or the tuples of values, as parameters that are marked ``slow``."""
    rows = (value if isinstance(value, tuple) else (value,) for value in values)
    return [pytest.param(*row, marks=pytest.mark.slow) for row in rows]
