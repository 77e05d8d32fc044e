"""Every example in the documentation, in the README and in the docstrings of ad is true."""

import doctest
import importlib
import pkgutil
import re
import warnings
from pathlib import Path

import pytest

import sgsolve.ad

ROOT = Path(__file__).parents[1]
BUILT = {"_build", "gallery", "api"}
PAGES = sorted(p for p in ROOT.glob("docs/**/*.md") if not BUILT.intersection(p.parts))
PAGES.append(ROOT / "README.md")
OPTIONS = doctest.IGNORE_EXCEPTION_DETAIL | doctest.NORMALIZE_WHITESPACE
MODULES = [m.name for m in pkgutil.walk_packages(sgsolve.ad.__path__, "sgsolve.ad.")]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_page(page):
    text = page.read_text(encoding="utf-8").replace("```", "")
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a page may show what warns
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_the_example_of_the_readme_prints_what_it_says(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code, output = (
        re.search(rf"```{k}\n(.*?)```", text, re.DOTALL).group(1) for k in ("python", "text")
    )
    exec(code, {})
    assert capsys.readouterr().out == output


@pytest.mark.parametrize("name", ["sgsolve.ad", *MODULES])
def test_docstrings(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert result.failed == 0


def test_the_page_of_ad_names_every_public_name():
    page = (ROOT / "docs/start/residuals.md").read_text(encoding="utf-8")
    hidden = {"ADArray", "SparseVector", "JacobianCheck", "clear_cache", "stack", "hstack", "sum",
              "sparsity_pattern", "seed_sparsity", "where"}  # fmt: skip
    missing = [n for n in sgsolve.ad.__all__ if n not in hidden and f"ad.{n}" not in page]
    assert not missing
