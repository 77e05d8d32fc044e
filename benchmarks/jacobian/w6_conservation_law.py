"""W6: an implicit time step of a scalar conservation law in one dimension, u_t + f(u)_x = 0.

Two-phase flow after Buckley and Leverett, f = u^2 / (u^2 + M (1 - u)^2), with a local flux of Lax
and Friedrichs between n cells, inflow on the left and outflow on the right.
"""

import numpy as np
import scipy.sparse as sp
from sputil import Pattern


class ConservationLaw:
    ratio, speed = 0.5, 1.1

    def __init__(self, n):
        self.n = n
        self.inflow = np.ones(1)
        self.rate = n / 40.0  # dx / dt, for a time step of 40 dx^2
        at = np.linspace(0.0, 1.0, n)
        self.old = 0.8 * np.exp(-((4 * at) ** 2)) + 0.1
        self.volume = 1.0 + 0.2 * np.sin(20 * at)

    def points(self):
        wiggle = 0.01 * np.cos(0.37 * np.arange(self.n))
        return [self.old + wiggle, 0.9 * self.old]

    # shared source -----------------------------------------------------------------------
    def residual(self, u, ops):
        def f(s):
            s2 = s * s
            return s2 / (s2 + self.ratio * (1.0 - s) ** 2)

        left, right = ops.hstack([self.inflow, u]), ops.hstack([u, u[-1:]])
        flux = 0.5 * (f(left) + f(right)) - (0.5 * self.speed) * (right - left)
        return (u - self.old) * self.volume * self.rate + (flux[1:] - flux[:-1])

    # structure: three diagonals ---------------------------------------------------------------
    def structure(self):
        i = np.arange(self.n)
        rows = np.concatenate([i, i[1:], i[:-1]])
        cols = np.concatenate([i, i[:-1], i[1:]])
        return Pattern(rows, cols, (self.n, self.n))

    pattern = structure

    # by hand, numpy ------------------------------------------------------------------------
    def hand_setup(self):
        self.P = self.structure()
        n, slot = self.n, self.P.slot
        self.parts = slot[:n], slot[n : 2 * n - 1], slot[2 * n - 1 :]

    def flux_function(self, s):
        t = 1.0 - s
        s2 = s * s
        inverse = 1.0 / (s2 + self.ratio * t * t)
        f = s2 * inverse
        slope = (2.0 * self.ratio) * s * t * inverse * inverse
        return f, slope

    def hand_values(self, u):
        c = 0.5 * self.speed
        f, slope = self.flux_function(u)
        slope *= 0.5
        first = self.flux_function(self.inflow)[0]
        flux = np.empty(self.n + 1)
        np.add(f[1:], f[:-1], out=flux[1:-1])
        flux[0], flux[-1] = first[0] + f[0], 2.0 * f[-1]
        flux *= 0.5
        flux[1:-1] -= c * (u[1:] - u[:-1])
        flux[0] -= c * (u[0] - self.inflow[0])
        weight = self.volume * self.rate
        F = (u - self.old) * weight
        F += flux[1:]
        F -= flux[:-1]
        # d flux / d left and d flux / d right of the faces between cells
        by_left, by_right = slope + c, slope - c
        main = weight + by_left
        main[-1] = weight[-1] + 2.0 * slope[-1]  # the same value on both sides of the last face
        main -= by_right
        return F, (main, -by_left[:-1], by_right[1:])

    def hand_jacobian(self, u):
        F, values = self.hand_values(u)
        data = np.empty(self.P.nnz)
        for slot, part in zip(self.parts, values, strict=True):
            data[slot] = part
        return F, self.P.matrix(data)

    # by hand, assembled each time -----------------------------------------------------------
    def coo_setup(self):
        pass

    def coo_jacobian(self, u):
        F, (main, lower, upper) = self.hand_values(u)
        return F, sp.diags([main, lower, upper], [0, -1, 1]).tocsr()

    # by hand, numba ------------------------------------------------------------------------
    def numba_setup(self):
        from numba import njit

        self.P = self.structure()
        ratio, c = self.ratio, 0.5 * self.speed

        @njit
        def flux_and_slope(s):
            t = 1.0 - s
            inverse = 1.0 / (s * s + ratio * t * t)
            return s * s * inverse, ratio * s * t * inverse * inverse

        @njit
        def kernel(u, old, volume, rate, inflow, F, data):
            n = len(u)
            f_left, _ = flux_and_slope(inflow)
            f, slope = flux_and_slope(u[0])
            u_left, below, k = inflow, 0.0, 0
            flux_left = 0.5 * (f_left + f) - c * (u[0] - u_left)
            for i in range(n):
                last = i == n - 1
                f_right, slope_right = (f, slope) if last else flux_and_slope(u[i + 1])
                right = u[i] if last else u[i + 1]
                flux = 0.5 * (f + f_right) - c * (right - u[i])
                weight = volume[i] * rate
                F[i] = (u[i] - old[i]) * weight + flux - flux_left
                if i > 0:
                    data[k] = -(below + c)
                    k += 1
                data[k] = weight + (2.0 * slope if last else slope + c) - (slope - c)
                k += 1
                if not last:
                    data[k] = slope_right - c
                    k += 1
                below, f, slope, flux_left = slope, f_right, slope_right, flux

        self.kernel = kernel

    def numba_jacobian(self, u):
        F, data = np.empty(self.n), np.empty(self.P.nnz)
        self.kernel(u, self.old, self.volume, self.rate, self.inflow[0], F, data)
        return F, self.P.matrix(data)
