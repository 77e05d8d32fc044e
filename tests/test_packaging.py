"""What describes the package in several files agrees."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import sgsolve

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def citation():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    return dict(re.findall(r'^([\w-]+): "?([^"\n]+)"?$', text, re.MULTILINE))


def test_the_citation_is_that_of_this_version(citation):
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == sgsolve.__version__
    assert citation["license"] == PROJECT["license"]
    assert citation["title"].startswith(PROJECT["name"] + ":")


def test_the_package_says_that_it_is_typed():
    assert files("sgsolve").joinpath("py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_the_source_distribution_has_all_that_tests_and_pages_need():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    packed = tool["hatch"]["build"]["targets"]["sdist"]["include"]
    needed = {"sgsolve", "tests", "examples", "docs", "README.md", "CHANGELOG.md", "CITATION.cff"}
    assert needed <= set(packed)
    # without sgsolve itself: the tests also run beside an installed package
    assert all((ROOT / name).exists() for name in set(packed) - {"sgsolve"})


def test_every_extra_that_another_names_exists():
    extras = PROJECT["optional-dependencies"]
    named = re.findall(r"sgsolve\[([\w,]+)\]", " ".join(r for e in extras.values() for r in e))
    assert {name for group in named for name in group.split(",")} <= set(extras)


@pytest.mark.skipif(not (ROOT / ".ci").exists(), reason="not a checkout")
def test_the_paths_in_ci_and_in_the_settings_exist():
    for file in (".ci/run", "pyproject.toml"):
        paths = re.findall(r"(?:sgsolve|tests|docs|examples)/[\w./-]*\w", (ROOT / file).read_text())
        paths = [p for p in paths if p not in ("docs/gallery", "docs/reference/api")]  # built
        assert paths
        assert [p for p in paths if not (ROOT / p).exists()] == []


@pytest.mark.skipif(not (ROOT / ".ci").is_dir(), reason="a source archive has no .ci")
def test_the_files_that_the_settings_name_are_there():
    for file in (".ci/run", "pyproject.toml"):
        text = (ROOT / file).read_text(encoding="utf-8")
        named = set(re.findall(r"\b(?:sgsolve|tests)/[\w/]+(?:\.py)?", text))
        assert named, file
        assert [name for name in named if not (ROOT / name).exists()] == [], file
