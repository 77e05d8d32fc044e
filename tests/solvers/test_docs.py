"""Reports of a solve say what docs/howto/failures.md promises."""

import re
from pathlib import Path

import matplotlib
import numpy as np

from sgsolve import Problem, Status, solvers
from tests.families import bratu


def test_explain_tells_stages_worst_equations_and_cost():
    problem = Problem(lambda x: np.exp(x) + 1.0, blocks={"rate": slice(0, 2)})
    text = problem.solve([0.0, 0.0], raise_on_failure=False).explain()
    for word in ("Stages:", "TrustRegion", "rate[0]", "Iterations:", "What to try", "Cost:"):
        assert word in text


def test_the_page_on_failures_has_a_section_for_each_status():
    path = "docs/howto/failures.md"
    page = (Path(__file__).parents[2] / path).read_text(encoding="utf-8")
    assert sorted(re.findall(r"^### (\w+)$", page, re.M)) == sorted(s.name for s in Status)
    result = Problem(np.exp).solve([0.0], solvers.Newton(max_iterations=1), raise_on_failure=False)
    assert result.explain().endswith(f"See section MAX_ITERATIONS of {path}.")


def test_plots():
    matplotlib.use("Agg")
    problem = Problem(bratu)
    result = problem.solve(np.zeros(20), solvers.Newton())
    ax = result.plot()
    assert len(ax.lines[0].get_xdata()) == len(result.history)
    branch = problem.sweep(np.zeros(20), "strength", [1.0, 2.0], outputs={"top": np.max})
    assert branch.plot("top").get_ylabel() == "top"
    matplotlib.pyplot.close("all")


def test_solvers_print_their_parts():
    text = repr(solvers.DampedNewton())
    for part in ("NewtonDirection", "NaturalMonotonicity", "ResidualTolerance", "CostBasedReuse"):
        assert part in text
