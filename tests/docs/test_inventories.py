"""Addresses of other projects' names, which the reference links to without the network."""

import sys
import zlib
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "docs" / "_ext"))
pytest.importorskip("matplotlib", reason="the inventory of Matplotlib is made from it")
import inventories

# Written by hand from the layout of each site. `sphinx -b linkcheck` checks them by the network.
KNOWN = {
    ("python", "int"): "library/functions.html#int",
    ("python", "str"): "library/stdtypes.html#str",
    ("python", "ValueError"): "library/exceptions.html#ValueError",
    ("python", "None"): "library/constants.html#None",
    ("python", "pathlib.Path"): "library/pathlib.html#pathlib.Path",
    ("python", "sequence"): "glossary.html#term-sequence",
    ("numpy", "numpy.ndarray"): "reference/generated/numpy.ndarray.html#numpy.ndarray",
    ("numpy", "array_like"): "glossary.html#term-array_like",
    ("scipy", "scipy.sparse.csr_array"): (
        "reference/generated/scipy.sparse.csr_array.html#scipy.sparse.csr_array"
    ),
    ("matplotlib", "matplotlib.axes.Axes"): (
        "api/_as_gen/matplotlib.axes.Axes.html#matplotlib.axes.Axes"
    ),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Addresses by project and name, read back from the files."""
    mapping = inventories.write(tmp_path_factory.mktemp("inventories"))
    found = {}
    for project, (_, file) in mapping.items():
        content = Path(file).read_bytes()
        head, body = content.split(b"zlib.\n", 1)
        assert head.startswith(b"# Sphinx inventory version 2\n")
        for line in zlib.decompress(body).decode().splitlines():
            name, _, _, address, _ = line.split()
            found[project, name] = address.replace("$", name)
    return found


@pytest.mark.parametrize("key", KNOWN, ids=lambda key: key[1])
def test_an_address_is_that_of_the_project(written, key):
    assert written[key] == KNOWN[key]
