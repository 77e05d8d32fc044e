"""What a peer is: setup once, then evaluate(x) -> (residual, scipy sparse Jacobian)."""


class Peer:
    tolerance = 1e-8  # relative Jacobian difference allowed by the check

    def imports(self):
        """Import the peer's packages, so that their memory is not charged to setup."""

    def setup(self, problem):
        self.problem = problem

    def evaluate(self, x):
        raise NotImplementedError

    def notes(self):
        """Anything worth recording, such as the number of colors."""
        return {}
