"""What flags mean for NumPy's warnings: beside those of values, the flags of all other calls."""

import numpy as np
import pytest

from sgsolve.ad.kernels.numpy_warnings import NOTABLE, WARNED, is_warned
from sgsolve.ad.kernels.printing.kernel_result import SHIFT_OF_VALUES


@pytest.mark.parametrize("kind", sorted(WARNED))
def test_flags_warn_where_numpy_does(kind):
    others = sum(WARNED.values()) - WARNED[kind]
    with np.errstate(all="ignore"):
        assert not is_warned(sum(WARNED.values()))
        with np.errstate(**{kind: "raise"}):
            assert is_warned(WARNED[kind])
            assert is_warned(WARNED[kind] << SHIFT_OF_VALUES)
            assert not is_warned(others)
    assert WARNED[kind] & NOTABLE


def test_no_flag_warns_of_nothing():
    with np.errstate(all="warn"):
        assert not is_warned(0)
