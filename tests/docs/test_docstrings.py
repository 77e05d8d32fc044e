"""Docstrings of public names: numpydoc's rules, errors, See Also, examples that can be pasted."""

import ast
import builtins
import doctest
import importlib
import inspect
import textwrap

import pytest

from tests.docs.public import names

pytest.importorskip("numpydoc", reason="pip install '.[docs]'")
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

from sgsolve.devices import Constants, Material

# Not demanded: an extended summary, capitals and periods of fragments, type of a lone result.
NOT_DEMANDED = {"ES01", "SA04", "RT02", "RT04"}
# Demanded by the tests below, which count base classes, and only where the section serves.
BELOW = {"PR01", "EX01", "SA01"}
WITH_METHODS = ("sgsolve.Problem", "sgsolve.devices.Device")


def resolve(full):
    """Public object of a full name: in a module, or a method of a class there."""
    parts = full.split(".")
    for k in range(len(parts) - 1, 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:k]))
        except ModuleNotFoundError:
            continue
        for part in parts[k:]:
            value = getattr(value, part)
        return value
    raise AssertionError(full)


def methods():
    """Full names of the public methods of the main classes."""
    for full in WITH_METHODS:
        for name, value in vars(resolve(full)).items():
            if inspect.isfunction(value) and not name.startswith("_"):
                yield f"{full}.{name}"


def is_error(value):
    """Whether an object is an exception or a warning."""
    return inspect.isclass(value) and issubclass(value, BaseException)


def is_called(value):
    """Whether users call an object: errors and warnings are caught, interfaces are written."""
    return callable(value) and not is_error(value) and not getattr(value, "_is_protocol", False)


VALUES = (Constants, Material)  # their instances are no definitions
NAMES = [n for n in names() if not isinstance(resolve(n), VALUES)]
ALL = [*NAMES, *methods()]
CALLED = [n for n in ALL if is_called(resolve(n))]


def section(value, name):
    """Section of the docstring of an object."""
    return NumpyDocString(inspect.getdoc(value) or "")[name]


def complaints(check, full_names):
    """What a check finds wrong, by the full names of what it is asked about."""
    return {full: found for full in full_names if (found := check(full))}


def test_numpydoc_accepts_every_docstring():
    def errors(full):
        return [e for e in validate(full)["errors"] if e[0] not in NOT_DEMANDED | BELOW]

    assert complaints(errors, ALL) == {}


def test_every_parameter_is_described():
    assert complaints(undescribed, CALLED) == {}


def undescribed(full):
    """Parameters of a public object that its docstring does not describe."""
    value = resolve(full)
    if not inspect.isclass(value):
        documented = names_of(section(value, "Parameters"))
    else:
        classes = [c for c in inspect.getmro(value) if c.__module__.startswith("sgsolve")]
        sections = [section(c, s) for c in classes for s in ("Parameters", "Attributes")]
        documented = set().union(*map(names_of, sections))
        if full == "sgsolve.Status":  # members of an Enum are not made by users
            return set()
        if full == "sgsolve.ad.ADArray":
            documented |= {"derivative"}  # `seed` makes it
    signature = inspect.signature(value).parameters
    wanted = {n for n in signature if not n.startswith("_")} - {"self"}
    return wanted - documented


def names_of(entries):
    """Names of the parameters in a section, without stars."""
    return {n.strip().lstrip("*") for entry in entries for n in entry.name.split(",")}


def test_errors_that_a_function_raises_itself_are_listed():
    assert complaints(unlisted, CALLED) == {}


def unlisted(full):
    """Errors that a function raises itself and that its docstring does not list."""
    value = resolve(full)
    if inspect.isclass(value):
        code = [m for m in (vars(value).get("__init__"), vars(value).get("__post_init__")) if m]
        code = [m for m in code if getattr(m, "__code__", None) and m.__module__ != "builtins"]
    else:
        code = [value]
    raised = set().union(*map(raised_by, code)) - {"KeyboardInterrupt", "StopIteration"}
    listed = " ".join(entry.type + entry.name for entry in section(value, "Raises"))
    return [name for name in raised if name not in listed]


def raised_by(function):
    """Names of the errors in the ``raise`` statements of a function."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except OSError:  # written by a dataclass
        return set()
    raises = [n.exc for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Raise)]
    calls = [e.func for e in raises if isinstance(e, ast.Call)]
    return {c.id for c in calls if isinstance(c, ast.Name) and c.id[0].isupper()}


def test_see_also_and_an_example():
    def missing(full):
        doc = NumpyDocString(inspect.getdoc(resolve(full)) or "")
        shown = {"See Also": doc["See Also"], "Examples": ">>>" in "\n".join(doc["Examples"])}
        return [name for name, there in shown.items() if not there]

    assert complaints(missing, CALLED) == {}


def test_an_example_can_be_pasted():
    assert complaints(unknown_names, ALL) == {}


def unknown_names(full):
    """Names that the examples of a docstring use and do not make."""
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(resolve(full)) or "")
    unknown = set()
    known = set(dir(builtins))
    for example in examples:
        tree = ast.parse(example.source)
        bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and stores(n)}
        bound |= {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)}
        bound |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
        bound |= {n.name for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler) and n.name}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                bound |= {(a.asname or a.name).split(".")[0] for a in node.names}
        known |= bound
        used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not stores(n)}
        unknown |= used - known
    return unknown


def stores(node):
    """Whether a name is assigned to."""
    return not isinstance(node.ctx, ast.Load)


def test_what_is_missing_is_found():
    def bad(a, *b):
        """Return a.

        Parameters
        ----------
        a, *b : int
            Numbers.
        """
        raise ValueError(a)

    assert raised_by(bad) == {"ValueError"}
    assert not section(bad, "Raises")
    assert names_of(section(bad, "Parameters")) == {"a", "b"}
