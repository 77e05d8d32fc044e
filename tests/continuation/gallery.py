"""Reference problems of continuation: residuals, written so that they scale."""

import numpy as np
import scipy.sparse as sp


def bratu(u, lam=0.1):
    h = 1.0 / (len(u) + 1)
    full = np.concatenate([[0.0], u, [0.0]])
    return (full[2:] - 2.0 * u + full[:-2]) / h**2 + lam * np.exp(u)


def bratu_2d(n):
    """Five points on n by n interior points of the unit square."""
    line = sp.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(n, n)) * (n + 1.0) ** 2
    eye = sp.eye_array(n)
    laplacian = sp.csr_array(sp.kron(line, eye) + sp.kron(eye, line))
    return lambda u, lam=0.5: laplacian @ u + lam * np.exp(u)


def s_curve(u, lam=0.0):
    return u**3 - 3.0 * u - (-3.0 + 6.0 * lam)


def tilted_pitchfork(x, mu=-1.0):
    return mu + x - x**3 / 3.0


def coupled_cubic(u, lam=0.0):
    full = np.concatenate([[0.0], u, [0.0]])
    ones = np.concatenate([[0.0], np.ones(len(u)), [0.0]])
    right = 1.0 + 0.25 * (ones[:-2] + ones[2:]) + 1.0
    return u + 0.25 * (full[:-2] + full[2:]) + lam * u**3 - right


def h_equation(n):
    """Chandrasekhar's equation, midpoint rule; the discrete one turns at c = 1 too."""
    mu = (np.arange(n) + 0.5) / n
    kernel = mu[:, None] / (mu[:, None] + mu[None, :]) / (2.0 * n)
    return lambda h, c=0.5: h - 1.0 / (1.0 - c * (kernel @ h))


def elastica(theta, lam=2.0, mu=0.0):
    h = 1.0 / (len(theta) + 1)
    full = np.concatenate([[0.0], theta, [0.0]])
    bending = (full[2:] - 2.0 * theta + full[:-2]) / h**2
    return bending + lam**2 * np.sin(theta) - mu * np.cos(theta)


def swift_hohenberg(n=200, length=12.0, nu=2.0, even=False):
    """-(1 + d_xx)^2 u + lam u + nu u^3 - u^5, the Laplacian squared as a matrix.

    With `even` the left end is a mirror: half of a symmetric state, which cannot be shifted.
    """
    h = length / n
    diagonal = np.full(n, -2.0)
    diagonal[0] += 1.0 if even else 0.0
    second = sp.diags_array([np.ones(n - 1), diagonal, np.ones(n - 1)], offsets=[-1, 0, 1]) / h**2
    inner = sp.csr_array(sp.eye_array(n) + second)
    operator = sp.csr_array(-(inner @ inner))
    return lambda u, lam=-0.1: operator @ u + lam * u + nu * u**3 - u**5


def allen_cahn(n):
    """On the unit square, +1 on two opposite sides and -1 on the others."""
    h = 1.0 / (n + 1)
    line = sp.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(n, n)) / h**2
    eye = sp.eye_array(n)
    laplacian = sp.csr_array(sp.kron(line, eye) + sp.kron(eye, line))
    sides = np.zeros((n, n))
    sides[[0, -1], :] += 1.0 / h**2
    sides[:, [0, -1]] -= 1.0 / h**2
    sides = sides.ravel()
    return lambda u, delta=0.04: delta * (laplacian @ u + sides) - (u**3 - u) / delta


def winged_cusp(x, lam=0.0):
    return x**3 - 2.0 * lam * x + lam**2 - 2.0 * lam + 1.0


def golubitsky_quartic(x, lam=0.0):
    return x**4 - lam * x + 5.0 + 0.5 * lam - 5.0 * x**2


def brusselator(u, b=2.0, a=2.0):
    """Two species without space: Hopf point at b = 1 + a^2 with frequency a."""
    x, y = u[:1], u[1:]
    return np.concatenate([a + x**2 * y - (b + 1.0) * x, b * x - x**2 * y])


