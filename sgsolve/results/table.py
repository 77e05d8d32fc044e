"""Tables of columns as text, as `Branch` and other results print them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH = 14  # of a column, if its name is not longer
ROWS = 30  # that are shown; of longer tables the first and the last


def table_lines(columns: Mapping[str, NDArray[Any]]) -> list[str]:
    """Return the lines of a table: the names, and one row for each number of the columns."""
    widths = [max(WIDTH, len(name)) for name in columns]
    lines = [_line(list(columns), widths)]
    rows = list(zip(*columns.values(), strict=True))
    shown = rows if len(rows) <= ROWS else rows[: ROWS // 2] + rows[-(ROWS // 2) :]
    for i, row in enumerate(shown):
        if len(rows) > ROWS and i == ROWS // 2:
            lines.append(f"{f'... {len(rows) - ROWS} more ...':>{WIDTH}s}")
        lines.append(_line([_cell(value) for value in row], widths))
    return lines


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(f"{cell:>{width}s}" for cell, width in zip(cells, widths, strict=True))


def _cell(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"shape {value.shape}"
    # 0.0 is added because -0.0 prints as -0
    return f"{value + 0.0:.6g}" if isinstance(value, float | np.floating) else str(value)
