"""Run a program on several ranks of MPI, with PETSc."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REASON = "PETSc is not installed; docs/start/install.md has a recipe"
MISSING = not all(importlib.util.find_spec(name) for name in ("petsc4py", "mpi4py"))
needs_petsc = pytest.mark.skipif(MISSING, reason=REASON)
needs_mpi = pytest.mark.skipif(MISSING or not shutil.which("mpiexec"), reason=REASON)


def run(program, size, *arguments):
    """Return the finished process of a program, given as text, on so many ranks."""
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    more = {"OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    launch = ["mpiexec", "-n", str(size)] if size > 1 else []
    return subprocess.run(
        [*launch, sys.executable, "-W", "error", "-c", program, *arguments],
        env=os.environ | root | more | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
