"""Write the pages of the reference from the public names, and resolve short names in docstrings.

One page per public module lists its names in groups; ``autosummary`` writes one page per name.
The pages lie in ``docs/reference/api`` and are not under version control.
"""

from __future__ import annotations

import inspect
import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import public_names
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

FOLDER = "reference/api"


def module_page(module: Any) -> str:
    """Text of the page of one public module."""
    title = module.__name__
    lines = [title, "=" * len(title), "", f".. currentmodule:: {title}", ""]
    lines += [f".. automodule:: {title}", "   :no-members:", ""]
    for heading, members in public_names.groups(module).items():
        lines += [heading, "-" * len(heading), ""]
        lines += [".. autosummary::", "   :toctree: names", "   :nosignatures:", ""]
        lines += [f"   {m.name}" for m in sorted(members, key=lambda m: m.name.lower())]
        lines += [""]
    return "\n".join(lines)


def write_pages(app: Sphinx, config: Any) -> None:
    """Write what changed, and remove pages of names that are gone."""
    folder = Path(app.srcdir) / FOLDER
    (folder / "names").mkdir(parents=True, exist_ok=True)
    wanted = {f"{m.__name__}.rst": module_page(m) for m in public_names.modules()}
    for file, text in wanted.items():
        path = folder / file
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    kept = {f"{n.full}.rst" for n in public_names.names()}
    for path in folder.glob("*.rst"):
        if path.name not in wanted:
            path.unlink()
    for path in (folder / "names").glob("*.rst"):
        if path.name not in kept:
            path.unlink()


@cache
def own_names(page: str) -> frozenset[str]:
    """Parameters and attributes of what a page documents: one public name or a module."""
    found: set[str] = set()
    for name in public_names.names():
        if page in (name.full, name.module):
            value = name.value
            members = inspect.getmembers(value, callable) if inspect.isclass(value) else []
            found.update(dir(value), *(vars(c).get("__annotations__", ()) for c in mro(value)))
            for function in (value, *(member for _, member in members)):
                with suppress(ValueError, TypeError):  # built-in functions have no signature
                    found.update(inspect.signature(function).parameters)
    return frozenset(found)


def mro(value: Any) -> tuple[type, ...]:
    """Classes that an object inherits from; empty for a function."""
    return inspect.getmro(value) if inspect.isclass(value) else ()


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.Element | None:
    """Link a name that a docstring shortens, if one public name ends in it.

    ``LinearSolver``, ``Problem.sweep`` and the path of a private file
    (``sgsolve.linear.solver.LinearSolver``) lead to the page of the public name. The name of a
    parameter or an attribute of the object that the page documents stays code without a link.
    """
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    page = Path(node.get("refdoc", env.docname)).name
    if target.isidentifier() and target in own_names(page):
        return content
    objects = env.domains.python_domain.objects
    tails = [target]
    if target.startswith("sgsolve."):  # a private file: the name, or the class and its member
        parts = target.split(".")
        tails = [".".join(parts[-2:]), parts[-1]]
    for tail in tails:
        ends = re.compile(rf"(^|\.){re.escape(tail)}$")
        among = objects if "." in tail else {n.full for n in public_names.names()} & set(objects)
        found = [n for n in among if n.startswith("sgsolve.") and ends.search(n)]
        top = [n for n in found if n.count(".") == min(m.count(".") for m in found)]
        if len(top) == 1:
            entry = objects[top[0]]
            document = node.get("refdoc", env.docname)
            return make_refnode(
                app.builder, document, entry.docname, entry.node_id, content, top[0]
            )
    return None


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect both to the build."""
    app.connect("config-inited", write_pages)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
