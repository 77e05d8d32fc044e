"""Imports run one way: each package may use only those that stand before it."""

import ast
import functools
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "sgsolve"
FILES = sorted(ROOT.rglob("*.py"))

# The parts of sgsolve; each may import those before it.
ORDER = (
    "errors",
    "arrays",
    "user_warnings",
    "ranks",
    "private_api",
    "pattern",
    "norms",
    "ad",
    "linear",
    "petsc",
    "results",
    "solvers",
    "continuation",
    "bifurcation",
    "transient",
    "periodic",
    "problem",
    "distributed",
    "devices",
    "parallel",
    "scipy_like",
    "__init__",
    "__main__",
)
# The same inside sgsolve.ad.
AD = (
    "conversions",
    "structures",
    "assembly",
    "derivatives",
    "programs",
    "rules",
    "dispatch",
    "indexing",
    "ufuncs",
    "assignments",
    "operators",
    "array",
    "functions",
    "drivers",
    "kernels",
    "__init__",
)
PROGRAMS = (
    "derivative_graph",
    "tape",
    "recorded",
    "graph",
    "numpy_printer",
    "positional_calls",
    "result_memory",
    "tracing",
    "traced_arrays",
    "traced_branches",
    "program",
    "computation",
    "element_loops",
    "__init__",
)
FUNCTIONS = (
    "element_functions",
    "linear_algebra",
    "sparse_vectors",
    "along_axes",
    "vectors",
    "numpy_functions",
    "__init__",
)
# The same inside sgsolve.devices.
DEVICES = (
    "constants",
    "meshes",
    "models",
    "equations",
    "material_sources",
    "material",
    "materials",
    "solving",
    "device",
    "analyses",
    "__init__",
)
EQUATIONS = (
    "model",
    "carriers",
    "argument_checks",
    "boundaries",
    "transport",
    "balances",
    "potential_form",
    "rows",
    "time_tolerances",
    "contact_surfaces",
    "time_form",
    "__init__",
)
# The same inside sgsolve.problem: its header names them in this order.
PROBLEM = (
    *re.findall(r"\* ``(\w+)``", (ROOT / "problem" / "__init__.py").read_text()),
    "problem",
    "__init__",
)
# The same inside sgsolve.linear and sgsolve.solvers.
LINEAR = (
    "statistics",
    "memory",
    "structure",
    "methods",
    "equilibration",
    "checks",
    "prepared_matrix",
    "large_factors",
    "fallbacks",
    "fallback_driver",
    "null_basis",
    "frame",
    "gauged",
    "solver",
    "__init__",
)
SOLVERS = (
    "settings",
    "limits",
    "state",
    "steps",
    "acceptance",
    "monitor",
    "outcome",
    "method",
    "solver_protocol",
    "presets",
    "restarts",
    "kinks",
    "stages",
    "polyalgorithm",
    "__init__",
)
METHODS = ("backend", "direct", "iterative", "parallel_petsc", "choose", "__init__")
# The same inside sgsolve.continuation and sgsolve.bifurcation.
CONTINUATION = (
    "family",
    "columns",
    "stepper",
    "curve_points",
    "locating",
    "runs",
    "steppers",
    "deflation",
    "homotopy",
    "__init__",
)
BIFURCATION = (
    "spectra",
    "normal_forms",
    "branch_points",
    "folds",
    "hopf",
    "codimension_two",
    "__init__",
)
# The same inside sgsolve.ad.kernels and sgsolve.transient.
KERNELS = (
    "object_cache",
    "machine",
    "loops",
    "lowering",
    "printing",
    "running",
    "account",
    "stats",
    "trace_attempts",
    "variant",
    "variant_set",
    "numpy_warnings",
    "compiled_evaluation",
    "compiled_function",
    "member_evaluation",
    "__init__",
)
TRANSIENT = (
    "evolution",
    "sources",
    "interpolation",
    "counts",
    "dense_solution",
    "schedule",
    "currents",
    "error_weights",
    "failures",
    "starts",
    "implicit",
    "methods",
    "hidden_changes",
    "setbacks",
    "sliding_mode",
    "oscillations",
    "time_events",
    "step_plan",
    "time_restarts",
    "transient_stepper",
    "__init__",
)
# Beyond that order: derivatives use no solver and no linear algebra, linear algebra uses matrices
# only, and solvers and continuation use no AD arrays.
KEPT_APART = {
    "linear": {"ad"},
    "results": {"ad", "linear"},
    "solvers": {"ad"},
    "continuation": {"ad"},
    "bifurcation": {"ad"},
    "transient": {"ad"},
    "periodic": {"ad"},
}


