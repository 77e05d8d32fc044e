"""What was compiled, what was not, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace


@dataclass
class CompiledStats:
    """Counts of a compiled function.

    Attributes
    ----------
    kernels : int
        Kernels that were made.
    compiled, uncompiled : int
        Evaluations by a kernel, and by NumPy.
    seconds : float
        Time spent on tracing and compiling.
    reasons : Counter of str
        Why evaluations were not compiled.
    calls : Counter of str
        Functions that kernels call NumPy for, as they are no loops over elements.
    """

    kernels: int = 0
    compiled: int = 0
    uncompiled: int = 0
    seconds: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)

    def add(self, other: CompiledStats) -> None:
        """Add the counts of another function."""
        self.kernels += other.kernels
        self.compiled += other.compiled
        self.uncompiled += other.uncompiled
        self.seconds += other.seconds
        self.reasons.update(other.reasons)
        self.calls.update(other.calls)

    def copy(self) -> CompiledStats:
        """Return the same counts, which do not go on."""
        return replace(self, reasons=self.reasons.copy(), calls=self.calls.copy())

    def since(self, before: CompiledStats) -> CompiledStats:
        """Return what was counted after an earlier copy; the calls are those of all kernels."""
        return CompiledStats(
            self.kernels - before.kernels,
            self.compiled - before.compiled,
            self.uncompiled - before.uncompiled,
            self.seconds - before.seconds,
            self.reasons - before.reasons,
            self.calls.copy(),
        )

    def __str__(self) -> str:
        lines = [f"{self.compiled} of {self.compiled + self.uncompiled} evaluations"]
        if self.kernels:
            lines.append(f"{self.kernels} kernels in {self.seconds:.2g} s")
        if self.calls:
            lines.append("calls of " + ", ".join(sorted(self.calls)))
        lines += [f"{count} not: {reason}" for reason, count in self.reasons.most_common(3)]
        return "; ".join(lines)
