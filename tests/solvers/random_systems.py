"""Random systems without a root, and random systems with a known root in random units.

Run ``python -m tests.solvers.random_systems 500`` for 500 of each kind by every verb and solver, or
add the names of verbs. With "contradictory" these verbs get equations that contradict each other,
and "scaled" stands for the systems with a root. A root that is reported where there is none is
false, and so is a failure of the default call where a root is near.
"""

import sys
import time
import warnings
from collections import Counter

import numpy as np

from sgsolve import Problem, SgsolveError, fsolve, root
from tests.presets import ALL_SOLVERS

# no y makes these zero, for c > 0; some only tend to zero, some jump over it
ROOTLESS = {
    "square": lambda y, c: y**2 + c,
    "exponential": lambda y, c: np.exp(y) + c,
    "catenary": lambda y, c: np.cosh(y) - 1.0 + c,
    "kink": lambda y, c: np.abs(y) + c,
    "hyperbola": lambda y, c: np.sqrt(y**2 + c) - 0.5 * np.abs(y),
    "saturation": lambda y, c: 1.0 - np.tanh(y * c),
    "peak": lambda y, c: 1.0 / (y**2 + c),
    "decay": lambda y, c: np.exp(-c * y),
    "angle": lambda y, c: np.arctan(y) - 0.5 * np.pi,
    "soft plus": lambda y, c: np.log1p(np.exp(-y)),
    "quartic": lambda y, c: y**4 - y**2 * np.sqrt(2.0 * c) + c,
    "bell": lambda y, c: np.exp(-((y * c) ** 2)),
    "jump": lambda y, c: np.where(y > c, y - c + 1.0, y - c - 1.0),
    "wave": lambda y, c: np.sin(y) + 1.0 + c,
    "ramp": lambda y, c: np.maximum(y, 0.0) + c,
    "logistic": lambda y, c: 1.0 / (1.0 + np.exp(-y)) - 1.0 - 1e-3 * c,
    "logarithm": lambda y, c: np.log(y**2 + 1.0) + c,
}


def rootless(seed):
    """A system without a root in up to three unknowns, and a start: name, F, x0."""
    rng = np.random.default_rng(seed)
    name = str(rng.choice(list(ROOTLESS)))
    f, c, n = ROOTLESS[name], 10.0 ** rng.uniform(-2.0, 2.0), int(rng.integers(1, 4))
    units, sizes = 10.0 ** rng.uniform(-4.0, 4.0, (2, n))
    m = rng.normal(size=3)

    def F(x):
        y = [x[i] / units[i] for i in range(n)]
        rest = [lambda: y[1] ** 3 + y[1] - m[1], lambda: y[2] - m[2] * y[1] + np.tanh(y[0])]
        first = f(y[0] + (0.3 * m[0] * y[1] if n > 1 else 0.0), c)
        return np.stack([sizes[0] * first, *(sizes[1 + i] * rest[i]() for i in range(n - 1))])

    return name, F, units * rng.normal(size=n) * 10.0 ** rng.uniform(-1.0, 1.5)


# each bends every unknown alone, so that the equations stay a linear system of what it gives
BENDS = {
    "straight": lambda y: y,
    "cubic": lambda y: y + 0.1 * y**3,
    "exponential": np.sinh,
    "saturation": lambda y: 3.0 * y / np.sqrt(1.0 + y**2),
}


def contradictory(seed):
    """Equations of which one says the same as the others but for its constant, and a start.

    The coefficients are integers and the units powers of two, so that no rounding reconciles them.
    """
    rng = np.random.default_rng(seed)
    name, n = str(rng.choice(list(BENDS))), int(rng.integers(2, 9))
    A, b = rng.integers(-3, 4, (n, n)).astype(float), rng.integers(-5, 6, n).astype(float)
    multipliers = rng.integers(-2, 3, n - 1)
    A[-1] = multipliers @ A[:-1]
    b[-1] = multipliers @ b[:-1] + rng.choice([-1, 1]) * rng.integers(1, 4)
    (sizes, units), order = 2.0 ** rng.integers(-20, 21, (2, n)), rng.permutation(n)

    def F(x):
        return (sizes * (A @ BENDS[name](x / units) - b))[order]

    return name, F, units * rng.normal(size=n) * 10.0 ** rng.uniform(-1.0, 1.5)


