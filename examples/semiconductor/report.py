"""What the programs share besides `sgsolve.devices`: a table on the terminal, a picture in a file.

Computing, printing and drawing are separate, so that `main(...)` of a program returns its data and
a test never needs a display.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np


def table(columns: Mapping[str, Sequence[float] | np.ndarray], digits: int = 6) -> str:
    """Columns of numbers under their names.

    Examples
    --------
    >>> print(table({"V (V)": [0.0, 0.5], "J": [0.0, 1.25e-3]}, digits=3))
          V (V)          J
              0          0
            0.5    0.00125
    """
    width = max([digits + 8, *(len(name) + 2 for name in columns)])
    lines = ["".join(f"{name:>{width}s}" for name in columns)]
    rows = zip(*columns.values(), strict=True)
    lines += ["".join(f"{value:>{width}.{digits}g}" for value in row) for row in rows]
    return "\n".join(lines)


def figure(columns: int, height: float = 3.4) -> tuple[Any, Any]:
    """A figure with panels of equal width side by side, drawn without a display."""
    import matplotlib

    matplotlib.use("Agg", force=False)
    import matplotlib.pyplot as plt

    drawing = plt.figure(figsize=(4.2 * columns, height), layout="constrained")
    panels = [part.subplots() for part in np.atleast_1d(drawing.subfigures(1, columns))]
    return drawing, panels[0] if columns == 1 else panels


def save(drawing: Any, path: str | Path) -> None:
    """Write a figure, small, and forget it."""
    import matplotlib.pyplot as plt

    drawing.savefig(path, dpi=100)
    plt.close(drawing)


def run(main: Callable[..., Any], name: str) -> Any:
    """Run a program from the command line: ``--picture`` says where its picture goes."""
    parser = argparse.ArgumentParser(description=main.__doc__, formatter_class=_Plain)
    parser.add_argument(
        "--picture", default=f"{name}.png", help="file to write, default %(default)s"
    )
    arguments = parser.parse_args()
    if find_spec("matplotlib") is None:
        data = main(picture=None)
        print("\nno picture: matplotlib is missing; pip install 'sgsolve[plot]' brings it")
        return data
    data = main(picture=arguments.picture)
    print(f"\npicture: {arguments.picture}")
    return data


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keep the line breaks of the docstring."""
