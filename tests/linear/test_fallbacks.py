"""Which back end is tried next, and what a band remembers of another pattern."""

from sgsolve.linear import fallbacks as order
from sgsolve.linear.checks.accuracy import Fault
from sgsolve.linear.methods.direct.banded import Banded
from sgsolve.linear.methods.direct.pardiso import Pardiso, available
from sgsolve.linear.methods.direct.superlu import SuperLU


class Own:
    """A back end that does not say whether its analysis reads values."""


def tried(backend, fault=Fault.BROKEN, n=10, fresh=True):
    return [type(make()) for make in order.fallbacks(backend, fault, n, fresh)]


OTHERS = [Pardiso, SuperLU] if available() else [SuperLU]


def test_an_analysis_of_other_values_comes_first():
    assert tried(Own(), fresh=False) == [Own, *OTHERS]
    assert tried(Own()) == OTHERS
    assert tried(Banded(), fresh=False) == [SuperLU]
    assert tried(SuperLU()) == []


def pivoting(backend, fault):
    return [make().pivoting for make in order.fallbacks(backend, fault, 10, True)]


def test_the_other_kind_of_pivots_comes_where_one_is_not_accurate():
    assert pivoting(SuperLU(), Fault.INACCURATE) == ["diagonal"]
    assert pivoting(SuperLU("auto"), Fault.UNDECIDED) == ["diagonal"]
    assert pivoting(SuperLU("diagonal"), Fault.INACCURATE) == ["partial"]
    assert pivoting(SuperLU(), Fault.NO_DIGITS) == []
    assert pivoting(Banded(), Fault.INACCURATE) == ["partial", "diagonal"]


def test_a_large_system_is_not_factorized_only_to_confirm():
    many = order.CONFIRM_UP_TO + 1
    assert SuperLU not in tried(Own(), Fault.NO_DIGITS, many)
    assert SuperLU in tried(Own(), Fault.NO_DIGITS, many - 1)
    assert SuperLU in tried(Own(), Fault.INACCURATE, many)