def part(path: Path, root: Path = ROOT) -> str:
    inside = path.relative_to(root)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


@functools.cache
def imported(path: Path) -> set[tuple[str, ...]]:
    """Names below sgsolve that a module imports, wherever in the module, for types alone too."""
    here = path.relative_to(ROOT).with_suffix("").parts
    found: set[tuple[str, ...]] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = (*here[: len(here) - node.level], *(node.module or "").split("."))
            base = tuple(name for name in base if name)
            found |= {(*base, alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sgsolve"):
            found.add((*(node.module or "").split(".")[1:], "__init__"))
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            found |= {(*name[1:], "__init__") for name in names if name[0] == "sgsolve"}
    return found


def imports(path: Path) -> set[str]:
    """Names of the parts of sgsolve that a module imports."""
    return {name[0] for name in imported(path)}


def test_imports_run_one_way():
    for path in FILES:
        own = part(path)
        assert own in ORDER, f"{own} has no place in the order of imports"
        allowed = {*ORDER[: ORDER.index(own)], own} - KEPT_APART.get(own, set())
        wrong = imports(path) - allowed
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


@pytest.mark.parametrize(
    ("package", "order"),
    [
        ("ad", AD),
        ("ad/programs", PROGRAMS),
        ("ad/functions", FUNCTIONS),
        ("ad/kernels", KERNELS),
        ("linear", LINEAR),
        ("linear/methods", METHODS),
        ("continuation", CONTINUATION),
        ("bifurcation", BIFURCATION),
        ("solvers", SOLVERS),
        ("devices", DEVICES),
        ("devices/equations", EQUATIONS),
        ("problem", PROBLEM),
        ("transient", TRANSIENT),
    ],
)
def test_imports_inside_a_package_run_one_way(package, order):
    above = tuple(package.split("/"))
    depth = len(above)
    for path in sorted((ROOT / package).rglob("*.py")):
        own = part(path, ROOT / package)
        allowed = {*order[: order.index(own)], own}
        wrong = {name[depth] for name in imported(path) if name[:depth] == above} - allowed
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def modules() -> dict[str, Path]:
    """The files of sgsolve by the dotted names of their modules."""
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def needed(path: Path, known: dict[str, Path]) -> set[str]:
    """Names of the modules that a module imports."""
    found = set()
    for name in imported(path):
        for k in range(len(name), 0, -1):
            module = ".".join(name[:k])
            if module in known:
                found.add(module)
                break
    return found


def test_no_module_imports_itself_in_a_circle():
    known = modules()
    graph = {name: needed(path, known) - {name} for name, path in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_examples_use_front_doors_only():
    for path in (ROOT.parent / "examples").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sgsolve"):
                assert node.module.count(".") <= 1, f"{path}: {node.module}"


def test_importing_a_part_first_makes_the_whole_solver_and_imports_no_slow_library():
    """Together these libraries take longer to import than the package itself."""
    late = ["scipy.optimize", "scipy.integrate", "scipy.interpolate", "llvmlite", "matplotlib"]
    late += ["pypardiso", "petsc4py", "mpi4py"]
    code = f"""
from sgsolve.solvers import Robust
import sys, sgsolve.petsc
print([name for name in {late} if name in sys.modules])
print([stage.solver.name for stage in Robust().stages][-2:])
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT.parent, check=True)
    last = "['Restarts (TrustRegion)', 'Homotopy (fixed point)']"
    assert done.stdout.splitlines() == ["[]", last]
