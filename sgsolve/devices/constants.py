"""Physical constants, which are an argument of a device.

Two programs that are to agree to 1e-9 must use the same charge and the same Boltzmann constant, and
published references rarely use today's values. The units are cm, s, V, A, C, F, K. Band energies
are in eV, so that divided by the unit charge they are volts.

Reference: CODATA 2018, doi.org/10.1103/RevModPhys.93.025010.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError


@dataclass(frozen=True)
class Constants:
    """The constants that the equations of a device need.

    Parameters
    ----------
    q : float
        Elementary charge, C.
    k : float
        Boltzmann constant, J/K.
    eps0 : float
        Vacuum permittivity, F/cm.

    Raises
    ------
    InputError
        If a constant is not positive.

    See Also
    --------
    CODATA2018 : The default of a device.

    Examples
    --------
    >>> from sgsolve.devices import CODATA2018
    >>> round(CODATA2018.thermal_voltage(300.0), 6)
    0.025852
    """

    q: float = 1.602176634e-19
    k: float = 1.380649e-23
    eps0: float = 8.8541878128e-14

    def __post_init__(self) -> None:
        for name, value in (("q", self.q), ("k", self.k), ("eps0", self.eps0)):
            if not 0.0 < value < 1.0:
                raise InputError(f"{name}: must be positive, in C, J/K and F/cm; got {value}")

    def thermal_voltage(self, temperature: float) -> float:
        """``k T / q`` in V for a temperature in K (a number or an AD scalar)."""
        return self.k * temperature / self.q


CODATA2018 = Constants()
