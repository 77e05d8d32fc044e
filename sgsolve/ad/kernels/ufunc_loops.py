"""The inner loops of ufuncs: what NumPy itself calls to compute elements.

A kernel that calls them gives values that are bitwise equal to NumPy's. No other implementation of
``exp`` does. This also works for `scipy.special` and every other ufunc.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from ...private_api import ufunc_loops


class UfuncLoop(NamedTuple):
    """The loop of a ufunc for arguments of these types.

    Attributes
    ----------
    name : str
    signature : str
        As in ``ufunc.types``: "dd->d".
    function, data : int
        Addresses.
    """

    name: str
    signature: str
    function: int
    data: int


@functools.cache
def loop_of(ufunc: np.ufunc, types: str) -> UfuncLoop | None:
    """Return the loop of a ufunc of one result for arguments of these types.

    Parameters
    ----------
    ufunc : ufunc
    types : str
        "d" or "?" for each argument.
    """
    if ufunc.signature is not None or ufunc.nout != 1 or ufunc.nin != len(types):
        return None
    for signature, function, data in ufunc_loops(ufunc):
        if signature in (f"{types}->d", f"{types}->?") and function:
            return UfuncLoop(ufunc.__name__, signature, function, data)
    return None
