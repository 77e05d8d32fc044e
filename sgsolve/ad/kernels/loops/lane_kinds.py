"""Types of LLVM: numbers, and vectors with one number for each lane."""

from __future__ import annotations

LANES = 8  # doubles in the widest vectors of processors; LLVM divides them where these are shorter


def in_lanes(kind: str) -> str:
    """Return the type of a vector of numbers."""
    return f"<{LANES} x {kind}>"


def is_vector(kind: str) -> bool:
    """Whether a type is that of a vector."""
    return kind.endswith(">")


def of_lane(kind: str) -> str:
    """Return the type of one number."""
    return kind.removeprefix(f"<{LANES} x ").removesuffix(">")


def like(kind: str, element: str) -> str:
    """Return a type for other numbers: a vector if the type is that of a vector."""
    return in_lanes(element) if is_vector(kind) else element
