"""A name means one thing: no class, function or file has the name of another module's."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import sgsolve

ROOT = Path(sgsolve.__file__).resolve().parent
FILES = sorted(ROOT.rglob("*.py"))

# A method of `Problem` and the result that it returns.
SAME_THING = {"bifurcation_diagram", "periodic_orbit"}


def defined():
    """Names of the classes and functions of all modules, with their files."""
    places = defaultdict(list)
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                places[node.name].append(str(path.relative_to(ROOT)))
    return {name: sorted(set(paths)) for name, paths in places.items()}


def test_no_class_and_no_function_stands_in_two_modules():
    names = defined()
    assert len(names) > 1500
    doubles = {name: paths for name, paths in names.items() if len(paths) > 1}
    doubles.pop("__getattr__", None)  # of modules
    assert doubles == {}


def test_no_file_has_the_name_of_another_one():
    places = defaultdict(list)
    for path in FILES:
        if not path.stem.startswith("__"):
            places[path.stem].append(str(path.relative_to(ROOT)))
    doubles = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert doubles.keys() == SAME_THING


def test_the_folders_of_the_tests_are_those_of_the_packages():
    tests = Path(__file__).parent
    packages = {path.parent.relative_to(ROOT) for path in FILES}
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    assert packages - folders == set()
    assert {str(folder) for folder in folders - packages} == {"docs", "examples"}


def test_the_header_of_the_largest_package_names_all_its_parts():
    folder = ROOT / "problem"
    parts = {path.stem for path in folder.iterdir() if not path.name.startswith("__")}
    assert parts == {"problem", *re.findall(r"\* ``(\w+)``", sgsolve.problem.__doc__)}
