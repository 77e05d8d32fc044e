"""``python -m sgsolve`` tells what is installed, and fails where the installation is wrong."""

import subprocess
import sys

import numpy as np
import pytest

import sgsolve
from sgsolve import __main__ as self_check
from sgsolve import linear
from sgsolve.linear.methods.choose import REGISTRY


@pytest.mark.slow
def test_the_command_reports_and_passes():
    command = [sys.executable, "-m", "sgsolve"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"sgsolve {sgsolve.__version__}, Python" in done.stdout
    assert f"numpy {np.__version__}" in done.stdout
    for check in ("derivatives", "back end dense", "back end superlu", "sweep", "fold"):
        assert f"{check}: ok" in done.stdout
    assert "all checks passed" in done.stdout


def test_every_back_end_is_checked_or_missing_for_a_reason():
    checked = {name.removeprefix("solve, back end ") for name, _ in self_check.checks()}
    for name in linear.backends():
        assert (name in checked) is not bool(self_check.unavailable(name))


def test_exact_solution_has_the_values_of_the_literature():
    # Bratu's problem: theta = sqrt(2 p) cosh(theta / 4), the largest value 2 log cosh(theta / 4)
    assert self_check.exact(1.0) == pytest.approx(0.1405392142, abs=1e-9)
    assert self_check.exact(2.0) == pytest.approx(0.3289524214, abs=1e-9)


def test_a_wrong_derivative_is_a_failure(monkeypatch, capsys):
    def wrong(u, p):
        correct = (u[2:] - u[1:-1]) + p * np.exp(sgsolve.ad.value(u[1:-1]))  # drops a derivative
        return np.concatenate([u[:1], correct, u[-1:]])

    monkeypatch.setattr(self_check, "residual", wrong)
    assert self_check.check_derivatives()


def test_a_failed_check_gives_exit_status_1(monkeypatch, capsys):
    def broken():
        raise sgsolve.ConvergenceError("no solution", None)

    failing = [("numbers", lambda: "3 found, 4 expected"), ("errors", broken)]
    monkeypatch.setattr(self_check, "checks", lambda: iter(failing))
    assert self_check.main() == 1
    printed = capsys.readouterr().out
    assert "numbers: FAILED, 3 found, 4 expected" in printed
    assert "errors: FAILED, ConvergenceError: no solution" in printed
    assert "2 checks failed" in printed


def test_a_back_end_that_another_one_replaces_is_a_failure(monkeypatch):
    class Broken:
        name = "broken"

        def analyze(self, A):
            pass

        def factorize(self, A):
            raise sgsolve.BackendError("no factors")

        def solve(self, b, transpose):
            raise AssertionError

    monkeypatch.setitem(REGISTRY, "broken", Broken)
    assert "took over" in self_check.check_backend("broken")


def test_every_check_passes_here():
    for name, check in self_check.checks():
        assert check() == "", name


def test_a_number_that_is_wrong_is_told_beside_the_expected_one():
    assert self_check.compared("fold", 3.5, 3.5138, 1e-3) == "fold: 3.5 found, 3.5138 expected"


def test_folds_that_are_not_found_are_counted(monkeypatch):
    monkeypatch.setattr(self_check, "residual", lambda u, p: u - p)
    assert self_check.check_fold() == "0 folds found instead of one"


def test_without_threadpoolctl_the_blas_of_numpy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    (line,) = self_check.libraries()
    assert line.startswith("BLAS of NumPy: ")
    assert "install threadpoolctl" in line
