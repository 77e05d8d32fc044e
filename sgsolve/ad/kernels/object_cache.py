"""Machine code on disk: to load it takes a small part of the time of compiling it.

The folder is that of the environment variable ``SGSOLVE_CACHE_DIR``, or ``sgsolve`` in the user's
cache folder; an empty variable means no cache. A file holds a checksum of its contents. What is
damaged, belongs to another user, or was made by other versions or for another processor or system,
is compiled again.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

VERSION = "2"
MOST_FILES = 1000
PART = ".part"  # a file that is being written, or whose process was killed
OLD_PART = 3600.0  # seconds


def folder() -> Path | None:
    """Return the folder of the cache; None: no cache."""
    given = os.environ.get("SGSOLVE_CACHE_DIR")
    if given is not None:
        return Path(given) if given else None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base) / "sgsolve" / "cache" if base else None
    base = os.environ.get("XDG_CACHE_HOME")
    if base:
        return Path(base) / "sgsolve"
    with suppress(RuntimeError):  # no home directory
        return Path.home() / ".cache" / "sgsolve"
    return None


def key(content: bytes, versions: tuple[Any, ...]) -> str:
    """Return the name of what is made of a content."""
    digest = hashlib.sha256(repr((VERSION, versions)).encode())
    digest.update(content)
    return digest.hexdigest()


def stored_code(name: str) -> bytes | None:
    """Return machine code of that name, if there is some that is undamaged."""
    where = folder()
    if where is None:
        return None
    try:
        with open(where / f"{name}.object", "rb") as file:
            content = file.read() if _belongs_to_user(file.fileno()) else b""
    except OSError:
        return None
    checksum, code = content[:32], content[32:]
    return code if hashlib.sha256(name.encode() + code).digest() == checksum else None


def _belongs_to_user(file: int) -> bool:
    """Whether a file is the user's, or the administrator's: code of others is not run."""
    return sys.platform == "win32" or os.fstat(file).st_uid in (0, os.getuid())


def store_code(name: str, code: bytes) -> None:
    """Store machine code under a name; a folder that cannot be written is left alone."""
    where = folder()
    if where is None:
        return
    content = hashlib.sha256(name.encode() + code).digest() + code
    with suppress(OSError):
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(PART, dir=where)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, where / f"{name}.object")  # in one step: none reads half a file
        except OSError:
            os.unlink(temporary)
            raise
        _drop_oldest(where)


def _drop_oldest(where: Path) -> None:
    for part in where.glob(f"*{PART}"):
        if time.time() - part.stat().st_mtime > OLD_PART:
            part.unlink(missing_ok=True)
    files = list(where.glob("*.object"))
    if len(files) > MOST_FILES:
        files.sort(key=lambda file: file.stat().st_mtime)
        for file in files[: len(files) - MOST_FILES]:
            file.unlink(missing_ok=True)
