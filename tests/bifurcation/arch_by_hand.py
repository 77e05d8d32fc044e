"""The snap-through arch once more, by other means: Voigt matrices, displacement control, dense LU.

Nothing is shared with `gallery.Arch` but the numbers of the problem: the stiffness is written out
(material and geometric part), one brick after another, the load is the unknown that goes with a
prescribed sinking of the crown, and a fold is where its slope over the sinking is zero.

Reference: K.-J. Bathe, Finite Element Procedures (1996), section 6.3 (total Lagrangian form).
"""

import numpy as np
from scipy.optimize import brentq

CELLS, RADIUS, ARC, HEIGHT, WIDTH = 10, 100.0, np.pi / 3, 3.0, 1.0
YOUNG, POISSON, FORCE = 4e4, 0.2, 5e3
SIGNS = np.array([(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)], dtype=float)


def mesh():
    """Nodes (m, 3), bricks (cells, 8) in the order of SIGNS, and the numbers of marked nodes."""
    nodes, number = [], {}
    for i in range(CELLS + 1):
        angle = ARC * (i / CELLS - 0.5)
        for j in range(2):
            r = RADIUS + j * HEIGHT
            for k in range(2):
                number[i, j, k] = len(nodes)
                nodes.append((r * np.sin(angle), r * np.cos(angle), WIDTH * (k - 0.5)))
    corners = ((SIGNS + 1) / 2).astype(int)
    bricks = [[number[i + a, b, c] for a, b, c in corners] for i in range(CELLS)]
    held = [number[i, 1, k] for i in (0, CELLS) for k in range(2)]
    crown = [number[CELLS // 2, 1, k] for k in range(2)]
    return np.array(nodes), np.array(bricks), held, crown


def elasticity():
    """Stress over Green strain, in Voigt's order xx, yy, zz, xy, yz, zx with doubled shears."""
    lame = POISSON * YOUNG / ((1 + POISSON) * (1 - 2 * POISSON))
    mu = YOUNG / (2 * (1 + POISSON))
    C = np.diag([2 * mu] * 3 + [mu] * 3)
    C[:3, :3] += lame
    return C


def brick(points, u, C):
    """Internal forces (24,) and stiffness (24, 24) of one brick, u of shape (8, 3)."""
    force, K = np.zeros(24), np.zeros((24, 24))
    for gauss in SIGNS / np.sqrt(3.0):
        terms = 1.0 + SIGNS * gauss
        local = np.empty((8, 3))
        for d in range(3):
            e, f = (d + 1) % 3, (d + 2) % 3
            local[:, d] = SIGNS[:, d] * terms[:, e] * terms[:, f] / 8.0
        J = local.T @ points
        N, volume = local @ np.linalg.inv(J).T, np.linalg.det(J)
        F = np.eye(3) + u.T @ N
        E = 0.5 * (F.T @ F - np.eye(3))
        strain = np.array([E[0, 0], E[1, 1], E[2, 2], 2 * E[0, 1], 2 * E[1, 2], 2 * E[2, 0]])
        B = np.zeros((6, 24))
        for a in range(8):
            here = slice(3 * a, 3 * a + 3)
            for d in range(3):
                B[d, here] = F[:, d] * N[a, d]
            for row, (d, e) in enumerate(((0, 1), (1, 2), (2, 0)), start=3):
                B[row, here] = F[:, d] * N[a, e] + F[:, e] * N[a, d]
        s = C @ strain
        S = np.array([[s[0], s[3], s[5]], [s[3], s[1], s[4]], [s[5], s[4], s[2]]])
        force += volume * B.T @ s
        K += volume * (B.T @ C @ B + np.kron(N @ S @ N.T, np.eye(3)))
    return force, K


class ArchByHand:
    """The arch with its crown held at a given depth; `slope(depth)` is d load / d depth."""

    def __init__(self):
        self.nodes, self.bricks, held, crown = mesh()
        self.C, size = elasticity(), self.nodes.size
        self.free = np.setdiff1d(np.arange(size), [3 * k + d for k in held for d in range(3)])
        load = np.zeros(size)
        load[[3 * k + 1 for k in crown]] = -FORCE
        self.load = load[self.free]
        self.top = int(np.searchsorted(self.free, 3 * crown[0] + 1))
        self.start = 0.0, np.zeros(len(self.free)), 0.0

    def assembled(self, free):
        u = np.zeros(self.nodes.size)
        u[self.free] = free
        force, K = np.zeros(u.size), np.zeros((u.size, u.size))
        for nodes in self.bricks:
            dofs = (3 * nodes[:, None] + np.arange(3)).ravel()
            f, k = brick(self.nodes[nodes], u[dofs].reshape(8, 3), self.C)
            force[dofs] += f
            K[np.ix_(dofs, dofs)] += k
        return force[self.free], K[np.ix_(self.free, self.free)]

    def sunk(self, depth):
        """Return (u, load, slope) with the crown at a depth, from the state solved for last."""
        last, u, load = self.start
        steps = max(1, int(np.ceil(abs(depth - last) / 0.5)))
        n = len(u)
        for target in np.linspace(last, depth, steps + 1)[1:]:
            for _ in range(30):
                force, K = self.assembled(u)
                A = np.zeros((n + 1, n + 1))
                A[:n, :n], A[:n, n], A[n, self.top] = K, -self.load, -1.0
                r = np.append(load * self.load - force, target + u[self.top])
                step = np.linalg.solve(A, r)
                u, load = u + step[:n], load + step[n]
                if np.abs(step[:n]).max() < 1e-11:
                    break
            else:
                raise RuntimeError(f"no equilibrium at depth {target}")
        self.start = depth, u, load
        edge = np.zeros(n + 1)
        edge[n] = 1.0
        return u, load, float(np.linalg.solve(A, edge)[n])

    def folds(self, deepest, step=1.0):
        """Return the loads at which the load turns while the crown sinks."""
        found, before = [], self.sunk(0.0)[2]
        for depth in np.arange(step, deepest + step, step):
            now = self.sunk(depth)[2]
            if before * now < 0.0:
                where = brentq(lambda d: self.sunk(d)[2], depth - step, depth, xtol=1e-10)
                found.append(self.sunk(where)[1])
                self.sunk(depth)
            before = now
        return found
