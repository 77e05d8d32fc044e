"""Problem: equations with their parameters, and one module for each question about them.

A method of `Problem` calls a function in a module of its name. The modules by subject:

* What the user gives: ``signature``, ``definition``, ``given_jacobian``, ``storage``,
  ``null_space``, ``unknowns``, ``fields``, ``starting_point``; ``returned`` checks what functions
  return.
* Evaluations: ``residual_system``, ``compiled_functions``, ``parameters``, ``functional``,
  ``batch``, ``number_at_states``, ``central_differences``, ``allocation``, ``evaluation``.
* One solution: ``solve``, ``prepared_start``, ``consistency``, ``diagnosis``, ``report``; small
  systems in machine code: ``short_newton``. Several: ``solutions``, ``deflation_search``,
  ``known_solution``. Those of many members: ``members``.
* Sweeps: ``sweep``, ``parameter_path``, ``path_family``, ``pass_fold``.
* Curves: ``continuation``, ``curve_run``, ``parameter_family``, ``gauged_family``, ``stability``,
  ``chosen_point``, ``switch_branch``; in two parameters ``fold_curve``, ``fold_family``,
  ``hopf_curve``, ``hopf_family``, ``mass_pencil``; all branches: ``diagrams``; periodic orbits:
  ``orbits``.
* Derivatives of solutions: ``sensitivity``, ``small_signal``.
* In time: ``transient``, ``transient_checks``, ``time_system``, ``rate_outputs``;
  ``transient_sensitivity``, ``linearized_run``.
"""

from .problem import Problem
from .small_signal import SmallSignalResponse
from .solutions import SolutionSets
from .transient_sensitivity import TransientSensitivity

__all__ = ["Problem", "SmallSignalResponse", "SolutionSets", "TransientSensitivity"]