class Arch:
    """A shallow arch under a point load that snaps through: PETSc SNES tutorial ex16's setting.

    Saint Venant-Kirchhoff material in three dimensions, trilinear bricks on a piece of a cylinder
    shell, held at the outer edges of its ends; written anew from the equations.
    """

    def __init__(self, cells=10, radius=100.0, arc=np.pi / 3, height=3.0, width=1.0):
        shape = (cells + 1, 2, 2)
        i, j, k = (a.ravel() for a in np.meshgrid(*map(np.arange, shape), indexing="ij"))
        angle = (i / cells - 0.5) * arc
        r = radius + j * height
        points = np.stack([r * np.sin(angle), r * np.cos(angle), width * (k - 0.5)], axis=1)
        number = np.arange(len(i)).reshape(shape)
        corners = [(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)]
        self.nodes = np.stack(
            [number[a : cells + a, b : 1 + b, c : 1 + c].ravel() for a, b, c in corners], axis=1
        )
        self.gradients, self.weights = self._shapes(points, np.array(corners))
        fixed = ((i == 0) | (i == cells)) & (j == 1)
        self.free = np.flatnonzero(np.repeat(~fixed, 3))
        self.size = 3 * len(i)
        loaded = (i == cells // 2) & (j == 1)
        self.load = np.zeros(self.size)
        self.load[3 * np.flatnonzero(loaded) + 1] = -5e3
        self.top = int(np.flatnonzero(self.free == 3 * np.flatnonzero(loaded)[0] + 1)[0])
        self.n = len(self.free)
        self.gather = sp.csr_array(
            (np.ones(self.n), (self.free, np.arange(self.n))), shape=(self.size, self.n)
        )
        dofs = (3 * self.nodes[:, :, None] + np.arange(3)).ravel()
        self.elements = (
            sp.csr_array(
                (np.ones(len(dofs)), (np.arange(len(dofs)), dofs)), shape=(len(dofs), self.size)
            )
            @ self.gather
        )

    def _shapes(self, points, corners):
        """Gradients (cell, point, corner, 3) and weights (cell, point)."""
        gauss = np.array([(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)])
        gauss = 0.5 + (gauss - 0.5) / np.sqrt(3.0)
        values = np.where(corners[None] == 1, gauss[:, None], 1.0 - gauss[:, None])
        slopes = 2.0 * corners[None] - 1.0 + 0.0 * values
        local = np.empty((8, 8, 3))
        for d in range(3):
            e, f = [other for other in range(3) if other != d]
            local[:, :, d] = slopes[:, :, d] * values[:, :, e] * values[:, :, f]
        jacobian = np.einsum("qad,mae->mqde", local, points[self.nodes])
        gradients = np.einsum("mqed,qad->mqae", np.linalg.inv(jacobian), local)
        return gradients, np.linalg.det(jacobian) / 8.0

    def residual(self, u, load=0.0, young=4e4, poisson=0.2):
        lame = poisson * young / ((1.0 + poisson) * (1.0 - 2.0 * poisson))
        mu = young / (2.0 * (1.0 + poisson))
        m = len(self.nodes)
        local = (self.elements @ u).reshape(m, 8, 3)
        # the gradient of the deformation, F[d][e] over (cell, point)
        F = [
            [
                sum(self.gradients[:, :, a, e] * local[:, a, d][:, None] for a in range(8))
                + (1.0 if d == e else 0.0)
                for e in range(3)
            ]
            for d in range(3)
        ]
        E = [
            [
                0.5 * (sum(F[c][d] * F[c][e] for c in range(3)) - (1.0 if d == e else 0.0))
                for e in range(3)
            ]
            for d in range(3)
        ]
        trace = E[0][0] + E[1][1] + E[2][2]
        S = [
            [2.0 * mu * E[d][e] + (lame * trace if d == e else 0.0) for e in range(3)]
            for d in range(3)
        ]
        forces = []
        for a in range(8):
            for d in range(3):
                stress = [sum(F[d][c] * S[c][e] for c in range(3)) for e in range(3)]
                density = sum(stress[e] * self.gradients[:, :, a, e] for e in range(3))
                forces.append(np.sum(density * self.weights, axis=1))
        inner = self.elements.T @ np.stack(forces, axis=1).ravel()
        return inner - load * self.load[self.free]


def far_start(seed):
    """A random system that has a solution, and a start 1 to 30 times its size away from it."""
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 8))
    A, B, solution = random.normal(size=(n, n)), random.normal(size=(n, n)), random.normal(size=n)
    rates = random.uniform(1.0, 4.0, n)
    G = (
        lambda x: A @ np.sin(rates * x) + 0.3 * (B @ x),
        lambda x: A @ x**3 - 3.0 * (B @ x),
        lambda x: np.tanh(3.0 * (A @ x)) + 0.1 * (B @ x),
        lambda x: np.exp(A @ x) - B @ x**2,
        lambda x: (A @ x) / (1.0 + x**2) + 0.05 * x,
    )[seed % 5]
    value = G(solution)
    x0 = solution + random.normal(size=n) * 10.0 ** random.uniform(0.0, 1.5)
    return (lambda x: G(x) - value), x0
