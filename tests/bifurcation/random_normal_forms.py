"""Random normal forms behind random changes of coordinates, with their places and coefficients.

Run ``python -m tests.bifurcation.random_normal_forms 25`` for 25 systems of each kind.

In normal coordinates w a system is known: where its special point lies, and all coefficients.
Beside the critical variables it has others that are stable or not, and are coupled to them. The
program sees z, with w a polynomial of z, either by the storage w(z) or by the rates of z.
"""

import sys
import time

import numpy as np

from tests.bifurcation.hidden_coordinates import PLACE, Hidden, Report, spectators


def signs(rng):
    return float(rng.choice([-1.0, 1.0]))


def size(rng):
    return signs(rng) * rng.uniform(0.4, 1.5)


def fold(rng, report):
    """w' = p + a w^2 + b w^3 has folds at w = 0 and at w = -2 a / (3 b)."""
    a, p0, n = size(rng), rng.uniform(-1.0, 1.0), rng.integers(1, 4)
    b = 0.3 * np.sign(a)
    hidden, others = Hidden(rng, n), spectators(rng, n - 1)
    problem = hidden.problem(
        lambda w, p: [p - p0 + a * w[0] ** 2 + b * w[0] ** 3, *others(w, 1)],
        p=p0 - 0.36 * a - 0.216 * b,
    )
    start, bounds = hidden.start([0.6, *[0.0] * (n - 1)]), (p0 - 1.0, p0 + 1.0)
    branch = problem.continuation(start, "p", bounds, step=0.02 * np.sign(a), stability=True)
    second = p0 - 4.0 * a**3 / (27.0 * b**2)
    exact = [p0, second] if abs(second - p0) < 1.0 else [p0]
    report.near("number of folds", len(branch.folds), len(exact))
    for point, place in zip(branch.folds, exact, strict=False):
        report.near("fold", point.parameter, place, PLACE)


def crossing(cubic):
    def run(rng, report):
        p0, n = rng.uniform(-1.0, 1.0), rng.integers(1, 4)
        a, b = 0.0 if cubic else size(rng), size(rng)
        hidden, others = Hidden(rng, n), spectators(rng, n - 1)
        problem = hidden.problem(
            lambda w, p: [(p - p0) * w[0] + a * w[0] ** 2 + b * w[0] ** 3, *others(w, 1)],
            p=p0 - 0.7,
        )
        start = hidden.start([0.0] * n)
        branch = problem.continuation(start, "p", (p0 - 0.7, p0 + 0.7), stability=True)
        point = report.one(branch, "branch point", p=p0)
        if point is None:
            return
        k = hidden.scale([1.0, *[0.0] * (n - 1)])
        found = point.coefficients
        if cubic:
            report.near("a", found["a"], 0.0)
            report.near("b / c", found["b"] / found["c"], b * k**2)
            nature = f"pitchfork to {'higher' if b < 0.0 else 'lower'} values"
        else:
            report.near("a / c", abs(found["a"] / found["c"]), abs(a) * k)
            nature = "transcritical"
        if point.nature != nature:
            report.wrong.append(f"{point.nature!r} instead of {nature!r}")

    return run


def hopf(rng, report):
    p0, omega, twist, cubic = rng.uniform(-1.0, 1.0), rng.uniform(0.5, 3.0), size(rng), size(rng)
    n = rng.integers(2, 5)
    hidden, others = Hidden(rng, n), spectators(rng, n - 2)

    def flow(w, p):
        r2 = w[0] ** 2 + w[1] ** 2
        grows, turns = p - p0 + cubic * r2, omega + twist * r2
        return [grows * w[0] - turns * w[1], grows * w[1] + turns * w[0], *others(w, 2)]

    problem = hidden.problem(flow, p=p0 - 0.5)
    start = hidden.start([0.0] * n)
    branch = problem.continuation(start, "p", (p0 - 0.5, p0 + 0.5), stability=True)
    point = report.one(branch, "hopf", p=p0)
    if point is None:
        return
    report.near("frequency", point.frequency, omega)
    k = hidden.scale([1.0, -1j, *[0.0] * (n - 2)])
    report.near("l1", point.coefficients.get("l1"), 4.0 * k**2 * cubic / omega)


