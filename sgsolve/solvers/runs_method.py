"""`RunsMethod`: what solvers that run one `NewtonMethod` in a way of their own have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from numpy.typing import NDArray

from ..errors import InputError
from ..results.blocks import Blocks
from .method import NewtonMethod


@dataclass(frozen=True, kw_only=True)
class RunsMethod:
    """A solver that runs another one; it passes on settings and the check of the start."""

    solver: NewtonMethod

    def __post_init__(self) -> None:
        if not isinstance(self.solver, NewtonMethod):
            raise InputError(f"solver must be a NewtonMethod, not {self.solver!r}")

    @property
    def name(self) -> str:
        """Name for reports."""
        return f"{type(self).__name__} ({self.solver.name})"

    @property
    def matrix_free(self) -> bool:
        """Whether the solver needs products J v only."""
        return self.solver.matrix_free

    def with_settings(self, **settings: Any) -> Self:
        """Return a copy whose solver has other settings."""
        return replace(self, solver=self.solver.with_settings(**settings))

    def check_start(self, x: NDArray[Any], blocks: Blocks) -> None:
        """Raise `InputError` if x lies outside the bounds that the solver keeps."""
        self.solver.check_start(x, blocks)
