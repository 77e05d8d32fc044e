"""A name means one thing: no class and no function of a module has the name of another one's."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "sgsolve"


def defined():
    """Names of the classes and functions of all modules but private ones, with files."""
    places = defaultdict(list)
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(ROOT)))
    return {name: sorted(set(paths)) for name, paths in places.items()}


def test_no_name_stands_in_two_modules():
    doubles = {name: paths for name, paths in defined().items() if len(paths) > 1}
    assert doubles == {}
