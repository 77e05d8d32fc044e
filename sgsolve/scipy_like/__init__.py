"""SciPy's signatures in front of this package: `root`."""

from .root_finding import METHODS, root

__all__ = ["METHODS", "root"]
