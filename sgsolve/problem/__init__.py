"""Problem: equations with their parameters, and one package for each question about them.

A method of `Problem` calls a function in a module of its name. Each package may import those
that stand above it:

* ``inputs``: what the user gives, each part checked.
* ``equations``: definition, values, Jacobians, derivatives by parameters, equations in time.
* ``diagnosis``: what a result says of the equations.
* ``short_newton``: small systems in machine code.
* ``families``: the systems along a parameter or a path of parameters.
* ``solves``: one solution, or several by deflation.
* ``members``: the solutions of many members of a family.
* ``sweeps``: solutions at values of parameters that the user names.
* ``curves``: continuation, and other branches.
* ``two_parameters``: curves of folds and of Hopf points.
* ``orbits``: periodic orbits.
* ``diagrams``: all branches.
* ``sensitivities``: derivatives of solutions, small oscillations.
* ``native_steps``: steps in time in machine code.
* ``time_runs``: runs in time, their outputs and derivatives.
"""

from .problem import Problem
from .sensitivities.small_signal import SmallSignalResponse
from .solves.solutions import SolutionSets
from .time_runs.transient_sensitivity import TransientSensitivity

__all__ = ["Problem", "SmallSignalResponse", "SolutionSets", "TransientSensitivity"]
