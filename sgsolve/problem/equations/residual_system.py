"""ResidualSystem: the equations at fixed parameters, in the form that solvers take.

The residual is called with plain arrays for F, and with a seeded array for F and J together. The
values of J are put on a fixed sparsity pattern. If an evaluation has entries outside the pattern,
the pattern grows, for all later solves too. Solvers see no AD array.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import ad
from ...ad.drivers.function_calls import evaluate_vector
from ...ad.kernels.compiled_evaluation import FEW_UNKNOWNS, CompiledResult
from ...ad.ufuncs.ufunc_calls import raw_value
from ...arrays import Vector
from ...errors import InputError, NotFiniteError, StructureError
from ...norms import is_finite
from ...pattern import Pattern
from ...private_api import quiet
from ...results.history import Stats
from ..inputs.given_jacobian import checked, on_pattern, pattern_from_values
from ..inputs.returned import compare_values, real_vector, seeded_vector, vector
from ..inputs.signature import Call
from ..inputs.unknowns import Unknowns
from .allocation import Allocating
from .compiled_functions import CompiledFunctions

VAIN = 8  # evaluations by the kernel for F alone, after the other one did not serve


class ResidualSystem:
    """The system of equations for given parameters; a `solvers.System`.

    Parameters
    ----------
    kernels : CompiledFunctions, optional
        Compiled forms of the residual.
    """

    def __init__(
        self, call: Call, unknowns: Unknowns, n: int, kernels: CompiledFunctions | None = None
    ) -> None:
        self._call, self._unknowns = call, unknowns
        self.kernels = kernels
        self.n = n
        self.blocks = unknowns.blocks(n)
        self.scale = unknowns.scale(n)
        self._pattern = unknowns.pattern(n)
        self._ahead: tuple[bytes, CompiledResult] | None = None
        self._in_vain = 0  # evaluations that do not try to be ahead

    @property
    def params(self) -> dict[str, Any]:
        """The parameters."""
        return self._call.params

    @property
    def pattern(self) -> Pattern:
        """Where the Jacobian may have entries."""
        assert self._pattern is not None, "prepare() comes first"
        return self._pattern

    def follow_growth(self) -> None:
        """Take the pattern as other systems of the same problem have found or grown it."""
        self._pattern = self._unknowns.pattern(self.n)

    @property
    def defaults(self) -> dict[str, Any]:
        """Values that the residual itself gives to parameters that were not named."""
        return self._call.signature.defaults

    def at(self, params: Mapping[str, Any]) -> ResidualSystem:
        """Return the same system with other values of parameters."""
        call = self._call.replaced(params)
        return ResidualSystem(call, self._unknowns, self.n, self.kernels)

    @property
    def has_own_jacobian(self) -> bool:
        """Whether the user gave the Jacobian."""
        return self._call.signature.jacobian is not None

    @property
    def is_prepared(self) -> bool:
        """Whether the residual was checked, and its pattern found, at some x before."""
        return self._pattern is not None

    def value_of(self, name: str) -> Any:
        """Return the value of a parameter, the residual's own default included."""
        return self.params.get(name, self.defaults.get(name))

    def raw(self, x: Any) -> Any:
        """Return whatever the user's residual returns."""
        return self._call.residual(x)

    def unjoined(self, x: Any) -> Any:
        """Return whatever the user's residual returns, a list of equations as it is."""
        return self._call.unjoined(x)

    def raw_at(self, x: Any, params: dict[str, Any]) -> Any:
        """Return whatever the user's residual returns with these values of all its parameters."""
        return evaluate_vector(self._call.signature.residual, x, **params)

    def given_jacobian_at(self, x: Vector, params: dict[str, Any]) -> Any:
        """Return the user's Jacobian with these values of all its parameters, checked."""
        return checked(Call(self._call.signature, params).jacobian(x), self.n)

    def takes(self, name: str) -> bool:
        """Whether the residual takes a parameter of that name."""
        return self._call.signature.takes(name)

    def residual(self, x: Vector) -> Vector:
        """Return F(x) as a new float array; checks its type and shape, not its values."""
        if self.kernels is None:
            return self.residual_plainly(x)
        found = self._linearized_ahead(x)
        if found is not None:
            return found
        return self.kernels.residual().value(
            x, self.params, lambda: self.residual_plainly(x), self._pattern
        )

    def _linearized_ahead(self, x: Vector) -> Vector | None:
        """Return F(x) by the kernel for F and J, whose Jacobian is kept for `linearize` at x.

        For few unknowns a kernel takes next to no longer for both.
        """
        many = self.n > FEW_UNKNOWNS or self._pattern is None
        if many or self.kernels is None or self._in_vain > 0:
            self._in_vain -= 1
            return None
        found = self.replay(x)
        if found is None:
            self._in_vain = VAIN
            return None
        self._ahead = x.tobytes(), found
        return found.F

    def residual_plainly(self, x: Vector) -> Vector:
        """Return F(x), as NumPy evaluates it."""
        with Allocating("evaluate the residual", self.n):
            return real_vector(self._call.residual(x), self.n)

    def residual_quietly(self, x: Vector) -> Vector:
        """Return F(x) without NumPy's warnings; may hold values that are not finite."""
        with quiet():
            return self.residual(x)

    def linearize(self, x: Vector) -> tuple[Vector, Any]:
        """Return F(x) and J(x) on the pattern."""
        if self.has_own_jacobian:
            with Allocating("evaluate the Jacobian", self.n):
                return self.residual(x), self._on_pattern(self._user_jacobian(x))
        F, data, pattern = self.linearized(x)
        return F, pattern.matrix(data)

    def linearized(self, x: Vector) -> CompiledResult:
        """Return F and J by kernels, or by NumPy where there are none yet."""
        if self.kernels is None:
            return self.linearize_plainly(x)
        ahead = self._taken_ahead(x)
        if ahead is not None:
            return ahead
        with Allocating("evaluate the Jacobian", self.n):
            return self.kernels.residual().linearized(
                x, self.params, self.pattern, lambda: self.linearize_plainly(x)
            )

    def replay(self, x: Vector) -> CompiledResult | None:
        """Return F and J by the kernel that served last; None if it does not serve here."""
        assert self.kernels is not None
        return self.kernels.residual().replay(x, self.params, self._pattern, True)

    def _taken_ahead(self, x: Vector) -> CompiledResult | None:
        """Return what was kept for x, if the kernels are still in use."""
        kept, self._ahead = self._ahead, None
        if kept is None or self.kernels is None or self.kernels.stopped:
            return None
        return kept[1] if kept[0] == x.tobytes() else None

    def linearize_plainly(self, x: Vector) -> CompiledResult:
        """Return F(x), and J(x) on the pattern, as NumPy evaluates them."""
        with Allocating("evaluate the Jacobian", self.n):
            y = seeded_vector(self._call.residual(ad.seed(x)), self.n)
            try:
                data = ad.jacobian_values(y, self.pattern)
            except StructureError:
                self._pattern = self._unknowns.grow(self.n, ad.sparsity_pattern(y))
                data = ad.jacobian_values(y, self._pattern)
            return CompiledResult(np.array(raw_value(y), dtype=np.float64), data, self.pattern)

    def confirm(self, x: Vector, F: Vector) -> bool:
        """Whether the user's code gives this F; if not, kernels are dropped."""
        kernels = self.kernels
        if kernels is None or kernels.confirm(F, lambda: self.residual_plainly(x), self.blocks):
            return True
        self._ahead = None
        return False

    def verify_kernels(self, x: Vector, F: Vector | None = None) -> None:
        """Drop the kernels if one of them differs from the user's code, which gives F at x."""
        if self.kernels is not None and self.kernels.in_use:
            F = self.residual_plainly(x) if F is None else F
            self.kernels.verify(x, self.params, F, self.blocks)

    @property
    def is_impure(self) -> bool:
        """Whether kernels were dropped because the user's code gave other values."""
        return self.kernels is not None and self.kernels.is_impure

    def compiled_counts(self) -> Stats:
        """Return the counts of compiled evaluations so far, and why others were not."""
        if self.kernels is None:
            return Stats()
        found = self.kernels.stats()
        return Stats(n_compiled=found.compiled, not_compiled=dict(found.reasons))

    def n_compiled(self) -> int:
        """Return how many evaluations of F and J kernels have made so far."""
        return 0 if self.kernels is None else self.kernels.residual().stats.compiled

    def linearize_confirmed(self, x: Vector) -> tuple[Vector, Any]:
        """Return F(x) and J(x) on the pattern; F is what the user's code gives."""
        F, J = self.linearize(x)
        return (F, J) if self.confirm(x, F) else self.linearize(x)

    def jvp(self, x: Vector, v: Vector) -> Vector:
        """Return J(x) v without the matrix, unless the user gave the matrix."""
        product: Vector
        if self.has_own_jacobian:
            product = self._user_jacobian(x) @ v
            return product
        product = ad.jvp(lambda z: vector(self._call.residual(z), self.n), x, v)[1]
        return product

    def prepare(self, x: Vector, with_pattern: bool = True) -> Vector:
        """Check the residual at x, find the pattern if it is new, and return F(x)."""
        if self._pattern is not None:
            ahead = self._linearized_ahead(x)
            if ahead is not None and is_finite(ahead):
                return ahead
        F = self.checked_residual(x)
        self.verify_kernels(x, F)
        if self._pattern is None and with_pattern:
            with Allocating("find the pattern of the Jacobian", self.n):
                pattern = self.found_pattern(x, F)
                self._check_structure(pattern)
                self._pattern = self._unknowns.grow(self.n, pattern.with_diagonal())
        return F

    def checked_residual(self, x: Vector) -> Vector:
        """Validate what the residual returned, and return F(x)."""
        before = x.copy()
        with Allocating("evaluate the residual", self.n), quiet():
            value = self._call.residual(x)
        _check_unchanged("the residual", before, x)
        F = real_vector(value, self.n)
        self.check_finite(F)
        return F

    def check_finite(self, F: Vector) -> None:
        """Raise NotFiniteError, which names an equation, if a residual is not finite."""
        if not is_finite(F):
            bad = np.flatnonzero(~np.isfinite(F))
            raise NotFiniteError(
                f"the residual is not finite at the start, in {len(bad)} of {self.n} equations, "
                f"first {self.blocks.label(int(bad[0]))} = {F[bad[0]]}; start within the model"
            )

    def found_pattern(self, x: Vector, F: Vector | None = None) -> Pattern:
        """Return the pattern of the Jacobian, found at x, where the residual is F if that is given.

        Warns if the residual has other values on AD arrays than F: what is differentiated is not
        what is solved then.
        """
        if self._call.signature.jacobian is not None:
            before = x.copy()
            pattern = pattern_from_values(self._user_jacobian, x)
            _check_unchanged("jacobian", before, x)
            return pattern
        with quiet():
            y = vector(self._call.residual(ad.seed_sparsity(x)), self.n)
        if not isinstance(y, ad.ADArray):
            raise InputError(
                "the residual does not depend on x (or loses the dependence, for example by "
                "copying values into a new array); return an expression of x"
            )
        if F is not None:
            compare_values(y, F, self.blocks)
        return ad.sparsity_pattern(y)

    def _check_structure(self, pattern: Pattern) -> None:
        rows, columns = pattern.empty_rows, pattern.empty_columns
        if not len(rows) and not len(columns):
            return
        if pattern.nnz == 0 and self.has_own_jacobian:
            raise StructureError(
                "jacobian returned a matrix of zeros, at the start and around it: it is singular "
                "for every residual",
                rows=rows.tolist(),
                columns=columns.tolist(),
            )
        if pattern.nnz == 0:
            raise InputError("the residual does not depend on x; return an expression of x")
        parts = []
        if len(rows):
            parts.append(f"no unknown appears in equation {self._labels(rows)}")
        if len(columns):
            parts.append(f"unknown {self._labels(columns)} appears in no equation")
        raise StructureError("; ".join(parts), rows=rows.tolist(), columns=columns.tolist())

    def _labels(self, indices: NDArray[np.int64]) -> str:
        names = ", ".join(self.blocks.label(int(i)) for i in indices[:3])
        return names if len(indices) <= 3 else f"{names} and {len(indices) - 3} more"

    def _user_jacobian(self, x: Vector) -> Any:
        return checked(self._call.jacobian(x), self.n)

    def _on_pattern(self, J: Any) -> Any:
        """Return the same matrix on the fixed pattern, which grows if it has to."""
        placed = on_pattern(J, self.pattern)
        if placed is None:
            self._pattern = self._unknowns.grow(self.n, Pattern.of(J))
            placed = on_pattern(J, self.pattern)
        return placed


def _check_unchanged(function: str, before: Vector, x: Vector) -> None:
    if not np.array_equal(before, x):
        raise InputError(f"{function} changed x in place; it must be a pure function of x")
