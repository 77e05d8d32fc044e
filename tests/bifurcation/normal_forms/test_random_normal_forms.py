"""A sample of `random_normal_forms`: places and coefficients to 1e-8."""

import pytest

from tests.bifurcation.random_normal_forms import KINDS, differences
from tests.selection import slow

QUICK = ("transcritical", "pitchfork", "hopf")


@pytest.mark.parametrize("kind", [*QUICK, *slow(*(kind for kind in KINDS if kind not in QUICK))])
def test_what_is_found_is_what_is_known(kind):
    assert differences(kind, 0) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_more_of_each_kind(kind, seed):
    assert differences(kind, seed) == []
