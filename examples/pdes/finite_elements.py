"""Nonlinear diffusion by finite elements
======================================

A weak form of scikit-fem, differentiated and solved, with its order of convergence.

Run ``python examples/pdes/finite_elements.py --picture elements.png``; it needs ``scikit-fem``.

The equation is -div((1 + u^2) grad u) = f on the unit square with u = 0 on its boundary. The
source f belongs to the exact solution sin(pi x) sin(pi y). scikit-fem gives mesh, elements and
quadrature. The integrals over the elements are added up so that the unknowns may be AD arrays.
"""

# sphinx_gallery_thumbnail_number = 2
from __future__ import annotations

import argparse
from types import SimpleNamespace
from typing import Any

import numpy as np
from skfem import Basis, ElementTriP1, ElementTriP2, Functional, MeshTri
from skfem.helpers import dot, grad

from sgsolve import Problem, ad


# %%
# Weak form
# ---------
# ``weak`` is also a linear form of scikit-fem.
def exact(x: Any) -> Any:
    """Return the manufactured solution."""
    return np.sin(np.pi * x[0]) * np.sin(np.pi * x[1])


def source(x: Any) -> Any:
    """Return -div((1 + u^2) grad u) of the manufactured solution."""
    u = exact(x)
    sine, cosine = np.sin(np.pi * x), np.cos(np.pi * x)
    slope = np.pi**2 * ((cosine[0] * sine[1]) ** 2 + (sine[0] * cosine[1]) ** 2)
    return (1.0 + u**2) * 2.0 * np.pi**2 * u - 2.0 * u * slope


def weak(v: Any, w: Any) -> Any:
    """Weak form at the quadrature points."""
    return (1.0 + w.u**2) * dot(w.slope, grad(v)) - source(w.x) * v


def assemble(form: Any, basis: Basis, u: Any) -> Any:
    """Integrals of form(v, w) for all test functions, shape (basis.N,); u may be an AD array."""
    dofs, shapes = basis.element_dofs, [functions[0] for functions in basis.basis]
    local = u[dofs]
    value = sum(c[:, None] * np.asarray(s) for c, s in zip(local, shapes, strict=True))
    slope = sum(c[:, None] * s.grad for c, s in zip(local, shapes, strict=True))
    w = SimpleNamespace(u=value, slope=slope, x=np.asarray(basis.global_coordinates()))
    integrals = [np.sum(form(v, w) * basis.dx, axis=1) for v in shapes]
    return ad.sparsesum(
        [ad.sparsevec(basis.N, dof, value) for dof, value in zip(dofs, integrals, strict=True)]
    )


# %%
# Computation
# -----------
# Solutions on a sequence of meshes, for linear and quadratic elements.
def solve(element: Any, refine: int) -> tuple[Basis, np.ndarray, float]:
    """Return the basis, the solution, and its error in the norm of L2."""
    basis = Basis(MeshTri().refined(refine), element, intorder=6)
    inner = np.setdiff1d(np.arange(basis.N), basis.get_dofs().all())

    def full(x: Any) -> Any:
        return ad.sparsesum([ad.sparsevec(basis.N, inner, x)])

    problem = Problem(lambda x: assemble(weak, basis, full(x))[inner])
    u = full(problem.solve(np.zeros(len(inner))).x)
    square = Functional(lambda w: (w.u - exact(w.x)) ** 2)
    return basis, u, float(np.sqrt(square.assemble(basis, u=basis.interpolate(u))))


def main(picture: str | None = None, levels: tuple[int, ...] = (2, 3, 4, 5)) -> dict[str, Any]:
    """Solve, draw if a file is named, and return the errors of both elements."""
    linear = [solve(ElementTriP1(), refine) for refine in levels]
    quadratic = [solve(ElementTriP2(), refine) for refine in levels[:-1]]
    found = {
        "h": 0.5 ** np.array(levels),
        "linear": np.array([error for _, _, error in linear]),
        "quadratic": np.array([error for _, _, error in quadratic]),
    }
    if picture is not None:
        draw(picture, *linear[-2][:2], found)
    return found


# %%
# Picture
# -------
# The solution on one mesh, and the errors over the mesh size.
def draw(picture: str, basis: Basis, u: np.ndarray, found: dict[str, Any]) -> None:
    """Draw both panels side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = (panel.subplots() for panel in figure.subfigures(1, 2))
    x, y = basis.mesh.p
    drawn = left.tripcolor(x, y, basis.mesh.t.T, u, shading="gouraud")
    left.triplot(x, y, basis.mesh.t.T, color="w", lw=0.3)
    left.set(xlabel="x", ylabel="y", title="solution u", aspect="equal")
    left.figure.colorbar(drawn, ax=left)
    for name, marker, order in (("linear", "o", 2), ("quadratic", "s", 3)):
        error = found[name]
        h = found["h"][: len(error)]
        (line,) = right.loglog(h, error, marker, label=name)
        right.loglog(h, error[0] * (h / h[0]) ** order, "--", color=line.get_color())
        right.annotate(f"order {order}", (h[-1], error[-1]), (8, -4), textcoords="offset points")
    right.minorticks_off()
    right.set_xticks(found["h"], [f"1/{1 / h:.0f}" for h in found["h"]])
    right.set(xlabel="mesh size h", ylabel="error in L2", title="convergence")
    right.legend()
    figure.savefig(picture, dpi=100)
    plt.close(figure)


# %%
# Output
# ------
# The errors on each mesh.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Nonlinear diffusion by finite elements")
    parser.add_argument("--picture", help="file to write; by default none is drawn")
    errors = main(parser.parse_args().picture)
    for kind in ("linear", "quadratic"):
        print(kind, *(f"{error:.3e}" for error in errors[kind]))
