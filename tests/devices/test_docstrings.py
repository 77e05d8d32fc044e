"""The examples in the docstrings of sgsolve.devices, and on their page, are true."""

import doctest
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

from sgsolve import Branch

MODULES = ["cells", "constants", "device", "generation", "grids", "mobility"]
MODULES += ["sensitivity", "small_signal", "statistics", "triangles", "__init__"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    result = doctest.testmod(
        importlib.import_module(f"sgsolve.devices.{name}".removesuffix(".__init__"))
    )
    assert result.attempted > 0
    assert result.failed == 0


def test_the_code_of_the_page_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # one example keeps a checkpoint
    page = (Path(__file__).parents[2] / "docs" / "tutorials" / "devices.md").read_text()
    names = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "devices.md", "exec"), names)
    capacitance = names["small"].capacitance(names["x"], "anode", [1e3], **names["bias"])[0]
    assert f"{capacitance:.8e}" in capsys.readouterr().out
    assert names["by"]["doping"].shape == (201,)
    kept = Branch.load(tmp_path / "night.npz")
    by_device = names["device"].sweep("anode", kept["V_anode"])
    assert np.allclose(kept.states, by_device.states, rtol=0.0, atol=1e-12)
