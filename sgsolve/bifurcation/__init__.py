"""Bifurcations: folds, branch points and Hopf points along a run, and branch switching.

>>> Stability(count=4).count
4
"""

from . import branch_points, folds  # noqa: F401  # they register their kinds
from .hopf import Stability

__all__ = ["Stability"]
