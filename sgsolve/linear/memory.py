"""The memory that is still free, and the test whether predicted factors fit into it.

The kernel ends a process that uses more memory than its control group or the machine has. No
exception is raised then. So the size of the factors is compared with the free memory before they
are computed, where a back end can predict it.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from pathlib import Path
from typing import Any

from ..errors import OutOfMemoryError

# Share of the free memory that factors may take: vectors, Jacobian and residual need the rest.
SHARE = 0.8
# Smaller factors are not compared with the free memory: it takes longer than the factorization.
WORTH_A_LOOK = 64 * 2**20
# No back end takes more than this for each entry of a full matrix. A prediction costs time, and is
# not asked for where even full factors would fit.
FULL_BYTES = 40.0
GIB = 2.0**30


def available_memory() -> float:
    """Return the bytes that this process can still allocate; infinity where the system hides it.

    On Linux the least of ``MemAvailable``, what the control groups of the process leave, and what
    the limit of its address space (``ulimit -v``) leaves. Elsewhere the free physical pages, if
    `os.sysconf` gives them.

    Returns
    -------
    float
    """
    found = [address_space_left()]
    if sys.platform == "linux":
        found += [_memory_of_linux(), _control_group_left(Path("/sys/fs/cgroup"))]
    else:
        with contextlib.suppress(AttributeError, ValueError, OSError):
            found.append(float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")))
    return max(min(found), 0.0)


def require_memory(backend: Any, name: str, n: int, nnz: int) -> None:
    """Raise if the factors that an analyzed back end predicts do not fit into the memory.

    Parameters
    ----------
    backend : Backend
        Its attribute ``predicted_bytes``, if it has one, is the size of the factors and the work
        arrays that are yet to be allocated.
    name : str
        Of the back end, for the message.
    n, nnz : int
        Unknowns and entries of the matrix, for the message.

    Raises
    ------
    OutOfMemoryError
        They take more than 80 % of the free memory.
    """
    largest = FULL_BYTES * float(n) ** 2
    noted = getattr(backend, "__dict__", {}).get("predicted_bytes", math.inf)  # costs no time
    if min(largest, noted) < WORTH_A_LOOK:
        return
    free = available_memory()
    if largest <= SHARE * free:
        return
    needed = float(getattr(backend, "predicted_bytes", 0.0))
    if needed < WORTH_A_LOOK:
        return
    if needed > SHARE * free:
        raise OutOfMemoryError(
            f"the factors of {name} would need {needed / GIB:.2f} GiB, and {free / GIB:.2f} GiB "
            f"are free ({n} unknowns, {nnz} entries); nothing was factorized"
        )


def _memory_of_linux() -> float:
    """Return the bytes that Linux can give to programs."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return float(line.split()[1]) * 1024.0
    return math.inf


def address_space_left() -> float:
    """Return the bytes that RLIMIT_AS leaves; infinity without such a limit."""
    try:
        import resource
    except ImportError:  # Windows
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return math.inf
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        return float(limit - pages * resource.getpagesize())
    return float(limit)


def _control_group_left(root: Path) -> float:
    """Return the least that the control groups of this process leave, version 2 or 1."""
    left = math.inf
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                left = min(left, _least_left(root, path, "memory.max", "memory.current"))
            elif "memory" in controllers.split(","):
                names = "memory.limit_in_bytes", "memory.usage_in_bytes"
                left = min(left, _least_left(root / "memory", path, *names))
    return left


def _least_left(root: Path, path: str, limit: str, usage: str) -> float:
    """Return the least that a group and the groups around it leave."""
    group, left = root / path.lstrip("/"), math.inf
    while True:
        with contextlib.suppress(OSError, ValueError):  # no limit: the word "max"
            allowed = int((group / limit).read_text())
            used = int((group / usage).read_text()) - _file_cache(group)
            left = min(left, float(allowed - used))
        if group == root or root not in group.parents:
            return left
        group = group.parent


def _file_cache(group: Path) -> int:
    """Return the bytes of a group that the kernel can drop: pages of files, not used lately."""
    with contextlib.suppress(OSError, ValueError):
        for line in (group / "memory.stat").read_text().splitlines():
            if line.startswith("inactive_file "):
                return int(line.split()[1])
    return 0
