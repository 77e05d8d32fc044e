"""The scripts of the documentation find every public name and give it one place."""

import sys
from pathlib import Path

import sgsolve
from tests.docs.public import names

sys.path.append(str(Path(__file__).resolve().parents[2] / "docs" / "_ext"))
import public_names


def test_no_public_name_is_missing():
    assert sorted(n.full for n in public_names.names()) == names()


def test_every_name_stands_under_one_heading_of_its_module():
    listed = [
        member.full
        for module in public_names.modules()
        for members in public_names.groups(module).values()
        for member in members
    ]
    assert sorted(listed) == names()


def test_errors_and_warnings_stand_last():
    headings = list(public_names.groups(sgsolve))
    assert headings[-2:] == ["Errors", "Warnings"]
    assert headings[0] == "Problem"


def test_an_unlisted_file_gives_its_own_name_as_heading():
    value = type("New", (), {"__module__": "sgsolve.brand.new_file"})
    assert public_names.heading(value) == "New file"
    value.__module__ = "sgsolve.results.new_file"
    assert public_names.heading(value) == "Results"
