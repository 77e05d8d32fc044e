"""Machine code on disk: where it is kept, and what is not believed."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.kernels import machine, object_cache
from sgsolve.ad.kernels.object_cache import folder, key, store_code, stored_code
from tests.ad.kernels.compiled_help import needs_llvmlite


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_code_comes_back_as_it_was_stored(cache):
    name = key(b"the text", ("llvm 20", "a processor"))
    assert stored_code(name) is None
    store_code(name, b"machine code")
    assert stored_code(name) == b"machine code"
    assert stored_code(key(b"another text", ("llvm 20", "a processor"))) is None
    assert key(b"the text", ("llvm 21", "a processor")) != name
    assert [file.name for file in cache.iterdir()] == [f"{name}.object"]  # nothing temporary


def test_damaged_code_is_none(cache):
    name = key(b"text", ())
    store_code(name, b"machine code")
    (file,) = cache.glob("*.object")
    content = file.read_bytes()
    for wrong in (content[:-1], content[:40], b"", content[:32] + b"machine cODe"):
        file.write_bytes(wrong)
        assert stored_code(name) is None
    renamed = key(b"other", ())
    file.write_bytes(content)
    file.rename(cache / f"{renamed}.object")  # the checksum holds the name
    assert stored_code(renamed) is None


@pytest.mark.skipif(os.name == "nt", reason="files have no owner by number")
def test_code_of_another_user_is_not_run_and_is_replaced(cache, monkeypatch):
    store_code("name", b"machine code")
    owner, user = os.stat(cache / "name.object").st_uid, os.getuid()
    fstat = os.fstat
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)

    def owned(uid):
        def stat(file):
            known = list(fstat(file))
            known[4] = uid
            return os.stat_result(known)

        monkeypatch.setattr(os, "fstat", stat)

    owned(owner + 1)
    assert stored_code("name") == b"machine code"
    owned(0)  # as in an image that the administrator made
    assert stored_code("name") == b"machine code"
    owned(owner + 2)
    assert stored_code("name") is None
    monkeypatch.setattr(os, "fstat", fstat)
    monkeypatch.setattr(os, "getuid", lambda: user)
    store_code("name", b"new code")
    assert stored_code("name") == b"new code"


def test_the_oldest_files_are_dropped(cache, monkeypatch):
    monkeypatch.setattr(object_cache, "MOST_FILES", 3)
    for k in range(5):
        store_code(f"{k}", b"code")
        os.utime(cache / f"{k}.object", (k, k))
    store_code("5", b"code")
    assert sorted(file.stem for file in cache.iterdir()) == ["3", "4", "5"]


def test_what_a_killed_process_left_is_dropped(cache):
    store_code("0", b"code")
    for name, age in (("old.part", 7200.0), ("new.part", 10.0)):
        (cache / name).write_bytes(b"half")
        then = (cache / "0.object").stat().st_mtime - age
        os.utime(cache / name, (then, then))
    store_code("1", b"code")
    assert sorted(f.name for f in cache.iterdir()) == ["0.object", "1.object", "new.part"]


def test_a_folder_that_cannot_be_written_is_left_alone(cache, monkeypatch):
    cache.write_text("a file in the place of the folder")
    store_code("name", b"code")
    assert stored_code("name") is None
    cache.unlink()

    def fails(source, target):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fails)
    store_code("name", b"code")
    assert not list(cache.iterdir())


@pytest.mark.parametrize("empty", [True, False])
def test_without_a_folder_nothing_is_stored(empty, monkeypatch):
    if empty:
        monkeypatch.setenv("SGSOLVE_CACHE_DIR", "")
    else:
        monkeypatch.delenv("SGSOLVE_CACHE_DIR", raising=False)
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setattr(object_cache.sys, "platform", "linux")

        def homeless():
            raise RuntimeError("no home")

        monkeypatch.setattr(Path, "home", homeless)
    assert folder() is None
    store_code("name", b"code")
    assert stored_code("name") is None


def test_the_folder_is_the_cache_folder_of_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("SGSOLVE_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(object_cache.sys, "platform", "linux")
    assert folder() == tmp_path / "sgsolve"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert folder() == tmp_path / ".cache" / "sgsolve"
    monkeypatch.setattr(object_cache.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert folder() == tmp_path / "sgsolve" / "cache"
    monkeypatch.delenv("LOCALAPPDATA")
    assert folder() is None


@needs_llvmlite
def test_a_kernel_is_loaded_instead_of_compiled_again(cache):
    x = np.linspace(0.5, 1.5, 200)

    def evaluated():
        f = ad.compiled(lambda x: np.exp(x) * x - 0.125, at_once=True)
        for _ in range(4):
            F, J = f.value_and_jacobian(x)
        assert f.stats.compiled >= 2
        return F, J

    first = evaluated()
    files = {file: file.read_bytes() for file in cache.iterdir()}
    assert files
    machine.clear()
    again = evaluated()
    assert {file: file.read_bytes() for file in cache.iterdir()} == files
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1].data, again[1].data)


@needs_llvmlite
@pytest.mark.parametrize("place", [0, 1, 2])
def test_another_processor_or_system_has_code_of_its_own(place, monkeypatch):
    """As where computers share a folder."""
    here, name = list(machine._host()), machine._key("text")
    assert here[2], "the system has no name"
    here[place] += "x"
    monkeypatch.setattr(machine, "_host", lambda: tuple(here))
    assert machine._key("text") != name


@needs_llvmlite
def test_what_runs_keeps_its_machine_code_when_all_is_dropped():
    """Code that was freed makes room for that of the next kernel."""
    x, kept = np.linspace(0.5, 1.5, 50), []
    for k in range(4):
        f = ad.compiled(lambda x, k=k: x * (k + 2.0) - 0.5 * x[::-1] / (k + x), at_once=True)
        for _ in range(3):
            f(x)
        kept.append(f)
        machine.clear()
        gc.collect()
    for k, f in enumerate(kept):
        before = f.stats.compiled
        np.testing.assert_array_equal(f(x), x * (k + 2.0) - 0.5 * x[::-1] / (k + x))
        assert f.stats.compiled == before + 1