def bautin(rng, report):
    p0, q0, omega, twist = *rng.uniform(-1.0, 1.0, 2), rng.uniform(0.5, 3.0), size(rng)
    l2, n = size(rng), rng.integers(2, 5)
    hidden, others = Hidden(rng, n), spectators(rng, n - 2)

    def flow(w, p, q):
        r2 = w[0] ** 2 + w[1] ** 2
        grows, turns = p - p0 + (q - q0) * r2 + l2 * r2**2, omega + twist * r2
        return [grows * w[0] - turns * w[1], grows * w[1] + turns * w[0], *others(w, 2)]

    problem = hidden.problem(flow, p=p0 - 0.5, q=q0 - 0.6)
    start = hidden.start([0.0] * n)
    branch = problem.continuation(start, "p", (p0 - 0.5, p0 + 0.5), stability=True)
    curve = problem.hopf_curve(branch, "q", (q0 - 0.6, q0 + 0.5))
    point = report.one(curve, "generalized hopf", q=q0, p=p0)
    if point is not None:
        k = hidden.scale([1.0, -1j, *[0.0] * (n - 2)])
        report.near("l2", point.coefficients.get("l2"), 16.0 * k**4 * l2 / omega)


def cusp(rng, report):
    p0, q0, c, n = *rng.uniform(-1.0, 1.0, 2), size(rng), rng.integers(1, 4)
    hidden, others = Hidden(rng, n), spectators(rng, n - 1)
    problem = hidden.problem(
        lambda w, p, q: [p - p0 + (q - q0) * w[0] + c * w[0] ** 3, *others(w, 1)],
        p=p0,
        q=q0 - np.sign(c) * 0.8,
    )
    # w^2 = 0.8 / |c| at p = p0; the folds are where w^2 is a third of that
    start = hidden.start([np.sqrt(0.8 / abs(c)), *[0.0] * (n - 1)])
    step = 0.02 * np.sign(c)
    bounds = (p0 - 1.0, p0 + 1.0)
    branch = problem.continuation(start, "p", bounds, step=step, stability=True)
    if len(branch.folds) != 2:
        report.wrong.append(f"{len(branch.folds)} folds, not 2; {branch.message}")
        return
    curve = problem.fold_curve(branch, "q", (q0 - 1.5, q0 + 1.5), step=np.sign(c) * 0.05)
    point = report.one(curve, "cusp", q=q0, p=p0)
    if point is not None:
        k = hidden.scale([1.0, *[0.0] * (n - 1)])
        report.near("c", point.coefficients.get("c"), c * k**2)


def bogdanov_takens(rng, report):
    p0, q0, a, b = *rng.uniform(-1.0, 1.0, 2), size(rng), size(rng)
    n = rng.integers(2, 4)
    hidden, others = Hidden(rng, n), spectators(rng, n - 2)

    def flow(w, p, q):
        x, y = w[0], w[1]
        return [y, p - p0 + (q - q0) * y + a * x**2 + b * x * y, *others(w, 2)]

    # the steady states of the Hopf points have x = -(q - q0) / b and a x < 0
    x, q = -0.5 * np.sign(a), q0 + 0.5 * np.sign(a) * b
    problem = hidden.problem(flow, p=p0 - 1.5 * a * x**2, q=q)
    start = hidden.start([np.sqrt(1.5) * x, *[0.0] * (n - 1)])
    bounds = (p0 - 2.0 * abs(a) * x**2, p0 + 2.0 * abs(a) * x**2)
    branch = problem.continuation(start, "p", bounds, step=0.02 * np.sign(a), stability=True)
    k = hidden.scale([1.0, *[0.0] * (n - 1)])
    if report.one(branch, "hopf", p=p0 - a * x**2) is None:
        return
    way = -0.02 * np.sign(a * b)
    for follow in (problem.hopf_curve, problem.fold_curve):
        curve = follow(branch, "q", tuple(sorted([q0 - 0.6 * b, q0 + 0.6 * b])), step=way)
        point = report.one(curve, "bogdanov-takens", q=q0, p=p0)
        if point is not None:
            both = [point.coefficients.get(name) for name in "ab"]
            sign = np.sign(both[0] * a)
            report.near("a", sign * both[0], k * a)
            report.near("b", sign * both[1], k * b)


