"""Problems at the top of a module, so that workers can import them."""

import os
import time

import numpy as np

from sgsolve import Problem


def bratu(u, lam=1.0, bend=1.0):
    h = 1.0 / (len(u) + 1)
    full = np.concatenate([[0.0], u, [0.0]])
    return bend * (full[2:] - 2.0 * u + full[:-2]) / h**2 + lam * np.exp(u)


def moody(u, lam=1.0, mood="calm"):
    if mood == "angry":
        raise RuntimeError("no")
    if mood == "deadly":
        os._exit(3)
    return u**3 + u - lam


def slow_bratu(u, lam=1.0):
    time.sleep(0.002)
    return bratu(u, lam)


def top(u):
    return float(u.max())


BRATU, MOODY, SLOW = Problem(bratu), Problem(moody), Problem(slow_bratu)
