"""How a solution responds: to other parameters, and to parameters that oscillate a little.

`sensitivity` holds derivatives of the solution and of what is read off it, forward and adjoint;
`small_signal` the complex linear systems of small oscillations; `storage` the matrix of dx/dt.
"""

from .responses import Responses
from .small_signal import Response

__all__ = ["Response", "Responses"]