def zero_hopf(rng, report):
    p0, q0, omega = *rng.uniform(-1.0, 1.0, 2), rng.uniform(0.5, 3.0)
    b, c, d, e = (size(rng) for _ in range(4))
    n = rng.integers(3, 5)
    hidden, others = Hidden(rng, n), spectators(rng, n - 3)

    def flow(w, p, q):
        x, y, z = w[0], w[1], w[2]
        grows = p - p0 + d * z + e * z**2
        rest = [grows * x - omega * y, grows * y + omega * x]
        return [*rest, (q - q0) * z + b * z**2 + c * (x**2 + y**2), *others(w, 3)]

    problem = hidden.problem(flow, p=p0 - 0.5, q=q0 - 0.6)
    start = hidden.start([0.0] * n)
    branch = problem.continuation(start, "p", (p0 - 0.5, p0 + 0.5), stability=True)
    curve = problem.hopf_curve(branch, "q", (q0 - 0.6, q0 + 0.5))
    point = report.one(curve, "zero hopf", q=q0, p=p0)
    if point is None:
        return
    k = hidden.scale([0.0, 0.0, 1.0, *[0.0] * (n - 3)])
    m = hidden.scale([1.0, -1j, *[0.0] * (n - 2)])
    found = point.coefficients
    sign = np.sign(found.get("b", np.nan) * b)
    report.near("b", sign * found.get("b", np.nan), k * b)
    report.near("c", sign * found.get("c", np.nan), 4.0 * m**2 / k * c)
    report.near("d", sign * found.get("d", np.nan), k * d)
    report.near("e", found.get("e"), k**2 * e)
    report.near("theta", found.get("theta"), d / b)
    report.near("s", found.get("s"), np.sign(b * c))


def double_hopf(rng, report):
    p0, q0, one = *rng.uniform(-1.0, 1.0, 2), rng.uniform(0.8, 2.0)
    two = one * rng.choice([0.37, 0.61, 1.43, 1.71, 2.6])
    P = np.array([[size(rng), size(rng)], [size(rng), size(rng)]])
    hidden = Hidden(rng, 4)

    def flow(w, p, q):
        r, s = w[0] ** 2 + w[1] ** 2, w[2] ** 2 + w[3] ** 2
        first, second = p - p0 + P[0, 0] * r + P[0, 1] * s, q - q0 + P[1, 0] * r + P[1, 1] * s
        return [
            first * w[0] - one * w[1],
            first * w[1] + one * w[0],
            second * w[2] - two * w[3],
            second * w[3] + two * w[2],
        ]

    problem = hidden.problem(flow, p=p0 - 0.5, q=q0 - 0.6)
    start = hidden.start([0.0] * 4)
    branch = problem.continuation(start, "p", (p0 - 0.5, p0 + 0.5), stability=True)
    curve = problem.hopf_curve(branch, "q", (q0 - 0.6, q0 + 0.5))
    point = report.one(curve, "double hopf", q=q0, p=p0)
    if point is None:
        return
    k = [hidden.scale([1.0, -1j, 0.0, 0.0]), hidden.scale([0.0, 0.0, 1.0, -1j])]
    order = [0, 1] if one > two else [1, 0]
    for i in (0, 1):
        for j in (0, 1):
            exact = 4.0 * k[order[j]] ** 2 * P[order[i], order[j]]
            name = f"p{i + 1}{j + 1}"
            report.near(name, point.coefficients.get(name), exact)


KINDS = {
    "fold": fold,
    "transcritical": crossing(cubic=False),
    "pitchfork": crossing(cubic=True),
    "hopf": hopf,
    "generalized hopf": bautin,
    "cusp": cusp,
    "bogdanov-takens": bogdanov_takens,
    "zero hopf": zero_hopf,
    "double hopf": double_hopf,
}


def differences(kind, seed):
    """What is found that differs from what is known; empty if all is right."""
    report = Report()
    rng = np.random.default_rng([seed, *kind.encode()])
    KINDS[kind](rng, report)
    return report.wrong


if __name__ == "__main__":
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    chosen = sys.argv[3].split(",") if len(sys.argv) > 3 else KINDS
    for kind in chosen:
        began, wrong = time.process_time(), 0
        for seed in range(first, first + count):
            try:
                found = differences(kind, seed)
            except Exception as error:
                found = [f"{type(error).__name__}: {error}"]
            wrong += bool(found)
            for line in found:
                print(f"{kind} {seed}: {line}", flush=True)
        print(
            f"{kind}: {count} systems, {wrong} differ, {time.process_time() - began:.1f} s",
            flush=True,
        )
