"""Every example in the documentation, in the README and in the docstrings of ad is true."""

import doctest
import importlib
import pkgutil
import re
import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

import sgsolve.ad
from tests.selection import slow

ROOT = Path(__file__).parents[1]
BUILT = {"_build", "_static", "gallery", "api"}
PAGES = sorted(p for p in ROOT.glob("docs/**/*.md") if not BUILT.intersection(p.parts))
PAGES.append(ROOT / "README.md")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE  # messages are compared, too
MODULES = [m.name for m in pkgutil.walk_packages(sgsolve.ad.__path__, "sgsolve.ad.")]


# A block of plain Python and, if a block of text follows at once, its output.
PLAIN = re.compile(r"^```python\n((?:(?!>>> |```).*\n)+)```\n(?:\n```text\n((?:.*\n)*?)```)?", re.M)
# Pages about a package that is no dependency.
NEEDED = {"finite_elements.md": "skfem", "large_problems.md": "pyamg", "compiled.md": "llvmlite"}
# Pages that take several seconds.
LONG = {"device_breakdown.md", "steady_to_chaos.md", "large_problems.md", "device_ions.md"}
LONG |= {
    "bifurcation_diagram.md",
    "device_heat.md",
    "device_traps.md",
    "periodic_orbits.md",
    "parameter_fit.md",
}
# Folders with a module that the reader of a page copies.
COPIED = {"circuits.md": ROOT / "examples/circuits"}


def examples(page):
    """Doctest of a page; plain blocks become calls that run them and print what they print."""
    names = {}
    blocks = []

    def run(k):
        exec(compile(blocks[k], f"block {k} of {page.name}", "exec"), names)

    def call(found):
        source, output = found.groups()
        blocks.append(source)
        number = len(blocks) - 1
        if output is None:  # the page does not show what is printed
            return f">>> with redirect_stdout(StringIO()): run_block({number})\n\n"
        return f">>> run_block({number})\n{output}\n"

    text = page.read_text(encoding="utf-8")
    text = PLAIN.sub(call, text)
    names.update(run_block=run, redirect_stdout=redirect_stdout, StringIO=StringIO)
    text = re.sub(r"^ *```.*$", "", text, flags=re.M)  # an empty line ends an example
    parser = doctest.DocTestParser()
    test = parser.get_doctest(text, names, page.name, str(page), 0)
    test.globs = names  # get_doctest copies it
    return test


NAMED = re.compile(r"\b(?:sgsolve|tests|examples|benchmarks)/[\w/]+\.(?:py|md)\b")
INSTALLED = Path(sgsolve.__file__).parents[1]  # not ROOT where the tests run against a wheel


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_page_has_a_title_and_names_files_that_are_there(page):
    text = page.read_text(encoding="utf-8")
    assert text.startswith(("# ", "```{include}"))
    folders = {
        name: INSTALLED if name.startswith("sgsolve/") else ROOT for name in NAMED.findall(text)
    }
    assert [name for name, folder in folders.items() if not (folder / name).exists()] == []


@pytest.mark.parametrize(
    "page",
    [*(p for p in PAGES if p.name not in LONG), *slow(*(p for p in PAGES if p.name in LONG))],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_page(page, tmp_path, monkeypatch):
    if page.name in NEEDED:
        pytest.importorskip(NEEDED[page.name], reason="the page is about it")
    if page.name in COPIED:
        monkeypatch.syspath_prepend(COPIED[page.name])
    monkeypatch.chdir(tmp_path)  # a page may write files
    # ... and register back ends and special points
    for registry in (
        "sgsolve.linear.methods.choose.REGISTRY",
        "sgsolve.continuation.locating.detector._REGISTERED",
    ):
        module, _, name = registry.rpartition(".")
        monkeypatch.setattr(registry, dict(getattr(importlib.import_module(module), name)))
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a page may show what warns
        runner.run(examples(page))
    assert runner.summarize(verbose=False).failed == 0


def test_plain_blocks_run_in_the_namespace_of_their_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nx = 2\nprint(x)\n```\n\n```text\n2\n```\n\n```python\n>>> x + 1\n3\n```\n"
        "```python\nprint('not shown')\n```\n"
    )
    runner = doctest.DocTestRunner()
    assert runner.run(examples(page)) == (0, 3)
    page.write_text("```python\nprint(1)\n```\n\n```text\n2\n```\n")
    assert runner.run(examples(page), out=lambda text: None).failed == 1


def test_examples_stand_in_fences():
    for page in PAGES:
        outside = re.sub(
            r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S
        )
        assert ">>>" not in re.sub(r"`[^`\n]+`", "", outside), page


def test_every_python_block_runs():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^ *```python\n(.*?)```", text, re.M | re.DOTALL)
        plain = PLAIN.findall(text)
        shown = [b for b in blocks if ">>>" in b]
        assert len(shown) + len(plain) == len(blocks), page


def test_code_fits_the_width_of_a_page():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^ *```python\n(.*?)```", text, re.M | re.DOTALL):
            lines = block.splitlines()
            if ">>>" in block:  # messages in the output are shown as they are
                lines = [line for line in lines if line.lstrip().startswith((">>>", "..."))]
            assert [line for line in lines if len(line) > 76] == [], page


@pytest.mark.parametrize("name", ["sgsolve.ad", *MODULES])
def test_docstrings(name):
    if name.startswith("sgsolve.ad.kernels"):
        pytest.importorskip("llvmlite", reason="the kernels are compiled with it")
    result = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert result.failed == 0


def test_the_page_of_ad_names_every_public_name():
    page = (ROOT / "docs/howto/derivatives.md").read_text(encoding="utf-8")
    hidden = {"ADArray", "SparseVector", "JacobianCheck", "clear_cache", "stack", "hstack", "sum",
              "sparsity_pattern", "seed_sparsity", "where"}  # fmt: skip
    missing = [n for n in sgsolve.ad.__all__ if n not in hidden and f"ad.{n}" not in page]
    assert not missing
