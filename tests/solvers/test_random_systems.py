"""A sample of `random_systems`: no root is claimed where there is none, nor missed where one is."""

import pytest

from tests.selection import slow
from tests.solvers.random_systems import VERBS, claims_a_root, contradictory, misses_the_root

QUICK = ("Newton", "TrustRegion", "LevenbergMarquardt")


@pytest.mark.parametrize("verb", [*QUICK, *slow(*(verb for verb in VERBS if verb not in QUICK))])
def test_no_verb_claims_a_root_of_a_system_without_one(verb):
    assert [seed for seed in range(4) if claims_a_root(verb, seed)] == []


# of these, terms grew by pseudo-transient steps to where rounding hides the constants
@pytest.mark.parametrize("seed", [5, *slow(8, 12, 19, 58, 75, 162, 209, 246, 261, 266)])
@pytest.mark.parametrize("verb", ["PseudoTransient", *slow("default")])
def test_equations_that_contradict_each_other_are_not_solved(verb, seed):
    assert not claims_a_root(verb, seed, contradictory)


def test_the_default_call_finds_roots_in_any_units():
    assert [why for why in map(misses_the_root, range(20)) if why] == []
