"""The box of a structured grid that one rank holds, with a margin of its neighbors: DMDA."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..linear.methods.parallel_petsc.petsc_options import join_ranks, loaded, petsc_words


class Box:
    """The part of a grid of 1, 2 or 3 dimensions that this rank holds.

    Parameters
    ----------
    shape : sequence of int
        Points of the whole grid in each direction.
    margin : int
        Width of the margin that the residual sees around the own points.
    components : int
        Unknowns at each point. With more than one, arrays have one more dimension, the last.

    Attributes
    ----------
    own : tuple of slice
        The points of this rank in the whole grid.
    own_shape, local_shape : tuple of int
        Shapes of what the residual returns, and of what it gets: with the margin.

    Raises
    ------
    BackendError
        petsc4py or mpi4py is not installed.
    InputError
        The shape is no grid, or margin or components are no positive integers.

    See Also
    --------
    Ghosts : Unstructured grids.

    Examples
    --------
    >>> from importlib.util import find_spec
    >>> if find_spec("petsc4py"):
    ...     from sgsolve import distributed
    ...     box = distributed.Box((4, 5))
    ...     assert box.local_shape == (6, 7)          # on one rank
    """

    def __init__(self, shape: Sequence[int], *, margin: int = 1, components: int = 1) -> None:
        lengths = tuple(shape) if isinstance(shape, Iterable) else ()
        if not (1 <= len(lengths) <= 3 and all(_is_count(length) for length in lengths)):
            raise InputError(f"a grid has 1 to 3 positive numbers of points, not {shape!r}")
        if not (_is_count(margin) and _is_count(components)):
            raise InputError(
                "margin and components must be positive integers, not "
                f"{margin!r} and {components!r}"
            )
        self.shape = tuple(int(length) for length in lengths)
        module = loaded()
        join_ranks(module)
        self.margin, self.components = margin, components
        dimensions = len(self.shape)
        # PETSc numbers the first direction fastest, NumPy the last.
        try:
            self._grid = module.DMDA().create(
                sizes=self.shape[::-1],
                dof=components,
                stencil_width=margin,
                stencil_type=module.DMDA.StencilType.BOX,
                boundary_type=(module.DM.BoundaryType.GHOSTED,) * dimensions,
                comm=module.COMM_WORLD,
            )
        except module.Error as error:
            raise InputError(
                f"a grid of {self.shape} points with a margin of {margin} cannot be spread over "
                f"{module.COMM_WORLD.getSize()} ranks: {petsc_words(error)}. Each rank needs at "
                "least as many points in each direction as the margin has"
            ) from error
        starts, lengths = (corner[::-1] for corner in self._grid.getCorners())
        self.own = tuple(
            slice(start, start + length) for start, length in zip(starts, lengths, strict=True)
        )
        last = () if components == 1 else (components,)
        self.own_shape = (*map(int, lengths), *last)
        self.local_shape = (*(int(length) + 2 * margin for length in lengths), *last)
        self._local = self._grid.createLocalVec()

    def vector(self) -> Any:
        """Return a new vector of PETSc for the unknowns of all ranks."""
        return self._grid.createGlobalVec()

    def local(self, x: Any) -> NDArray[Any]:
        """Return the own unknowns with the margin, zero beyond the boundary; a copy."""
        self._local.set(0.0)
        self._grid.globalToLocal(x, self._local)
        result: NDArray[Any] = self._local.array.reshape(self.local_shape).copy()
        return result

    def numbers(self) -> NDArray[np.int64]:
        """Return PETSc's numbers of the local unknowns, -1 beyond the boundary; flat."""
        return np.asarray(self._grid.getLGMap().getIndices(), dtype=np.int64)

    def start(self, values: Any) -> NDArray[Any]:
        """Return the own values of a number, of an array on the whole grid, or on the own part."""
        found = np.asarray(values, dtype=float)
        last = self.own_shape[len(self.shape) :]
        if found.shape == (*self.shape, *last) and found.shape != self.own_shape:
            found = found[self.own]
        if found.ndim and found.shape != self.own_shape:
            raise InputError(
                f"the start has shape {found.shape}; the grid needs {(*self.shape, *last)}, or "
                f"{self.own_shape} for the part of this rank"
            )
        return np.broadcast_to(found, self.own_shape)

    def whole(self, x: Any) -> NDArray[Any]:
        """Return the unknowns of all ranks, on each of them, in the shape of the grid."""
        natural = self._grid.createNaturalVec()
        self._grid.globalToNatural(x, natural)
        scatter, everything = loaded().Scatter.toAll(natural)
        scatter.scatter(natural, everything)
        result: NDArray[Any] = everything.array.copy()
        for item in (scatter, everything, natural):
            item.destroy()
        return result.reshape(*self.shape, *self.own_shape[len(self.shape) :])


def _is_count(value: Any) -> bool:
    """Whether it is a positive integer."""
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) > 0
