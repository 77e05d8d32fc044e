"""Flow in a box with a lid that moves: pressures that are determined up to a constant."""

import numpy as np

from sgsolve import Problem


def cavity(n, unit=1.0, **options):
    """Return the steady flow on a staggered grid of n x n cells, at the Reynolds number Re.

    `unit` is that of velocities and densities, so pressures have that of its cube.
    """
    h = 1.0 / n

    def flow(u, v, p, Re):
        across, along = np.pad(u, ((1, 1), (0, 0))), np.pad(v, ((0, 0), (1, 1)))
        beside = np.hstack([-across[:, :1], across, 2.0 * unit - across[:, -1:]])
        above = np.vstack([-along[:1], along, -along[-1:]])
        center_u, center_v = 0.5 * (across[1:] + across[:-1]), 0.5 * (along[:, 1:] + along[:, :-1])
        corner_u, corner_v = 0.5 * (beside[:, 1:] + beside[:, :-1]), 0.5 * (above[1:] + above[:-1])
        both = corner_u * corner_v
        carried_u = np.diff(center_u**2, axis=0) + np.diff(both[1:-1], axis=1)
        carried_v = np.diff(center_v**2, axis=1) + np.diff(both[:, 1:-1], axis=0)
        spread_u = np.diff(across, n=2, axis=0) + np.diff(beside, n=2, axis=1)[1:-1]
        spread_v = np.diff(along, n=2, axis=1) + np.diff(above, n=2, axis=0)[:, 1:-1]
        return {
            "u": (carried_u + np.diff(p, axis=0) / unit) / h - unit / Re * spread_u / h**2,
            "v": (carried_v + np.diff(p, axis=1) / unit) / h - unit / Re * spread_v / h**2,
            "p": (np.diff(across, axis=0) + np.diff(along, axis=1)) / h,
        }

    blocks = {"u": (n - 1, n), "v": (n, n - 1), "p": (n, n)}
    return Problem(flow, params={"Re": 100.0}, blocks=blocks, fields=True, **options)
