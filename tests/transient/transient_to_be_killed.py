"""A long run in time with a checkpoint, to be killed: python transient_to_be_killed.py path."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sgsolve import Checkpoint, Problem


def run(path):
    def residual(y):
        return np.stack(
            [
                -77.27 * (y[1] + y[0] * (1 - 8.375e-6 * y[0] - y[1])),
                -(y[2] - (1 + y[0]) * y[1]) / 77.27,
                -0.161 * (y[0] - y[2]),
            ]
        )

    problem = Problem(residual, storage=lambda y: 1.0 * y)
    checkpoint = None if path is None else Checkpoint(path, points=7, seconds=100.0)
    return problem.transient(
        [1.0, 2.0, 3.0],
        (0.0, 360.0),
        rtol=1e-8,
        breakpoints=[100.0],
        events={"peak": lambda y: y[0] - 1e4},
        checkpoint=checkpoint,
        resume=path is not None,
    )


if __name__ == "__main__":
    print("finished", len(run(sys.argv[1])))
