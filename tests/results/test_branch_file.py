"""Files of branches: what is no such file is refused with the reason."""

import numpy as np
import pytest

from sgsolve import Branch, CheckpointError, Problem
from sgsolve.results import branch_file


def branch():
    return Problem(lambda x, a, name="diode", f=None: x - a).sweep([0.0], "a", [1.0, 2.0])


def test_a_file_that_is_not_there():
    with pytest.raises(FileNotFoundError):
        Branch.load("no_such_file.npz")


def test_a_folder_cannot_be_read(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be read"):
        Branch.load(tmp_path)


def test_a_file_of_another_version(tmp_path):
    path = tmp_path / "branch.npz"
    branch_file.write({**branch_file.packed(vars(branch())), "format": "sgsolve branch 1"}, path)
    with pytest.raises(CheckpointError, match="no branch of this version: sgsolve branch 1"):
        Branch.load(path)


def test_a_file_that_lacks_a_part(tmp_path):
    path = tmp_path / "branch.npz"
    content = branch_file.packed(vars(branch()))
    del content["status"]
    branch_file.write(content, path)
    with pytest.raises(CheckpointError, match="no branch that sgsolve saved"):
        Branch.load(path)


def test_parameters_that_are_no_numbers_or_texts_are_left_out(tmp_path):
    path = tmp_path / "branch.npz"
    problem = Problem(lambda x, a, name, f: x - a, params={"name": "diode", "f": np.sin})
    problem.sweep([0.0], "a", [1.0, 2.0]).save(path)
    assert Branch.load(path).params == {"name": "diode"}
