"""The memory of the loops of a short solve, laid out once for a pattern and a back end."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import Vector
from ...linear.methods.direct.band_storage import NARROW
from ...linear.methods.direct.banded import BandMemory
from ...linear.solver import DirectParts
from ...pattern import Pattern
from ...results.blocks import Blocks
from ...solvers.acceptance.answered_rows import AnsweredRows
from ...solvers.acceptance.determination import small_changes
from .band_loops import BandSystem
from .short_iterate import ShortIterate
from .short_records import Settings

IN_BLOCKS = ("floors", "largest_in", "run_in")
ON_ENTRIES = ("J", "J_old", "sizes")


def iterate_for(
    pattern: Pattern,
    parts: DirectParts,
    settings: Settings,
    blocks: Blocks,
    rows: AnsweredRows,
    told: Vector,
) -> ShortIterate:
    """Return the memory of the loops.

    `rows` are those that the solver keeps too; `told` is what the history tells of the blocks.
    """
    n, nnz = pattern.shape[0], pattern.nnz
    tolerance, error, rounding, of_scale = settings.criterion
    scaling, memory = parts.prepared.scaling, parts.backend.memory
    numbers = {name: k for k, name in enumerate(blocks)}
    given = {
        "n": n,
        "nnz": nnz,
        "n_blocks": len(blocks),
        "dense": int(memory is not None),
        "damped": int(settings.damped),
        "has_scale": int(settings.has_scale),
        "of_scale": int(of_scale and settings.has_scale),
        "tolerance": tolerance,
        "error": error,
        "rounding": rounding,
        "starts": pattern.indptr,
        "columns": pattern.indices,
        "block": blocks.spread(numbers, 0.0).astype(np.int32),
        "residual_in": told[0],
        "step_in": told[1],
        "parts": small_changes(np.ones(n)),
        "known": rows.known,
        "J_known": rows.data,
        "factor": scaling.factor,
        "row": scaling.row,
        "column": scaling.column,
        "A": parts.prepared.values,
        "A_sizes": scaling.magnitude,
        # The loops write a full matrix into the memory of LAPACK, and look at the pivots there.
        "full": np.zeros(1) if memory is None else memory,
        **{name: np.zeros(len(blocks)) for name in IN_BLOCKS},
        **{name: np.zeros(nnz) for name in ON_ENTRIES},
    }
    of_unknowns = [k for k, a in ShortIterate.fields.items() if a == "Doubles" and k not in given]
    return ShortIterate(given | {name: np.zeros(n) for name in of_unknowns})


def narrow_band(backend: Any) -> BandMemory | None:
    """Return the band of a back end that the loops factorize; None for another storage."""
    band: BandMemory | None = getattr(backend, "band", None)
    return band if band is not None and band.lower + band.upper <= NARROW else None


def band_system(it: ShortIterate, band: BandMemory) -> BandSystem:
    """Return the linear system of an iterate in a band; it has no other memory."""
    n = it.n
    orders = [np.arange(n) if order is None else order for order in (band.before, band.after)]
    indices = {"places": band.places, "before": orders[0], "after": orders[1]}
    return BandSystem({
        "n": n, "nnz": it.nnz, "lower": band.lower, "upper": band.upper,
        "A": it.A, "b": it.b, "y": it.y, "band": band.flat, "work": np.zeros(n),
        "exchanges": np.zeros(n, dtype=np.int32),
        **{name: values.astype(np.int32) for name, values in indices.items()},
    })  # fmt: skip