def scaled(seed, decades=12.0):
    """A system with a root near its start, its rows and columns in random units.

    Returns F, x0 and a function of x: the residual before the units, as a part of its terms.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 8))
    units, sizes = 10.0 ** rng.uniform(-decades, decades, (2, n))
    A = rng.normal(size=(n, n)) + n * np.eye(n)
    w, kinds = rng.uniform(0.5, 1.5, n) * rng.choice([-1.0, 1.0], n), rng.integers(0, 4, n)
    bends = (np.tanh, lambda y: 0.3 * y**3, np.exp, lambda y: 0.5 * np.sin(2.0 * y))

    def bent(y):
        return np.stack([bends[kinds[i]](y[i]) for i in range(n)])

    b = A @ w + bent(w)

    def error(x):
        y = x / units
        terms = np.abs(A) @ np.abs(y) + np.abs(bent(y)) + np.abs(b)
        return np.max(np.abs(A @ y + bent(y) - b) / terms)

    def F(x):
        y = x / units
        return sizes * (A @ y + bent(y) - b)

    return F, units * (w + 0.3 * rng.normal(size=n)), error


def by_solver(name):
    def solve(F, x0):
        return Problem(F).solve(x0, ALL_SOLVERS[name], raise_on_failure=False).success

    return solve


def by_transient(F, x0):
    """Whether time steps start where the algebraic equations F = 0 cannot hold."""
    problem = Problem(
        lambda x: np.concatenate([-x[:1], F(x[1:])]),
        storage=lambda x: np.concatenate([x[:1], 0.0 * x[1:]]),
    )
    return len(problem.transient(np.append(1.0, x0), (0.0, 1.0))) > 0


def with_parameter(F):
    return Problem(lambda x, a: F(x) * (1.0 + a), params={"a": 0.0})


def by_members(F, x0):
    starts = np.array([x0, 2.0 * x0, -x0, 0.5 * x0])
    return np.any(with_parameter(F).solve_many(starts, {"a": np.arange(4.0)}).success)


VERBS = {
    "default": lambda F, x0: Problem(F).solve(x0, raise_on_failure=False).success,
    **{name: by_solver(name) for name in ALL_SOLVERS},
    "root": lambda F, x0: root(F, x0).success,
    "fsolve": lambda F, x0: fsolve(F, x0, full_output=True)[2] == 1,
    "find_solutions": lambda F, x0: len(Problem(F).find_solutions(x0, max_solutions=2)) > 0,
    "sweep": lambda F, x0: len(with_parameter(F).sweep(x0, "a", [0.0, 1.0])) > 0,
    "continuation": lambda F, x0: len(with_parameter(F).continuation(x0, "a", (0.0, 1.0))) > 0,
    "bifurcation_diagram": lambda F, x0: (
        len(with_parameter(F).bifurcation_diagram(x0, "a", (0.0, 1.0), depth=0).branches) > 0
    ),
    "deflated_continuation": lambda F, x0: (
        with_parameter(F).deflated_continuation(x0, "a", [0.0, 1.0]).counts.any()
    ),
    "solve_many": by_members,
    "transient": by_transient,
}


def claims_a_root(verb, seed, system=rootless):
    """Whether a verb reports a root of a random system that has none; errors are refusals."""
    _, F, x0 = system(seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return bool(VERBS[verb](F, x0))
        except SgsolveError:
            return False


def misses_the_root(seed):
    """Why the default call finds no root of a random system that has one; empty if it does."""
    F, x0, error = scaled(seed)
    result = Problem(F).solve(x0, raise_on_failure=False)
    if not result.success:
        return result.status.name
    left = error(result.x)
    return "" if left < 1e-11 else f"the residual is {left:.1e} of its terms"


def main(count, verbs, system):
    for verb in verbs:
        began, false = time.process_time(), Counter()
        for seed in range(count):
            why = misses_the_root(seed) if verb == "scaled" else claims_a_root(verb, seed, system)
            if why:
                name = why if verb == "scaled" else system(seed)[0]
                false[name] += 1
                print(f"{verb} {seed}: {name}", flush=True)
        seconds = time.process_time() - began
        print(f"{verb}: {count} systems, {sum(false.values())} false, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    names = [name for name in sys.argv[2:] if name != "contradictory"]
    kind = contradictory if "contradictory" in sys.argv else rootless
    main(int(sys.argv[1]), names or [*VERBS, "scaled"], kind)
