"""Public names, read from the package and not by the scripts of the documentation."""

import inspect

import sgsolve
import sgsolve.devices
import sgsolve.distributed
import sgsolve.petsc


def names():
    """Full names of all public objects; one that two modules export counts for the first."""
    first = {}
    queue = [sgsolve, sgsolve.devices, sgsolve.petsc, sgsolve.distributed]
    for module in queue:
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.ismodule(value):
                queue.append(value)
            else:
                first.setdefault(id(value), f"{module.__name__}.{name}")
    return sorted(first.values())
