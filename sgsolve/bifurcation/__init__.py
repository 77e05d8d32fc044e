"""Bifurcations: folds, branch points and Hopf points along a run, and branch switching.

* ``spectra`` are eigenvalues, and ``normal_forms`` coefficients beside a special point
* ``branch_points`` detects branch points, and finds the branches that leave there
* ``folds`` and ``hopf`` detect folds and Hopf points, ``codimension_two`` points on their curves

>>> Stability(count=4).count
4
"""

from . import folds  # noqa: F401  # it registers its kind
from .branch_points import branch_point_detector  # noqa: F401  # the same
from .hopf import Stability

__all__ = ["Stability"]
