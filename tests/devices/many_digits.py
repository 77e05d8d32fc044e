"""An independent device simulator in 64-digit arithmetic, for a few dozen nodes.

It shares nothing with the package: densities are unknowns, fluxes are Scharfetter and Gummel's
with B(x) = x/(exp(x) - 1), derivatives are differences, matrices are full, and the currents are
read at the contacts. With 64 digits all that is as good as it is simple.
"""

from decimal import Decimal, localcontext

import numpy as np

DIGITS = 64
STEP = Decimal(10) ** -22  # of the differences: their error is its square


def bernoulli(x):
    return Decimal(1) - x / 2 if abs(x) < Decimal(10) ** -30 else x / (x.exp() - 1)


class Simulator:
    """Boltzmann statistics, one intrinsic density, ohmic contacts; all per unit of depth.

    Parameters
    ----------
    lengths, edges, couples, volumes, doping : as a mesh has them
    contacts : dict of str to list of int
    p : dict of str to float
        T, eps_r, ni, mu_n, mu_p, tau_n, tau_p, n1, p1, B_rad, C_n, C_p, G, and for a mobility
        that saturates v_sat_n, v_sat_p, beta_n, beta_p.
    constants : q, k, eps0
    driven_by : "potential" or "quasi_fermi", what saturates the mobility
    """

    def __init__(self, mesh, doping, contacts, p, constants, driven_by="potential"):
        d = self.d = {k: Decimal(float(v)) for k, v in p.items()}
        self.q, self.eps0 = Decimal(constants.q), Decimal(constants.eps0)
        self.vt = Decimal(constants.k) * d["T"] / self.q
        lengths, couples = (
            [Decimal(float(v)) for v in values] for values in (mesh.lengths, mesh.couples)
        )
        self.edges = [
            (int(a), int(b), length, couple)
            for (a, b), length, couple in zip(mesh.edges, lengths, couples, strict=True)
            if couple != 0
        ]
        self.volumes = [Decimal(float(v)) for v in mesh.volumes]
        self.doping = [Decimal(float(v)) for v in doping]
        self.contacts = {k: [int(i) for i in np.atleast_1d(v)] for k, v in contacts.items()}
        held = [i for nodes in self.contacts.values() for i in nodes]
        self.free = [i for i in range(len(doping)) if i not in held]
        self.driven_by = driven_by

    def at_contacts(self, voltages):
        """psi, n, p of all contact nodes: neutral, in equilibrium."""
        found, ni = {}, self.d["ni"]
        for name, nodes in self.contacts.items():
            for i in nodes:
                dop = self.doping[i]
                c = (abs(dop) + (dop * dop + 4 * ni * ni).sqrt()) / 2
                sign = 1 if dop > 0 else -1
                psi = voltages.get(name, Decimal(0)) + sign * self.vt * (c / ni).ln()
                found[i] = (psi, c, ni * ni / c) if dop > 0 else (psi, ni * ni / c, c)
        return found

    def mobility(self, carrier, length, a, b, side):
        mu = self.d[f"mu_{carrier}"]
        if f"v_sat_{carrier}" not in self.d:
            return mu
        drop = a[0] - b[0]
        if self.driven_by == "quasi_fermi":
            drop -= side * self.vt * (a[2 - (side > 0)] / b[2 - (side > 0)]).ln()
        ratio = mu * abs(drop) / length / self.d[f"v_sat_{carrier}"]
        beta = self.d[f"beta_{carrier}"]
        power = (beta * ratio.ln()).exp() if ratio else Decimal(0)
        return mu / ((1 + power).ln() / beta).exp()

    def fluxes(self, edge, state):
        """D, Jn and Jp along an edge, times its couple."""
        i, j, length, couple = edge
        a, b = state[i], state[j]
        v = (a[0] - b[0]) / self.vt
        mu_n = self.mobility("n", length, a, b, 1)
        mu_p = self.mobility("p", length, a, b, -1)
        factor = self.q * self.vt / length * couple
        jn = factor * mu_n * (b[1] * bernoulli(-v) - a[1] * bernoulli(v))
        jp = -factor * mu_p * (b[2] * bernoulli(v) - a[2] * bernoulli(-v))
        return self.d["eps_r"] * self.eps0 * (a[0] - b[0]) / length * couple, jn, jp

    def balances(self, state):
        """The three equations of every free node."""
        d, sums = self.d, {i: [Decimal(0)] * 3 for i in self.free}
        for edge in self.edges:
            flux = self.fluxes(edge, state)
            for node, sign in ((edge[0], 1), (edge[1], -1)):
                if node in sums:
                    sums[node] = [s + sign * f for s, f in zip(sums[node], flux, strict=True)]
        rows = []
        for i in self.free:
            _, n, p = state[i]
            excess = n * p - d["ni"] ** 2
            rate = excess / (d["tau_p"] * (n + d["n1"]) + d["tau_n"] * (p + d["p1"]))
            rate += (d["B_rad"] + d["C_n"] * n + d["C_p"] * p) * excess - d["G"]
            qv = self.q * self.volumes[i]
            rows += [
                sums[i][0] - qv * (p - n + self.doping[i]),
                sums[i][1] - qv * rate,
                sums[i][2] + qv * rate,
            ]
        return np.array(rows)

    def whole(self, free, voltages):
        """State of all nodes from the unknowns."""
        state = self.at_contacts(voltages)
        for k, i in enumerate(self.free):
            state[i] = tuple(free[3 * k : 3 * k + 3])
        return state

    def jacobian(self, free, voltages):
        columns = []
        for k in range(len(free)):
            h = STEP * max(abs(free[k]), self.vt if k % 3 == 0 else Decimal(1))
            up, down = free.copy(), free.copy()
            up[k], down[k] = free[k] + h, free[k] - h
            two = [self.balances(self.whole(f, voltages)) for f in (up, down)]
            columns.append((two[0] - two[1]) / (2 * h))
        return np.stack(columns, axis=1)

    def solve(self, start, voltages):
        """Newton's method from a state nearby: (psi, n, p) of every node, doubles."""
        voltages = {name: Decimal(float(v)) for name, v in voltages.items()}
        free = np.array([Decimal(float(v)) for i in self.free for v in start[i]])
        for _ in range(12):
            balances = self.balances(self.whole(free, voltages))
            step = eliminate(self.jacobian(free, voltages), -balances)
            free = free + step
            sizes = [abs(s) / abs(f) for s, f in zip(step, free, strict=True) if f]
            # So small because a contact's current is the small difference of large ones.
            if max(sizes) < Decimal(10) ** -44:
                return free
        raise AssertionError("the reference did not converge")

    def current(self, free, voltages, name, omega=None):
        """Into the device at a contact; with displacement where omega is given (see admittance)."""
        state, total = self.whole(free, voltages), Decimal(0)
        for edge in self.edges:
            inside = [node in self.contacts[name] for node in edge[:2]]
            if inside[0] != inside[1]:
                d, jn, jp = self.fluxes(edge, state)
                total += (1 if inside[0] else -1) * (d if omega is not None else jn + jp)
        return total

    def admittance(self, free, voltages, name, frequency):
        """Complex dI/dV at one contact, all others at rest."""
        voltages = {k: Decimal(float(v)) for k, v in voltages.items()}
        omega = 2 * Decimal(np.pi) * Decimal(frequency)
        h, m = STEP, len(free)
        moved = [{**voltages, name: voltages.get(name, Decimal(0)) + s * h} for s in (1, -1)]
        by_v = [self.balances(self.whole(free, v)) for v in moved]
        right = -(by_v[0] - by_v[1]) / (2 * h)
        J, C = self.jacobian(free, voltages), np.full((m, m), Decimal(0))
        for k, i in enumerate(self.free):
            # sum Jn = q U V + q V dn/dt and sum Jp = -q U V - q V dp/dt
            C[3 * k + 1, 3 * k + 1] = -self.q * self.volumes[i]
            C[3 * k + 2, 3 * k + 2] = self.q * self.volumes[i]
        both = np.block([[J, -omega * C], [omega * C, J]])
        dx = eliminate(both, np.concatenate([right, np.full(m, Decimal(0))]))

        def along(read, part, with_v):
            """Derivative of what is read along the answer."""
            values = []
            for s, v in zip((1, -1), moved, strict=True):
                values.append(read(free + s * h * part, v if with_v else voltages))
            return (values[0] - values[1]) / (2 * h)

        def conduction(f, v):
            return self.current(f, v, name)

        def displacement(f, v):
            return self.current(f, v, name, omega)

        real, imaginary = dx[:m], dx[m:]
        y_re = along(conduction, real, True) - omega * along(displacement, imaginary, False)
        y_im = along(conduction, imaginary, False) + omega * along(displacement, real, True)
        return complex(y_re, y_im)


def eliminate(A, b):
    """Solve by Gauss with row pivoting, rows scaled."""
    A = np.concatenate([A, b[:, None]], axis=1)
    A = A / np.abs(A[:, :-1]).max(axis=1)[:, None]
    n = len(b)
    for k in range(n):
        pivot = k + int(np.argmax(np.abs(A[k:, k])))
        A[[k, pivot]] = A[[pivot, k]]
        for i in range(k + 1, n):
            if A[i, k]:
                A[i, k:] = A[i, k:] - A[k, k:] * (A[i, k] / A[k, k])
    x = A[:, -1]
    for k in range(n - 1, -1, -1):
        x[k] = (x[k] - A[k, k + 1 : n] @ x[k + 1 :]) / A[k, k]
    return x


def with_digits():
    """The context of all this arithmetic."""
    context = localcontext()
    context.__enter__().prec = DIGITS
    return context
