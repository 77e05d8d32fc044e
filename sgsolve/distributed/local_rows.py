"""The residual and the Jacobian of the equations of one rank."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import ad
from ..errors import DataTypeError, ShapeError, StructureError
from ..linear.methods.parallel_petsc.petsc_options import integers, loaded
from ..linear.methods.parallel_petsc.petsc_rows import SortedRows


class LocalRows:
    """The equations of this rank as functions of the local unknowns.

    The sparsity pattern is found once, for every branch of the residual, and the matrix of PETSc is
    allocated with it. Later Jacobians bring values only.

    Parameters
    ----------
    layout : Box or Ghosts
    """

    def __init__(self, layout: Any) -> None:
        self._layout = layout
        self._size = int(np.prod(layout.own_shape))
        self._rows: SortedRows | None = None
        self._pattern: Any = None
        self._kept: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.matrix: Any = None

    def residual(self, function: Any, u: NDArray[Any]) -> NDArray[Any]:
        """Return the own equations, flat."""
        F = np.asarray(self._checked(function(u)))
        if F.dtype.kind not in "iuf":
            raise DataTypeError(f"the residual must return real numbers, not dtype {F.dtype}")
        return F.reshape(-1).astype(float)

    def prepare(self, function: Any, u: NDArray[Any]) -> None:
        """Find the pattern and allocate the matrix, the first time only."""
        if self._rows is not None:
            return
        y = self._checked(function(ad.seed_sparsity(u)))
        if not isinstance(y, ad.ADArray):
            raise StructureError("the residual does not depend on the unknowns")
        self._pattern = ad.sparsity_pattern(y.reshape(-1))
        numbers = self._layout.numbers()
        columns = numbers[self._pattern.indices]
        self._kept = np.flatnonzero(columns >= 0)  # beyond the boundary there are no unknowns
        vector = self._layout.vector()
        first, stop = vector.getOwnershipRange()
        rows = self._pattern.rows[self._kept]
        self._rows = SortedRows(rows, columns[self._kept], first, stop - first)
        module = loaded()
        size = stop - first, vector.getSize()
        indptr, indices = integers(self._rows.indptr), integers(self._rows.indices)
        values = np.zeros(len(indices))
        self.matrix = module.Mat().createAIJ(
            (size, size), csr=(indptr, indices, values), comm=module.COMM_WORLD
        )
        self.matrix.assemble()

    def jacobian(self, function: Any, u: NDArray[Any]) -> NDArray[Any]:
        """Put the Jacobian into the matrix; return ``|J| |x|``, the size of the terms that cancel.

        Returns
        -------
        ndarray, shape (own equations,)
        """
        rows = self._rows
        assert rows is not None, "prepare() comes first"
        y = self._checked(function(ad.seed(u))).reshape(-1)
        try:
            data = ad.jacobian_values(y, self._pattern)
        except StructureError as error:
            raise StructureError(
                f"the residual depends on other unknowns than at its start: {error}; choose the "
                "branches by ad.where"
            ) from error
        kept = data[self._kept]
        self.matrix.setValuesCSR(integers(rows.indptr), integers(rows.indices), rows.values(kept))
        self.matrix.assemble()
        x = np.abs(u.reshape(-1))[self._pattern.indices]
        return np.bincount(self._pattern.rows, np.abs(data) * x, self._size)

    def _checked(self, y: Any) -> Any:
        """Return what the residual returned, if it has the shape of the own equations."""
        if np.shape(y) != self._layout.own_shape:
            raise ShapeError(
                f"the residual returned shape {np.shape(y)}; this rank has "
                f"{self._layout.own_shape} equations"
            )
        return y
