"""What the programs of semiconductors share runs without matplotlib too."""

import sys

import pytest
import report


@pytest.mark.parametrize("found", [True, False])
def test_a_program_without_matplotlib_computes_and_says_so(found, monkeypatch, capsys):
    pictures = []

    def main(picture=None):
        pictures.append(picture)
        return 42

    monkeypatch.setattr(sys, "argv", ["program.py"])
    monkeypatch.setattr(report, "find_spec", lambda name: name if found else None)
    assert report.run(main, "program") == 42
    assert pictures == ["program.png" if found else None]
    said = capsys.readouterr().out
    assert ("picture: program.png" in said) is found
    assert ("pip install 'sgsolve[plot]'" in said) is not found
