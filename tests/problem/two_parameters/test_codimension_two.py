"""Curves of folds and Hopf points in two parameters, and the points of codimension 2 on them."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Branch, InputError, Problem
from sgsolve.bifurcation.codimension_two import is_pair_zero, is_real_zero, oscillation_test
from sgsolve.bifurcation.spectra import spectrum
from sgsolve.problem.two_parameters import fold_curve, hopf_curve
from tests.periodic.oscillators import bent, one
from tests.selection import slow


def basis(n):
    return np.linalg.qr(np.random.default_rng(3).standard_normal((n, n)))[0]


def mixed(f, n):
    """dx/dt = f(x) in other coordinates y = S x + 1."""
    S = basis(n)

    def residual(y, p, q):
        return -(S @ np.stack(f(S.T @ (y - 1.0), p, q)))

    return residual


def oxidation(z, q2, k):
    """CO on a catalyst, after Bykov, Yablonskii and Kim; the values are those of the literature."""
    x, y, s = z
    free = 1.0 - x - y - s
    return [
        -(5.0 * free**2 - 2.0 * x**2 - 10.0 * x * y),
        -(q2 * free - 0.1 * y - 10.0 * x * y),
        -0.0675 * (free - k * s),
    ]


@pytest.fixture(scope="module")
def catalyst():
    problem = Problem(oxidation, params={"q2": 0.9, "k": 0.4}, storage=one)
    start = problem.solve([0.15, 0.12, 0.52])
    branch = problem.continuation(start.x, "q2", (0.5, 2.0), stability=True)
    return problem, branch


def test_folds_and_hopf_points_of_the_catalyst(catalyst):
    _, branch = catalyst
    folds = sorted(point.parameter for point in branch.folds)
    hopf = sorted(point.parameter for point in branch.hopf_points)
    assert folds == pytest.approx([1.04204850538, 1.05220028787], abs=2e-11)
    assert hopf == pytest.approx([1.04099156953, 1.05155746246], abs=2e-11)


@pytest.mark.slow
def test_bogdanov_takens_points_by_both_curves(catalyst):
    problem, branch = catalyst
    upper = problem.hopf_curve(branch, "k", (0.05, 2.0), 0, step=0.01, max_step=0.05)
    (point,) = upper.special_points
    assert point.kind == "bogdanov-takens"
    assert point.parameter == pytest.approx(0.97139757349, abs=2e-11)
    assert point.along["q2"] == pytest.approx(1.4176276376, abs=1e-10)
    folds = problem.fold_curve(branch, "k", (0.3, 2.0), 0, step=-0.01, max_step=0.05)
    found = {one.kind: one for one in folds.special_points}
    assert found["cusp"].parameter == pytest.approx(0.35599127321, abs=1e-10)
    assert found["cusp"].along["q2"] == pytest.approx(1.00640832968, abs=1e-10)
    assert found["bogdanov-takens"].parameter == pytest.approx(0.72233907252, abs=2e-11)
    assert found["bogdanov-takens"].along["q2"] == pytest.approx(1.16119870882, abs=1e-10)


def test_the_columns_of_a_hopf_curve(catalyst):
    problem, branch = catalyst
    curve = problem.hopf_curve(branch, "k", (0.38, 0.42), step=0.01)
    assert curve["frequency"][0] == pytest.approx(0.059106148, rel=1e-7)
    assert curve["l1"][0] == pytest.approx(branch.hopf_points[0].coefficients["l1"], rel=1e-8)
    x, params = curve.at(-1)
    values = np.linalg.eigvals(-problem.at(**params).jacobian(x).toarray())
    assert np.abs(values - 1j * curve["frequency"][-1]).min() < 1e-10


def test_the_bogdanov_takens_normal_form():
    """x' = y, y' = b1 + b2 y + x^2 + x y: Hopf points at b2 = sqrt(-b1), folds at b1 = 0."""

    def f(x, p, q):
        return [x[1], p + q * x[1] + x[0] ** 2 + x[0] * x[1]]

    problem = Problem(mixed(f, 2), params={"p": -0.5, "q": 0.5}, storage=one)
    start = basis(2) @ [-np.sqrt(0.5), 0.0] + 1.0
    branch = problem.continuation(start, "p", (-0.5, 0.1), stability=True)
    (point,) = branch.hopf_points
    assert point.parameter == pytest.approx(-0.25, abs=1e-11)
    assert point.frequency == pytest.approx(np.sqrt(2.0 * 0.5), rel=1e-10)
    curve = problem.hopf_curve(branch, "q", (-0.5, 1.0), step=-0.05)
    assert curve["q"] ** 2 == pytest.approx(-curve["p"], abs=1e-9)
    assert curve.special_points[-1].kind == "bogdanov-takens"
    assert curve.special_points[-1].parameter == pytest.approx(0.0, abs=1e-8)
    folds = problem.fold_curve(branch, "q", (-0.5, 1.0), step=-0.05)
    (double,) = folds.special_points_of("bogdanov-takens")
    assert double.parameter == pytest.approx(0.0, abs=1e-10)
    # u = x / |column| in a null vector of length 1, so that a = b = 1 are divided by its length
    exact = 1.0 / np.linalg.norm(basis(2)[:, 0])
    for point in (curve.special_points[-1], double):
        assert np.abs([point.coefficients["a"], point.coefficients["b"]]) == pytest.approx(
            [exact, exact], abs=1e-8
        )
        assert point.coefficients["a"] * point.coefficients["b"] > 0.0


@pytest.mark.parametrize("storage", ["constant", "bent", "none"])
def test_bogdanov_takens_coefficients_of_any_storage(storage):
    """dQ/dt + F = 0 with Q = x + k x^2 / 2 is x' = -F / (1 + k x): b changes by -a k."""
    from sgsolve.bifurcation.normal_forms.form_coefficients import bogdanov_takens_form

    k = 0.7 if storage == "bent" else 0.0
    sign = -1.0 if storage == "none" else 1.0

    def pencil(x):
        J = -sign * np.array([[0.0, 1.0], [2.0 * 1.3 * x[0] - 0.4 * x[1], -0.4 * x[0]]])
        C = sign * np.array([[1.0, 0.0], [k * x[1], 1.0 + k * x[0]]])
        return sp.csr_array(J), sp.csr_array(C)

    # u' = v, (1 + k u) v' + k v u' = 1.3 u^2 - 0.4 u v: to second order b stays -0.4, for k v^2
    # is no term of the normal form
    a, b = bogdanov_takens_form(pencil, np.zeros(2))
    assert a == pytest.approx(1.3, abs=1e-10)
    assert b == pytest.approx(-0.4, abs=1e-10)


