"""A sample of `random_systems`: no root is claimed where there is none, nor missed where one is."""

import pytest

from tests.selection import slow
from tests.solvers.random_systems import VERBS, claims_a_root, misses_the_root

QUICK = ("Newton", "TrustRegion", "LevenbergMarquardt")


@pytest.mark.parametrize("verb", [*QUICK, *slow(*(verb for verb in VERBS if verb not in QUICK))])
def test_no_verb_claims_a_root_of_a_system_without_one(verb):
    assert [seed for seed in range(4) if claims_a_root(verb, seed)] == []


def test_the_default_call_finds_roots_in_any_units():
    assert [why for why in map(misses_the_root, range(20)) if why] == []
