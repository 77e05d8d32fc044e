"""Names of sgsolve.ad: each class and function of a module is defined in one module only."""

import ast
from collections import defaultdict
from pathlib import Path

import sgsolve.ad

ROOT = Path(sgsolve.ad.__file__).parent


def test_no_name_stands_in_two_modules():
    where = defaultdict(set)
    for path in ROOT.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                where[node.name].add(str(path.relative_to(ROOT)))
    assert len(where) > 300
    assert not {name: sorted(paths) for name, paths in where.items() if len(paths) > 1}


def test_no_module_has_the_name_of_something_public():
    """``sgsolve.ad.name`` is either a module or a function, never the one in place of the other."""
    modules = {p.stem for p in ROOT.glob("*.py")} | {p.name for p in ROOT.iterdir() if p.is_dir()}
    assert not modules & set(sgsolve.ad.__all__)