def test_a_generalized_hopf_point_behind_a_change_of_coordinates():
    """r' = r (p + q r^2 + r^4): soft to hard at p = q = 0."""

    def flow(x, y, p, q):
        r2 = x**2 + y**2
        growth = p + q * r2 + r2**2
        return growth * x - y, growth * y + x

    F = bent(flow)
    problem = Problem(lambda z, p, q: F(z, p=p, q=q), params={"p": -1.0, "q": -1.0}, storage=one)
    branch = problem.continuation([0.0, 0.0], "p", (-1.0, 1.0), stability=True)
    curve = problem.hopf_curve(branch, "q", (-1.0, 1.0))
    (point,) = curve.special_points
    assert point.kind == "generalized hopf"
    assert point.parameter == pytest.approx(0.0, abs=1e-9)
    assert curve["l1"] == pytest.approx(2.0 * curve["q"], abs=1e-8)


def zero_hopf(x, p, q):
    r2 = x[0] ** 2 + x[1] ** 2
    return [(p - r2) * x[0] - x[1], (p - r2) * x[1] + x[0], q * x[2] - x[2] ** 3]


def double_hopf(x, p, q):
    first, second = p - x[0] ** 2 - x[1] ** 2, q - x[2] ** 2 - x[3] ** 2
    return [
        first * x[0] - x[1],
        first * x[1] + x[0],
        second * x[2] - 2.5 * x[3],
        second * x[3] + 2.5 * x[2],
    ]


def fold_and_hopf(x, p, q):
    r2 = x[0] ** 2 + x[1] ** 2
    return [(q - r2) * x[0] - x[1], (q - r2) * x[1] + x[0], p - x[2] ** 2]


def followed(f, n, followers):
    """The equations of `mixed`, and a chain of unknowns that relax to the square of the last one.

    Their eigenvalues -2, -2.01, -2.02, ... are nearer to zero than some pairs of the first n.
    """
    first, rates = mixed(f, n), 2.0 + 0.01 * np.arange(followers)

    def residual(y, p, q):
        rest = y[n:]
        chain = rates * rest - 0.3 * np.concatenate([y[:1], rest[:-1]]) ** 2
        return np.concatenate([first(y[:n], p, q), chain])

    return residual


