"""CostEstimate: what one Newton iteration of a problem will take, known before a factorization."""

from __future__ import annotations

import math
from dataclasses import dataclass

GIB = 2.0**30


@dataclass(frozen=True)
class CostEstimate:
    """Size and cost of the linear systems of a problem; ``print`` shows it as a table.

    Attributes
    ----------
    n, nnz : int
        Unknowns, and entries of the Jacobian.
    bandwidth : int
        Sub- plus superdiagonals in use, in the order of the unknowns.
    backend : str
        The back end that would serve.
    operations : float
        Multiplications and additions of a factorization; NaN where the back end cannot predict it.
    factor_bytes : float
        Memory of the factors with their work arrays; NaN where the back end cannot predict it.
    free_bytes : float
        Memory that is free now; infinity where the system hides it.
    remark : str
        Why another back end than the first choice would serve, or none can.

    See Also
    --------
    Problem.estimate : Make one.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import Problem
    >>> cost = Problem(lambda x: x**2 - 4.0).estimate(np.ones(3))
    >>> cost.nnz, cost.backend
    (3, 'dense')
    """

    n: int
    nnz: int
    bandwidth: int
    backend: str
    operations: float
    factor_bytes: float
    free_bytes: float
    remark: str = ""

    def __str__(self) -> str:
        rows = [
            ("unknowns", f"{self.n}"),
            ("entries", f"{self.nnz}"),
            ("bandwidth", f"{self.bandwidth}"),
            ("back end", self.backend),
            ("operations", _if_known(self.operations, "{:.2g} for a factorization")),
            ("memory", _if_known(self.factor_bytes / GIB, "{:.2g} GiB for the factors")),
            ("free", _if_known(self.free_bytes / GIB, "{:.2g} GiB")),
        ]
        if self.remark:
            rows.append(("remark", self.remark))
        return "\n".join(f"{name:>12}  {text}" for name, text in rows)


def _if_known(value: float, text: str) -> str:
    return text.format(value) if math.isfinite(value) else "not known beforehand"
