"""The memory of the loops of steps in time, laid out once for a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ad.kernels.running.kernel_memory import address_of
from ...arrays import Vector
from ...linear.equilibration import Equilibration
from ...linear.methods.direct.band_storage import NARROW
from ...linear.methods.direct.banded import Banded
from ...linear.methods.direct.dense import Dense
from ...linear.solver import DirectParts
from ...pattern import Pattern
from ...transient.error_weights import ErrorWeights
from ...transient.methods.backward_differences import CAPACITY, MAX_ORDER, differencing
from ...transient.methods.bdf import CAP, BdfStepper
from ..short_newton.band_loops import BandSystem
from .step_loop import COLUMNS, MOST, N_WHOLE, NUMBERS, StepLoop, steps_at_once
from .user_calls import Called

FULL = 40  # unknowns up to which a full matrix is a band


def band_places(parts: DirectParts, pattern: Pattern) -> Any:
    """Return (lower, upper, places, before, after) of a band; None for other back ends."""
    backend, n = parts.backend, pattern.shape[0]
    if type(backend) is Banded:
        band = backend.band
        if band.lower + band.upper > NARROW:
            return None
        return band.lower, band.upper, band.places, band.before, band.after
    if n > FULL or type(backend) is not Dense:  # one of the user's factorizes itself
        return None
    width = max(1, n - 1)
    places = pattern.indices * (3 * width + 1) + (2 * width + pattern.rows - pattern.indices)
    return width, width, places, None, None


def step_loop_of(
    steps: BdfStepper,
    weights: ErrorWeights,
    pattern: Pattern,
    parts: DirectParts,
    calls: tuple[Vector, Called, Called],
    scaling: Equilibration,
) -> StepLoop | None:
    """Return the memory of the loops; None where the matrix is no narrow band.

    Parameters
    ----------
    calls : ndarray of shape (n,), and two Called
        Where x is, and what evaluates F and Q.
    scaling : Equilibration
        Of the matrix.
    """
    found = band_places(parts, pattern)
    if found is None:
        return None
    n, nnz = pattern.shape[0], pattern.nnz
    x, flow, storage = calls
    lower, upper, places, before, after = found
    orders = [np.arange(n) if order is None else order for order in (before, after)]
    A, b, y = np.zeros(nnz), np.zeros(n), np.zeros(n)
    lu = BandSystem({
        "n": n, "nnz": nnz, "lower": lower, "upper": upper, "A": A, "b": b, "y": y,
        "places": places.astype(np.int32), "exchanges": np.zeros(n, dtype=np.int32),
        "before": orders[0].astype(np.int32), "after": orders[1].astype(np.int32),
        "band": np.zeros(n * (2 * lower + upper + 1)), "work": np.zeros(n),
    })  # fmt: skip
    members = [np.arange(n)[part] for part in weights.parts]
    given = {
        "n": n, "nnz": nnz, "n_parts": len(members),
        "has_fixed": int(weights.fixed is not None), "max_order": steps.max_order,
        "max_iterations": steps.implicit.max_iterations,
        "whole": np.zeros(N_WHOLE, dtype=np.int32),
        "past": np.zeros(2 * (CAPACITY + 1) * 2 * n),
        **_coefficients(steps),
        "inherited": np.zeros(len(members)),
        "apart": np.array(weights.apart, dtype=np.int32),
        "begins": np.cumsum([0, *map(len, members)]).astype(np.int32),
        "quarters": np.array([len(part) // 4 for part in members], dtype=np.int32),
        "members": np.concatenate(members).astype(np.int32),
        "x": x, "F": flow.F, "Q": storage.F, "flow": flow.plan, "storage": storage.plan,
        "libm": np.array([address_of(("function", "pow"))], dtype=np.int64),
        "J": np.zeros(nnz), "C": np.zeros(nnz), "starts": pattern.indptr,
        "columns": pattern.indices, "factor": scaling.factor, "row": scaling.row,
        "column": scaling.column, "A": A, "b": b, "y": y,
        "lu": lu, "lower": lower, "upper": upper,
        **{name: getattr(lu, name) for name in ("band", "exchanges", "before", "after", "work")},
        "band_places": lu.places,
        "below": np.zeros(n * max(1, lower)), "above": np.zeros(n * max(1, upper)),
        "told": np.zeros(NUMBERS * MOST),
        "ends": np.zeros(steps_at_once(n) * n),
    }  # fmt: skip
    of_unknowns = [k for k, a in StepLoop.fields.items() if a == "Doubles" and k not in given]
    return StepLoop(given | {name: np.zeros(n) for name in of_unknowns})


def _coefficients(steps: BdfStepper) -> dict[str, Vector]:
    """Return the coefficients of the formulas as the loops read them."""
    formulas = steps.formulas
    caps = [np.inf, *(CAP ** (1.0 / k) for k in range(1, MAX_ORDER + 1))]
    rows = {
        "known": formulas.known,
        "ahead": formulas.ahead,
        "next_difference": formulas.next_difference,
        "pascal": [differencing(MAX_ORDER)[k] for k in range(MAX_ORDER + 1)],
        "mixing": [],
    }
    return {
        "alpha": formulas.alpha.copy(), "error_of_order": formulas.error.copy(),
        "caps": np.array(caps), "bases": np.zeros(COLUMNS),
        **{name: _rows_of_eight(lines) for name, lines in rows.items()},
    }  # fmt: skip


def _rows_of_eight(rows: list[Vector]) -> Vector:
    table = np.zeros((COLUMNS, COLUMNS))
    for k, row in enumerate(rows):
        table[k, : len(row)] = row
    return table.ravel()
