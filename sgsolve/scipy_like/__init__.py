"""The signatures of SciPy for the solvers of this package: `root`."""

from .root_finding import METHODS, root

__all__ = ["METHODS", "root"]
