"""The public names of sgsolve: read from the package, so that no page has to list them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import sgsolve
import sgsolve.devices
import sgsolve.distributed
import sgsolve.petsc

# Headings of the reference by the file, or the package, that defines a name. What is not listed
# gets the name of its file as heading: a renamed file changes a heading and nothing else.
HEADINGS = {
    "ad.array": "AD arrays",
    "ad.drivers": "Values, Jacobians, sparsity patterns",
    "ad.drivers.jacobian_check": "Products and checks",
    "ad.drivers.jacobian_products": "Products and checks",
    "ad.functions.element_functions.bernoulli": "Special functions",
    "ad.functions.element_functions.branching": "Choices",
    "ad.functions.element_functions.defined_rules": "Functions of your own",
    "ad.functions.element_functions.special": "Special functions",
    "ad.functions.element_functions.user": "Functions of your own",
    "ad.functions.sparse_vectors": "Sums of sparse vectors",
    "ad.functions.vectors": "Joining and products",
    "ad.kernels": "Compiled functions",
    "ad.structures": "Constants and cache",
    "bifurcation.hopf": "Stability",
    "continuation": "Building blocks",
    "continuation.deflation": "Several solutions and poor initial guesses",
    "continuation.homotopy": "Several solutions and poor initial guesses",
    "continuation.steppers": "Step control",
    "devices.analyses": "Drive",
    "devices.analyses.admittance": "Small signals and sensitivities",
    "devices.analyses.bands": "Read and draw",
    "devices.analyses.current_derivatives": "Small signals and sensitivities",
    "devices.analyses.gummel_iteration": "Solve",
    "devices.constants": "Constants and statistics",
    "devices.device": "Device",
    "devices.equations": "Models",
    "devices.equations.time_form": "Solve",
    "devices.material": "Materials",
    "devices.meshes": "Meshes",
    "devices.models": "Models",
    "devices.models.carrier_statistics": "Constants and statistics",
    "devices.models.contacts": "Contacts and surfaces",
    "devices.models.interfaces": "Contacts and surfaces",
    "devices.models.tabulated_statistics": "Constants and statistics",
    "devices.solving": "Solve",
    "linear": "Back ends",
    "linear.methods.choose": "List and register back ends",
    "linear.methods.parallel_petsc": "PETSc",
    "linear.solver": "Linear solver",
    "linear.statistics": "Linear solver",
    "parallel": "Functions",
    "pattern": "Values, Jacobians, sparsity patterns",
    "problem.sensitivities.small_signal": "Results",
    "problem.time_runs.transient_sensitivity": "Results",
    "results": "Results",
    "scipy_like": "Functions",
    "solvers.acceptance.termination": "Termination criteria",
    "solvers.limits": "Step limiters",
    "solvers.method": "Solvers",
    "solvers.polyalgorithm": "Solvers",
    "solvers.presets": "Solvers",
    "solvers.solver_protocol": "Interfaces for parts of your own",
    "solvers.stages": "Solvers",
    "solvers.state.iterate": "Interfaces for parts of your own",
    "solvers.state.system": "Interfaces for parts of your own",
    "solvers.steps.damping": "Damping and trust regions",
    "solvers.steps.direction": "Directions",
    "solvers.steps.krylov": "Directions",
    "solvers.steps.levenberg_marquardt": "Damping and trust regions",
    "solvers.steps.reuse": "Reuse of the Jacobian",
    "solvers.steps.trust_region": "Damping and trust regions",
    "transient.currents": "Outputs",
    "transient.methods.step_settings": "Step control",
    "transient.sources": "Sources and events",
    "transient.time_events": "Sources and events",
}
FIRST = ("Problem", "Device", "Solvers", "Values, Jacobians, sparsity patterns", "Linear solver")
LAST = ("Building blocks", "Interfaces for parts of your own", "Errors", "Warnings")


@dataclass(frozen=True)
class Name:
    """A public name: the module that exports it, the name, the object, its heading."""

    module: str
    name: str
    value: Any
    heading: str

    @property
    def full(self) -> str:
        """Full name, as a user writes it."""
        return f"{self.module}.{self.name}"


def below(root: ModuleType) -> list[ModuleType]:
    """Return a module and every module among its public names, depth first."""
    inner = (getattr(root, n) for n in root.__all__)
    return [root, *(m for i in inner if inspect.ismodule(i) for m in below(i))]


def modules() -> list[ModuleType]:
    """Return all public modules. Nothing imports the last ones, so they are named here."""
    inner = sgsolve.devices, sgsolve.petsc, sgsolve.distributed
    return [*below(sgsolve), *(m for module in inner for m in below(module))]


def heading(value: Any) -> str:
    """Heading under which an object stands: errors and warnings by kind, others by their file."""
    if inspect.isclass(value) and issubclass(value, BaseException):
        return "Warnings" if issubclass(value, Warning) else "Errors"
    file = getattr(value, "__module__", type(value).__module__).partition(".")[2]
    parts = file.split(".")
    listed = (".".join(parts[:k]) for k in range(len(parts), 0, -1))
    own = parts[-1].replace("_", " ").capitalize()
    return next((HEADINGS[part] for part in listed if part in HEADINGS), own)


def names() -> list[Name]:
    """Return all public names, each object once: where it is exported first."""
    found: list[Name] = []
    seen: set[int] = set()
    for module in modules():
        for name in module.__all__:
            value = getattr(module, name)
            if not inspect.ismodule(value) and id(value) not in seen:
                seen.add(id(value))
                found.append(Name(module.__name__, name, value, heading(value)))
    return found


def groups(module: ModuleType) -> dict[str, list[Name]]:
    """Public names of one module under their headings, in the order of the page."""
    found: dict[str, list[Name]] = {}
    for name in names():
        if name.module == module.__name__:
            found.setdefault(name.heading, []).append(name)

    def place(title: str) -> tuple[int, str]:
        if title in LAST:
            return 2, f"{LAST.index(title)}"
        return (0 if title in FIRST else 1), title

    return {title: found[title] for title in sorted(found, key=place)}
