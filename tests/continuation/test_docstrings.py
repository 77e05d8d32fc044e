"""The examples in the docstrings are true."""

import doctest
import importlib

import pytest

from tests.selection import slow

MODULES = [
    "",
    ".results.branch",
    *slow(".problem.problem"),
    ".continuation",
    ".continuation.locating.bracket",
    ".continuation.homotopy",
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    result = doctest.testmod(importlib.import_module(f"sgsolve{name}"))
    assert result.attempted > 0
    assert result.failed == 0
