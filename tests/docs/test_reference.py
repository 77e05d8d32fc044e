"""The scripts of the documentation find every public name and give it one place."""

import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.special

import sgsolve
from sgsolve import ad
from tests.docs.public import names

sys.path.append(str(Path(__file__).resolve().parents[2] / "docs" / "_ext"))
import public_names
import supported_functions


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


def test_headings_are_those_of_files_and_packages_that_exist():
    package = Path(sgsolve.__file__).parent
    places = {name: package.joinpath(*name.split(".")) for name in public_names.HEADINGS}
    gone = [n for n, p in places.items() if not (p.is_dir() or p.with_suffix(".py").is_file())]
    assert not gone


def test_errors_and_warnings_stand_last():
    headings = list(public_names.groups(sgsolve))
    assert headings[-2:] == ["Errors", "Warnings"]
    assert headings[0] == "Problem"


def test_an_unlisted_file_gives_its_own_name_as_heading():
    value = type("New", (), {"__module__": "sgsolve.brand.new_file"})
    assert public_names.heading(value) == "New file"
    value.__module__ = "sgsolve.results.new_file"
    assert public_names.heading(value) == "Results"


def test_the_listed_functions_exist_and_the_refused_ones_are_apart():
    listed = supported_functions.functions()
    scope = {"np": np, "scipy": scipy, "y": np.zeros(3)}
    for heading, names_of_it in listed.items():
        assert names_of_it, heading
        for name in names_of_it:
            assert callable(
                eval(name.replace("y.", "np.ndarray.", 1) if name[0] == "y" else name, scope)
            )
    everything = set().union(*listed.values())
    assert {"np.sin", "np.sum", "np.linalg.inv", "scipy.special.erf", "y.reshape"} <= everything
    assert "np.linalg.svd" not in everything
    assert "* ``np.linalg.svd``: use unknowns" in supported_functions.text()


@pytest.mark.parametrize("module", [np, scipy.special])
def test_listed_elementwise_functions_of_one_argument_have_a_slope(module):
    short = "np" if module is np else "scipy.special"
    for name in sorted(supported_functions.ufuncs_of(module)):
        function = getattr(module, name)
        if function.nin != 1 or function.nout != 1:
            continue
        x = ad.seed([1.25 if name in ("arccosh", "acosh") else 0.25])
        assert np.isfinite(ad.value(function(x))).all(), f"{short}.{name}"
