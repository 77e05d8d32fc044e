"""The critical eigenvalues of a steady state with their vectors, and how they turn with phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...arrays import Vector
from ..spectra.balance import Balance
from .form_coefficients import null_vectors

Powers = tuple[int, ...]  # of a monomial

RESONANT = 1e-6  # relative difference of two rates that count as equal


@dataclass(eq=False)
class CriticalModes:
    """The critical eigenvalues of a steady state; those of a pair stand side by side.

    Attributes
    ----------
    rates : ndarray of complex, shape (m,)
        lambda in (J + lambda C) q = 0.
    vectors, left : list of ndarray, shape (n,)
        q, and w with w (J + lambda C) = 0 and w C q = 1.
    charges : ndarray of int, shape (m, k)
        How each entry of z turns with the phase of each of k pairs.
    conjugate : ndarray of int, shape (m,)
        The entry that is conjugate to each.
    """

    rates: Vector = field(default_factory=lambda: np.empty(0, dtype=complex))
    vectors: list[Vector] = field(default_factory=list)
    left: list[Vector] = field(default_factory=list)
    charges: Vector = field(default_factory=lambda: np.empty((0, 0), dtype=int))
    conjugate: Vector = field(default_factory=lambda: np.empty(0, dtype=int))

    @classmethod
    def of(
        cls, J: Any, C: Any, frequencies: Sequence[float], near: Sequence[Vector | None] = ()
    ) -> CriticalModes:
        """Return the modes with some frequencies; one of zero stands for one real eigenvalue.

        Vectors have Euclidean length 1; the largest element of a real one is positive.

        Raises
        ------
        LinearSolveError
            If an eigenvalue is not simple.
        """
        modes, charges = cls(), list[Vector]()
        units = np.eye(len(frequencies), dtype=int)
        guesses = [*near, *([None] * (len(frequencies) - len(near)))]
        rates, conjugate = list[complex](), list[int]()
        for omega, unit, guess in zip(frequencies, units, guesses, strict=True):
            q, w = null_vectors(J, C, omega, guess)
            if omega == 0.0:
                q = q * np.sign(q[int(np.argmax(np.abs(q)))])
            w = w / (w @ (C @ q))
            k, pair = len(rates), omega != 0.0
            rates += [1j * omega, -1j * omega] if pair else [0.0]
            modes.vectors += [q, q.conj()] if pair else [q]
            modes.left += [w, w.conj()] if pair else [w]
            charges += [unit, -unit] if pair else [0 * unit]
            conjugate += [k + 1, k] if pair else [k]
        modes.rates, modes.charges = np.array(rates, dtype=complex), np.array(charges)
        modes.conjugate = np.array(conjugate)
        return modes

    def balanced(self, balance: Balance) -> CriticalModes:
        """Return the modes of the pencil with scaled rows and columns."""
        vectors = [q / balance.columns for q in self.vectors]
        return replace(self, vectors=vectors, left=[w / balance.rows for w in self.left])

    def entries(self, directions: Vector) -> Vector:
        """Return z for real coordinates, one for a real mode and two for a pair, by rows."""
        columns, k = list[Vector](), 0
        while k < len(self.rates):
            if self.conjugate[k] == k:
                columns.append(directions[:, k] + 0.0j)
                k += 1
                continue
            z = directions[:, k] + 1j * directions[:, k + 1]
            columns += [z, z.conj()]
            k += 2
        return np.array(columns).T

    def mirrored(self, powers: Powers) -> Powers:
        """Return the powers of the conjugate of a monomial."""
        return tuple(powers[k] for k in self.conjugate)

    def entry_like(self, powers: Powers) -> int | None:
        """Return the entry of z that turns as a monomial does.

        Raises
        ------
        ArithmeticError
            At a resonance: the rates agree, but not the phases.
        """
        charge, rate = np.array(powers) @ self.charges, complex(np.array(powers) @ self.rates)
        size = float(np.abs(self.rates).max())
        found = None
        for k, own in enumerate(self.charges):
            if (own == charge).all():
                found = k
            elif abs(rate - self.rates[k]) <= RESONANT * size:
                raise ArithmeticError("the frequencies are in a strong resonance")
        return found
