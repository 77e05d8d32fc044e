"""Random coordinates behind which known normal forms hide, and what differs from them."""

import numpy as np

from sgsolve import Problem

PLACE, DIGITS = 1e-8, 1e-8


class Hidden:
    """Coordinates z of normal coordinates w = u + shears, u = A (z - shift).

    Each w_i adds to u_i a polynomial of the u_j with j > i, so that the inverse is explicit.
    """

    def __init__(self, rng, n):
        turned = np.linalg.qr(rng.standard_normal((n, n)))[0]
        self.n, self.A = n, turned * rng.uniform(0.7, 1.4, n)
        self.inverse = np.linalg.inv(self.A)
        self.shift = rng.uniform(-1.0, 1.0, n)
        self.square = np.triu(rng.uniform(-0.3, 0.3, (n, n)), 1)
        self.cube = np.triu(rng.uniform(-0.1, 0.1, (n, n)), 1)
        self.by_storage = rng.random() < 0.5

    def straight(self, z):
        return self.A @ (z - self.shift)

    def normal(self, z):
        u = self.straight(z)
        return u + self.square @ u**2 + self.cube @ u**3

    def start(self, w):
        u = np.zeros(self.n)
        for i in range(self.n - 1, -1, -1):
            u[i] = w[i] - self.square[i] @ u**2 - self.cube[i] @ u**3
        return self.inverse @ u + self.shift

    def scale(self, w):
        """What the length 1 of a critical vector is in normal coordinates, at w = 0."""
        return 1.0 / float(np.linalg.norm(self.inverse @ np.array(w)))

    def problem(self, flow, **params):
        """dw/dt = flow(w, ...) seen in z."""
        names = ", ".join(params)
        scope = {"F": self._by_storage(flow) if self.by_storage else self._by_rates(flow)}
        residual = eval(f"lambda z, {names}: F(z, {names})", scope)
        storage = self.normal if self.by_storage else (lambda z: 1.0 * z)
        return Problem(residual, params=params, storage=storage)

    def _by_storage(self, flow):
        return lambda z, *p: -np.stack(flow(self.normal(z), *p))

    def _by_rates(self, flow):
        def residual(z, *p):
            u, f = self.straight(z), flow(self.normal(z), *p)
            rates = [0.0 * u[0]] * self.n
            for i in range(self.n - 1, -1, -1):
                slope = 2.0 * self.square[i] * u + 3.0 * self.cube[i] * u**2
                rates[i] = f[i] - sum(slope[j] * rates[j] for j in range(i + 1, self.n))
            return -(self.inverse @ np.stack(rates))

        return residual


def spectators(rng, count):
    """Rates of variables beside the critical ones, stable or not, with products of w[0]."""
    rates = rng.uniform(0.6, 2.0, count) * rng.choice([-1.0, 1.0], count)
    drive = rng.uniform(-0.5, 0.5, count)
    return lambda w, first: [
        rates[k] * w[first + k] + drive[k] * w[0] * w[first + k] for k in range(count)
    ]


class Report:
    """What differs from what is known, for one system."""

    def __init__(self):
        self.wrong = []

    def near(self, what, found, exact, digits=DIGITS):
        if (
            found is None
            or not np.isfinite(found)
            or abs(found - exact) > digits * max(1.0, abs(exact))
        ):
            self.wrong.append(f"{what}: {found} instead of {exact}")

    def one(self, branch, kind, **place):
        """The only special point of a kind of a branch, which lies at a place."""
        points = branch.special_points_of(kind)
        if len(points) != 1:
            listed = [str(point) for point in branch.special_points]
            self.wrong.append(f"{len(points)} {kind}, not 1: {listed}; {branch.message}")
            return None
        (name, value), *along = place.items()
        self.near(f"{kind} at {name}", points[0].parameter, value, PLACE)
        for other, number in along:
            self.near(f"{kind} at {other}", points[0].along[other], number, PLACE)
        return points[0]
