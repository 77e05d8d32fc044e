"""Columns of a branch: no name of a parameter is forbidden, and none hides another column."""

import numpy as np
import pytest

from sgsolve import Branch, Problem
from sgsolve.errors import InputError
from tests.selection import slow

NAMES = ["nit", "s", "tangent", "unstable", "step", "x", "self", "nit_"]


def parabola(name):
    """Return x^2 + p = 0 with a parameter of that name: x = sqrt(-p), with a fold at p = 0."""
    made = eval(f"lambda u, {name}: u**2 + {name}")
    return Problem(made, params={name: -1.0})


@pytest.mark.parametrize("name", NAMES)
def test_a_sweep_over_a_parameter_of_any_name(name, tmp_path):
    values = [-1.0, -4.0, -9.0]
    branch = parabola(name).sweep([1.0], name, values, outputs={"root": lambda u: u[0]})
    assert branch[name].tolist() == branch.parameter.tolist() == values
    assert branch["root"].tolist() == pytest.approx([1.0, 2.0, 3.0])
    plain = parabola("p").sweep([1.0], "p", values)
    assert branch.iterations.tolist() == plain["nit"].tolist()
    branch.save(tmp_path / "branch.npz")
    again = Branch.load(tmp_path / "branch.npz")
    assert again[name].tolist() == values
    assert again.iterations.tolist() == plain["nit"].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_a_continuation_along_a_parameter_of_any_name(name, tmp_path):
    """Stability of F = -du/dt: one unstable eigenvalue where dF/du = 2 u is positive."""

    def run(name, **options):
        return parabola(name).continuation(
            [1.0], name, (-4.0, 1.0), stability=True, max_points=60, **options
        )

    plain, branch = run("p"), run(name)
    assert branch[name].tolist() == plain["p"].tolist()
    for own in ("nit", "s", "tangent", "unstable"):
        found = branch[f"{own}_" if own == name else own]
        assert found.tolist() == plain[own].tolist()
    assert branch.unstable.tolist() == plain.unstable.tolist()
    assert set(branch.unstable.tolist()) == {0, 1}
    assert [fold.parameter for fold in branch.folds] == pytest.approx([0.0], abs=1e-12)


@pytest.mark.parametrize("name", ["s", *slow("tangent", "nit")])
def test_a_branch_that_tends_to_its_bound_is_seen_under_any_name(name):
    """x = -log(1 - p) grows without limit as p tends to its bound 1."""
    made = eval(f"lambda x, {name}: 1.0 - {name} - np.exp(-x)")

    def run(made, name):
        with pytest.warns(UserWarning, match="asymptotically"):
            return Problem(made, params={name: 0.0}).continuation([0.0], name, (0.0, 1.0))

    branch, plain = run(made, name), run(lambda x, p: 1.0 - p - np.exp(-x), "p")
    assert branch.status is plain.status
    assert len(branch) == len(plain)


def test_a_curve_of_folds_over_the_names_of_other_columns(tmp_path):
    """x^3 - s x - tangent = 0 has folds where 27 tangent^2 = 4 s^3."""
    problem = Problem(lambda x, tangent, s: x**3 - s * x - tangent, params={"s": 3.0})
    branch = problem.at(tangent=-4.0).continuation([-2.0], "tangent", (-4.0, 4.0))
    path = tmp_path / "folds.npz"
    part = problem.fold_curve(branch, "s", (1.0, 3.0), step=-0.1, max_points=5, checkpoint=path)
    folds = problem.fold_curve(branch, "s", (1.0, 3.0), step=-0.1, checkpoint=path, resume=True)
    assert len(part) == 5
    assert np.allclose(27.0 * folds["tangent"] ** 2, 4.0 * folds["s"] ** 3, rtol=1e-9)
    assert (np.diff(folds["s_"]) > 0.0).all()
    assert np.abs(folds["tangent_"]).max() <= 2.0
    assert folds.along == ("tangent",)


def test_the_diagram_draws_stability_and_not_the_parameter_of_that_name():
    plt = pytest.importorskip("matplotlib.pyplot")
    sweep = parabola("unstable").sweep([1.0], "unstable", [-1.0, -4.0, -9.0])
    axes = sweep.plot()
    assert sweep.unstable is None
    assert [line.get_linestyle() for line in axes.lines] == ["-"]
    plt.close("all")


def test_an_output_may_not_take_the_name_of_a_column():
    for name, output in (("nit", "nit"), ("nit", "nit_"), ("p", "nit"), ("s", "s_")):
        with pytest.raises(InputError, match=f"{output!r} is a column"):
            parabola(name).continuation([1.0], name, (-4.0, 1.0), outputs={output: np.max})
