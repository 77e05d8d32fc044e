"""Compiled functions with lowered and machine code on disk, damaged or not, in other processes."""

import multiprocessing
import subprocess
import sys

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.kernels import machine, object_cache
from tests.ad.kernels.compiled_help import needs_llvmlite

pytestmark = needs_llvmlite
X = np.linspace(0.1, 1.0, 50)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", str(tmp_path / "cache"))
    machine.clear()
    yield tmp_path / "cache"
    machine.clear()


def evaluate():
    """Compile a function and evaluate it by its kernel."""
    machine.clear()
    f = ad.compiled(lambda x: np.exp(x) * x - 2.0, at_once=True)
    for _ in range(3):
        np.testing.assert_array_equal(f(X), np.exp(X) * X - 2.0)
    assert f.stats.compiled == 2
    return f


def state(folder):
    return {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}


def test_code_is_stored_once(folder):
    evaluate()
    before = state(folder)
    assert len(before) == 2  # lowered, and machine code
    evaluate()
    assert state(folder) == before


@pytest.mark.parametrize("damage", ["shorter", "longer", "bits", "empty", "other", "a folder"])
@pytest.mark.parametrize("which", [0, 1])
def test_what_is_damaged_is_made_again(folder, damage, which):
    evaluate()
    file = sorted(folder.iterdir())[which]
    content = file.read_bytes()
    if damage == "a folder":
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes({
            "shorter": content[:-100], "longer": content + b"x", "empty": b"",
            "other": b"\0" * 5000,
            "bits": content[:600] + bytes([content[600] ^ 1]) + content[601:],
        }[damage])  # fmt: skip
    assert object_cache.stored_code(file.stem) is None
    evaluate()
    if damage != "a folder":
        assert file.read_bytes() == content


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", str(tmp_path / "file"))
    evaluate()
    assert (tmp_path / "file").read_text() == "no folder"


PROGRAM = """
import numpy as np
from sgsolve import ad
f = ad.compiled(lambda x: np.exp(x) * x - 2.0, at_once=True)
x = np.linspace(0.1, 1.0, 50)
for _ in range(3):
    assert np.array_equal(f(x), np.exp(x) * x - 2.0)
print(f.stats.compiled)
"""


def test_another_process_loads_it(folder):
    evaluate()
    before = state(folder)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "2"
    machine_code = {f: s for f, s in state(folder).items() if f in before}
    assert machine_code == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_goes_on_with_the_kernels():
    f = evaluate()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=lambda: queue.put(np.array(f(2.0 * X))))
    process.start()
    np.testing.assert_array_equal(queue.get(timeout=30), np.exp(2.0 * X) * (2.0 * X) - 2.0)
    process.join()
    assert process.exitcode == 0
