"""Machine code on disk: what is damaged, foreign or cannot be written is compiled again."""

import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.kernels import machine, object_cache
from tests.ad.compiled_help import needs_llvmlite

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


def test_machine_code_is_stored_once(folder):
    evaluate()
    (file,) = folder.iterdir()
    before = file.read_bytes(), file.stat().st_mtime_ns
    evaluate()
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert list(folder.iterdir()) == [file]


@pytest.mark.parametrize("damage", ["shorter", "longer", "bits", "empty", "other", "a folder"])
def test_what_is_damaged_is_compiled_again(folder, damage):
    evaluate()
    (file,) = folder.iterdir()
    content = file.read_bytes()
    if damage == "a folder":
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes({
            "shorter": content[:-100], "longer": content + b"x", "empty": b"", "other": b"\0" * 5000,
            "bits": content[:600] + bytes([content[600] ^ 1]) + content[601:],
        }[damage])  # fmt: skip
    assert object_cache.stored_code(file.stem) is None
    evaluate()
    if damage != "a folder":
        assert file.read_bytes() == content


def test_code_under_another_name_is_not_taken(folder):
    evaluate()
    (file,) = folder.iterdir()
    file.rename(folder / ("0" * 64 + ".object"))
    assert object_cache.stored_code("0" * 64) is None


def test_code_for_another_processor_has_another_name():
    assert object_cache.key("text", (1, "cpu")) != object_cache.key("text", (1, "other"))
    assert object_cache.key("text", (1, "cpu")) != object_cache.key("texts", (1, "cpu"))


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", str(tmp_path / "file"))
    evaluate()
    assert (tmp_path / "file").read_text() == "no folder"


def test_no_cache_at_all(monkeypatch):
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", "")
    assert object_cache.folder() is None
    evaluate()


def test_the_folder_of_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("SGSOLVE_CACHE_DIR", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert object_cache.folder() == tmp_path / "sgsolve"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert object_cache.folder().parts[-2:] == (".cache", "sgsolve")


def test_the_number_of_files_is_bounded(folder, monkeypatch):
    monkeypatch.setattr(object_cache, "MOST_FILES", 3)
    for k in range(6):
        object_cache.store_code(object_cache.key(str(k), ()), b"code")
        os.utime(folder / f"{object_cache.key(str(k), ())}.object", (k, k))
    assert len(list(folder.iterdir())) == 3


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
    (file,) = folder.iterdir()
    before = file.stat().st_mtime_ns
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "2"
    assert file.stat().st_mtime_ns == before


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
