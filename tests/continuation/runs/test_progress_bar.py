"""Progress bars without the package that draws them."""

import sys

import pytest

from sgsolve import Problem
from sgsolve.errors import InputError


@pytest.mark.parametrize("method", ["sweep", "continuation"])
def test_without_tqdm_a_bar_that_is_asked_for_is_an_error(method, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    problem = Problem(lambda x, p: x - p, params={"p": 0.0})
    values = [0.0, 1.0] if method == "sweep" else (0.0, 1.0)
    with pytest.raises(InputError, match=r'pip install "sgsolve\[progress\]"'):
        getattr(problem, method)([0.0], "p", values, progress=True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert getattr(problem, method)([0.0], "p", values).success  # without one in a terminal