@pytest.fixture(params=["near", *slow("all", "large")])
def followers(request, monkeypatch):
    """Eigenvalues of a small system: all, or those near some numbers; or of a large system."""
    if request.param == "near":
        for module in (fold_curve, hopf_curve):
            monkeypatch.setattr(module, "LARGE", 0)
        for name in ("SMALL", "MEDIUM"):
            monkeypatch.setattr(spectrum, name, 0)
    return {"all": 0, "near": 20, "large": 450}[request.param]


@pytest.mark.parametrize(
    ("f", "n", "kind"), [(zero_hopf, 3, "zero hopf"), *slow((double_hopf, 4, "double hopf"))]
)
def test_zero_hopf_and_double_hopf_points(f, n, kind, followers):
    problem = Problem(followed(f, n, followers), params={"p": -0.5, "q": -0.7}, storage=one)
    start = problem.solve(np.ones(n + followers)).x
    branch = problem.continuation(start, "p", (-0.5, 0.5), stability=True)
    curve = problem.hopf_curve(branch, "q", (-0.7, 0.6))
    (point,) = curve.special_points
    assert point.kind == kind
    assert point.parameter == pytest.approx(0.0, abs=1e-9)


def test_a_zero_hopf_point_on_a_curve_of_folds(followers):
    F = followed(fold_and_hopf, 3, followers)
    problem = Problem(F, params={"p": 0.5, "q": -0.7}, storage=one)
    start = np.append(basis(3) @ [0.0, 0.0, np.sqrt(0.5)] + 1.0, np.ones(followers))
    branch = problem.continuation(start, "p", (-0.5, 1.0), step=-0.05)
    curve = problem.fold_curve(branch, "q", (-0.7, 0.6))
    (point,) = curve.special_points
    assert point.kind == "zero hopf"
    assert point.parameter == pytest.approx(0.0, abs=1e-9)


def test_an_eigenvalue_that_comes_near_is_no_point_of_codimension_two():
    near = np.array([-0.1 + 2.0j, -0.1 - 2.0j, -0.3])
    assert oscillation_test(near) > 0.0 > oscillation_test(np.append(near, [0.2 + 3j, 0.2 - 3j]))
    assert not is_pair_zero(np.append(near, [0.2 + 3j, 0.2 - 3j]))
    assert is_pair_zero(np.array([1e-9 + 2.0j, 1e-9 - 2.0j]))
    assert oscillation_test(np.array([-1.0, 2.0])) == 1.0
    assert is_real_zero(np.array([1e-9, 2.0 + 1j, 2.0 - 1j]))
    assert not is_real_zero(near)


def test_the_cusp_of_an_arch_with_an_imperfection():
    """At the cusp x and the only entry of J vanish but for rounding; x' = -x^3 / 6 is left."""
    problem = Problem(
        lambda x, load, bent: [load * np.sin(x[0]) - x[0] + bent],
        params={"load": 1.5, "bent": -1.0},
    )
    branch = problem.continuation([-2.0], "bent", (-1.0, 1.0))
    curve = problem.fold_curve(branch, "load", (0.5, 3.0), step=-0.05)
    (cusp,) = curve.special_points_of("cusp")
    assert cusp.parameter == pytest.approx(1.0, abs=1e-10)
    assert cusp.along["bent"] == pytest.approx(0.0, abs=1e-10)
    assert cusp.coefficients["c"] == pytest.approx(-1.0 / 6.0, abs=1e-8)


@pytest.mark.slow
def test_the_cusp_of_the_budworm():
    def residual(x, r, q):
        return [-(r * x[0] * (1.0 - x[0] / q) - x[0] ** 2 / (1.0 + x[0] ** 2))]

    problem = Problem(residual, params={"r": 0.3, "q": 12.0}, storage=one)
    branch = problem.continuation([0.5], "r", (0.2, 1.0))
    for fold in branch.folds:
        x = float(fold.x[0])
        assert fold.parameter == pytest.approx(2.0 * x**3 / (1.0 + x**2) ** 2, rel=1e-10)
    curve = problem.fold_curve(branch, "q", (4.0, 13.0), step=-0.2)
    (cusp,) = curve.special_points_of("cusp")
    assert cusp.parameter == pytest.approx(3.0 * np.sqrt(3.0), rel=1e-9)
    assert cusp.along["r"] == pytest.approx(3.0 * np.sqrt(3.0) / 8.0, rel=1e-9)
    assert cusp.coefficients["c"] == pytest.approx(-np.sqrt(3.0) / 32.0, abs=1e-8)
    x, r, q = curve.states[:, 0], curve["r"], curve["q"]
    second = -2.0 * r / q + (6.0 * x**2 - 2.0) / (1.0 + x**2) ** 3
    assert curve["quadratic"] == pytest.approx(0.5 * second, abs=1e-8)


