"""A long run with a checkpoint, to be killed: python run_to_be_killed.py sweep|curve path."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from sgsolve import Checkpoint
from tests.continuation.members import SLOW, top


def run(kind, path, resume=True):
    checkpoint = None if path is None else Checkpoint(path, points=3, seconds=100.0)
    options = {"checkpoint": checkpoint, "resume": resume and path is not None}
    if kind == "sweep":
        values = np.linspace(0.1, 3.4, 60)
        return SLOW.sweep(np.zeros(30), "lam", values, outputs={"top": top}, **options)
    steps = {"step": 0.1, "max_step": 0.3}
    bounds, outputs = (0.1, 4.0), {"top": top}
    return SLOW.at(lam=0.2).continuation(
        np.zeros(30), "lam", bounds, outputs=outputs, **steps, **options
    )


if __name__ == "__main__":
    branch = run(sys.argv[1], sys.argv[2])
    print("finished", len(branch))
