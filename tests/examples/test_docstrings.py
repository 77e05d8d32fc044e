"""The examples in the docstrings of the shared physics, and on its page, are true."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

MODULES = ["cells", "constants", "device", "generation", "grids", "mobility"]
MODULES += ["report", "sensitivity", "small_signal", "statistics", "triangles"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    result = doctest.testmod(importlib.import_module(f"physics.{name}"))
    assert result.attempted > 0
    assert result.failed == 0


def test_the_code_of_the_page_runs(capsys):
    page = (Path(__file__).parents[2] / "docs" / "devices.md").read_text()
    names = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "devices.md", "exec"), names)
    capacitance = names["small"].capacitance(names["x"], "anode", [1e3], **names["bias"])[0]
    assert f"{capacitance:.8e}" in capsys.readouterr().out
    assert names["by"]["doping"].shape == (201,)