def test_the_points_are_saved(tmp_path, catalyst):
    problem, branch = catalyst
    curve = problem.hopf_curve(branch, "k", (0.05, 2.0), step=0.01, max_step=0.05)
    curve.save(tmp_path / "curve.npz")
    again = Branch.load(tmp_path / "curve.npz")
    assert str(again.special_points) == str(curve.special_points)
    assert again.special_points[0].along == curve.special_points[0].along


def test_bad_input(catalyst):
    problem, branch = catalyst
    cases = [
        ({"parameter": "q2"}, "name a second parameter"),
        ({"parameter": "unknown"}, "no parameter 'unknown'"),
        ({"parameter": "k", "special_point": 5}, "there is no number 5"),
        ({"parameter": "k", "special_point": branch.folds[0]}, "is no Hopf point"),
        ({"parameter": "k", "detect": "torus"}, "detect names 'torus'"),
        ({"parameter": "k", "stability": 3}, "stability must be True"),
    ]
    for arguments, words in cases:
        with pytest.raises(InputError, match=words):
            problem.hopf_curve(branch, **arguments)


@pytest.mark.parametrize("step", [0.05, 0.037])
def test_a_curve_of_folds_where_x_and_both_parameters_are_zero(step):
    """The fold at x = p = 0 stays there for every q, within rounding of zero."""

    def canceling(x, p, q):
        return p + np.exp(x) - 1.0 - x + q * x**3

    problem = Problem(canceling, params={"p": -0.25, "q": 0.0}, storage=one)
    branch = problem.continuation([-0.4], "p", (-1.0, 1.0), step=step)
    assert branch.folds[0].parameter == pytest.approx(0.0, abs=1e-13)
    curve = problem.fold_curve(branch, "q", (-0.5, 0.5))
    assert curve["q"][-1] == 0.5
    assert curve["p"] == pytest.approx(0.0, abs=1e-13)
    assert np.abs(curve.states).max() < 1e-12


def test_a_curve_of_folds_where_x_is_zero_but_for_rounding():
    """x = p = 0 for every q, and x about 1e-17: its own size is no scale, of steps or lengths."""
    S = basis(3)

    def residual(z, p, q):
        y = S.T @ z
        x = [y[0], y[1] + 0.3 * y[0] ** 2, y[2] + 0.3 * y[0] ** 2 - 0.2 * y[0] * y[1]]
        r2, w = x[0] ** 2 + x[1] ** 2, x[2]
        growth = q + 0.4 * w + 0.9 * w**2
        f0, f1 = growth * x[0] - 1.5 * x[1], growth * x[1] + 1.5 * x[0]
        f2 = p + 0.7 * w**2 - 1.2 * r2
        g1 = f1 - 0.6 * y[0] * f0
        g2 = f2 - 0.6 * y[0] * f0 + 0.2 * (f0 * y[1] + y[0] * g1)
        return -(S @ np.stack([f0, g1, g2]))

    problem = Problem(residual, params={"p": -0.5, "q": -0.7}, storage=one)
    start = problem.solve(S @ [0.0, 0.0, np.sqrt(0.5 / 0.7)]).x
    branch = problem.continuation(start, "p", (-1.0, 0.5))
    curve = problem.fold_curve(branch, "q", (-1.0, 0.6))
    assert curve["q"][-1] == 0.6
    assert curve["p"] == pytest.approx(0.0, abs=1e-12)
    (point,) = curve.special_points_of("zero hopf")
    assert point.coefficients["theta"] == pytest.approx(0.4 / 0.7, abs=1e-8)
    assert point.coefficients["e"] == pytest.approx(0.9, abs=1e-8)
    assert np.abs(curve["quadratic"]) == pytest.approx(0.7, abs=1e-8)
    assert not curve.special_points_of("cusp")
