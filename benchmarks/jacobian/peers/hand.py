"""Hand-written Jacobians: they live in the workload files, next to the residual."""

from .base import Peer


class HandNumpy(Peer):
    """numpy, pattern precomputed, only the values filled on each call."""

    def setup(self, problem):
        self.problem = problem
        problem.hand_setup()
        self.evaluate = problem.hand_jacobian


class HandNumba(Peer):
    """numba, pattern precomputed, one fused loop: the practical limit on one core."""

    def imports(self):
        import numba  # noqa: F401

    def setup(self, problem):
        self.problem = problem
        problem.numba_setup()
        self.evaluate = problem.numba_jacobian


class HandCoo(Peer):
    """What is usually written first: the same derivatives, matrix assembled on every call."""

    def setup(self, problem):
        self.problem = problem
        problem.coo_setup()
        self.evaluate = problem.coo_jacobian
