"""Arguments of the wrong kind, in every part of the package: the message names the argument."""

import warnings

import numpy as np
import pytest

from sgsolve import Checkpoint, Problem, ad, root, solvers
from sgsolve.bifurcation import Stability
from sgsolve.continuation import Arclength, ConstantPredictor, Homotopy
from sgsolve.errors import DataTypeError, InputError, SgsolveError, StructureError
from sgsolve.parallel import parallel_sweep
from sgsolve.pattern import Pattern

START = np.ones(4)
MASKED = np.ma.masked_array(START, [1, 0, 0, 0])


def square(x):
    return x**2 - 2.0


def line(x, a=1.0):
    return x - a


def own(jacobian):
    return Problem(square, jacobian=jacobian).solve(START)


CASES = {
    **{
        f"continuation({name}={value})": (
            lambda name=name, value=value: Problem(line).continuation(
                START, "a", (0, 3.0), **{name: value}
            ),
            name,
        )
        for name in ("step", "max_step")
        for value in (np.nan, np.inf, "a", 0.0, True)
    },
    **{
        f"{verb} of {name!r}": (
            lambda verb=verb, name=name, given=given: getattr(Problem(line), verb)(
                START, name, *given
            ),
            "parameter must be",
        )
        for verb, given in {
            "sweep": ([1.0, 2.0],),
            "continuation": ((0.0, 3.0),),
            "sensitivity": (),
            "bifurcation_diagram": ((0.0, 3.0),),
            "deflated_continuation": ([1.0, 2.0],),
        }.items()
        for name in (None, 3, 0.5, [], [1, 2], {"a": 1.0}, b"a", START)
    },
    **{
        f"find_solutions({name}={value})": (
            lambda name=name, value=value: Problem(square).find_solutions(START, **{name: value}),
            name,
        )
        for name, value in (
            ("max_solutions", None),
            ("max_solutions", "a"),
            ("max_solutions", 0),
            ("deflation", 3),
            ("deflation", "a"),
        )
    },
    "steps of a diagram": (
        lambda: Problem(line).bifurcation_diagram(START, "a", (0.0, 3.0), steps=0),
        "steps must be",
    ),
    "checkpoint=5": (lambda: Problem(line).sweep(START, "a", [1, 2], checkpoint=5), "checkpoint"),
    "Newton(limits=5)": (lambda: solvers.Newton(limits=5), "limits"),
    "DampedNewton(limits=5)": (lambda: solvers.DampedNewton(limits=5), "limits"),
    "Newton(limits=[5])": (lambda: solvers.Newton(limits=[5]), "limit"),
    "ResidualTolerance(relative=inf)": (
        lambda: solvers.ResidualTolerance(relative=np.inf),
        "relative.*finite",
    ),
    "ResidualTolerance(absolute=inf)": (
        lambda: solvers.ResidualTolerance(absolute={"a": np.inf}),
        "absolute",
    ),
    "ErrorTolerance(inf)": (lambda: solvers.ErrorTolerance(np.inf), "relative.*finite"),
    "RoundingLevel(inf)": (lambda: solvers.RoundingLevel(np.inf), "factor.*finite"),
    "x0 masked": (lambda: Problem(square).solve(MASKED), "x0 is a masked array"),
    "x0 an AD array": (lambda: Problem(square).solve(ad.seed(START)), "x0 is an AD array"),
    "x of residual an AD array": (lambda: Problem(square).residual(ad.seed(START)), "AD array"),
    "parameter an AD array": (
        lambda: Problem(lambda x, a: x - a, params={"a": ad.seed(START)}).solve(START),
        "parameter 'a' is an AD array",
    ),
    "parameter masked": (
        lambda: Problem(lambda x, a: x - a, params={"a": MASKED}).solve(START),
        "parameter 'a' is a masked",
    ),
    "residual masked": (
        lambda: Problem(
            lambda x: np.ma.masked_array(square(x), [0, 1, 0, 0]), jacobian=lambda x: np.diag(2 * x)
        ).solve(START),
        "masked array.*equation 1",
    ),
    "jacobian text": (lambda: own(lambda x: "a"), "jacobian returned 'a'"),
    "jacobian number": (lambda: own(lambda x: 2.0), "jacobian returned"),
    "jacobian vector": (lambda: own(lambda x: 2.0 * x), r"jacobian returned shape \(4,\)"),
    "jacobian ragged": (lambda: own(lambda x: [[1, 2], [3]]), "jacobian.*regular"),
    "jacobian complex": (lambda: own(lambda x: np.eye(4) * 1j), "jacobian.*complex128"),
    "jacobian of objects": (lambda: own(lambda x: np.eye(4, dtype=object)), "jacobian.*object"),
    "jacobian an AD array": (lambda: own(ad.seed), "jacobian returned an AD array"),
    "jacobian masked": (
        lambda: own(lambda x: np.ma.masked_array(np.eye(4), np.eye(4))),
        "jacobian.*masked",
    ),
    "jacobian zero": (lambda: own(lambda x: np.zeros((4, 4))), "jacobian.*zeros.*singular"),
    "branch of numbers": (lambda: ad.branch(START > 0, 1, 2), "branch.*functions"),
    "branch of arrays": (lambda: ad.branch(START > 0, START, START), "branch.*np.where"),
    "Pattern with fractions": (lambda: Pattern([0, 1], [0.5], (1, 1)), "indices.*integers"),
    "Pattern with NaN": (lambda: Pattern([0, np.nan], [0], (1, 1)), "indptr.*integers"),
    "Pattern of text": (lambda: Pattern(["0", "1"], [0], (1, 1)), "integers"),
    "sweep values masked": (lambda: Problem(line).sweep(START, "a", MASKED), "values.*masked"),
    "scale masked": (lambda: Problem(square, scale=MASKED).solve(START), "scale is a masked"),
    "seed masked": (lambda: ad.seed(MASKED), "masked"),
    "root masked": (lambda: root(square, MASKED), "x0 is a masked"),
    "root options": (lambda: root(square, START, options=5), "options must map"),
    "root callback": (lambda: root(square, START, callback=5), "callback must be"),
    "test and number": (lambda: solvers.ResidualTolerance() & 5, "joined with another one"),
    "test or number": (lambda: solvers.ResidualTolerance() | 5, "joined with another one"),
    "Robust(stages=5)": (lambda: solvers.Robust(stages=5), "stages"),
    "Robust of solvers": (lambda: solvers.Robust(stages=(solvers.Newton(),)), "stages"),
    "Bounds of text": (lambda: solvers.Bounds("a"), "Bounds: lower must be numbers"),
    "max_points": (
        lambda: Problem(line).continuation(START, "a", (0, 3.0), max_points="a"),
        "max_points",
    ),
    "detect": (lambda: Problem(line).continuation(START, "a", (0, 3.0), detect=5), "detect"),
    "stop": (lambda: Problem(line).continuation(START, "a", (0, 3.0), stop=5), "stop"),
    "steps": (lambda: Problem(line).continuation(START, "a", (0, 3.0), steps="x"), "steps"),
    "steps of a sweep": (lambda: Problem(line).sweep(START, "a", [1.0], steps="x"), "steps"),
    "branch returns nothing": (
        lambda: ad.branch(START > 2, lambda i: START[i], lambda i: None),
        "side has dtype object",
    ),
    "where of text": (lambda: ad.where(START > 0, "a", ad.seed(START)), "where.*numbers"),
    "jvp of None": (lambda: ad.jvp(lambda x: None, START, START), "returned None"),
    "jacobian of None": (lambda: ad.jacobian(lambda x: None, START), "returned None"),
    "jacobian of text": (lambda: ad.jacobian("f", START), "function of x is needed"),
    "sparsity_pattern of numbers": (lambda: ad.sparsity_pattern(START), "must be an AD array"),
    "jacobian_values of numbers": (lambda: ad.jacobian_values(START, None), "must be an AD array"),
    "jacobian_values on a number": (
        lambda: ad.jacobian_values(ad.seed(START), 5),
        "must be a Pattern",
    ),
    "check_jacobian shape": (
        lambda: ad.check_jacobian(square, START, jacobian=np.eye(2)),
        r"shape \(2, 2\)",
    ),
    "sparsesum of a number": (lambda: ad.sparsesum(5), "list of terms"),
    "sparsesum of one term": (lambda: ad.sparsesum(ad.sparsevec(3, [0], 1.0)), "list of terms"),
    "einsum twice": (lambda: np.einsum("i->ii", ad.seed(START)), "einsum.*'i'"),
    "einsum unknown": (lambda: np.einsum("i->j", ad.seed(START)), "einsum.*'j'"),
    "einsum axis": (lambda: np.einsum(ad.seed(START), [99]), "einsum.*99"),
    "einsum of too few operands": (lambda: np.einsum("i,i->i", ad.seed(START)), "einsum"),
    "einsum of too many axes": (lambda: np.einsum("ij->i", ad.seed(START)), "'ij' does not name"),
    "cross of two": (lambda: np.cross(ad.seed(START), START), "cross"),
    "max_angle": (lambda: Arclength(max_angle=180.0), "max_angle must be within 0 and 90"),
    "iterations of arclength": (lambda: Arclength(max_iterations=0), "at least 1"),
    "predictor of arclength": (
        lambda: Arclength(predictor=ConstantPredictor()),
        "TangentPredictor",
    ),
    "stability": (
        lambda: Problem(line).continuation(START, "a", (0, 3.0), stability=5),
        "stability must be True or a Stability",
    ),
    "bounds of text": (
        lambda: Problem(line).continuation(START, "a", "ab"),
        "bounds must be .lowest, highest",
    ),
    "one bound": (lambda: Problem(line).continuation(START, "a", 3.0), "bounds must be"),
    "no value to start from": (
        lambda: Problem(lambda x, a: x - a).continuation(START, "a", (0, 3.0)),
        "say where to start",
    ),
    "detect along two parameters": (
        lambda: Problem(lambda x, a, b: x - a * b).sweep(
            START, ("a", "b"), [(1.0, 1.0), (2.0, 2.0)], detect="branch point"
        ),
        "needs a sweep over one parameter",
    ),
    "detect with a null space": (
        lambda: Problem(line, null_space=np.ones(4)).sweep(
            START, "a", [1.0, 2.0], detect="branch point"
        ),
        "with null_space= needs Problem.continuation",
    ),
    "no path of one value": (
        lambda: Problem(line).sweep(START, "a", [1.0, 2.0], at_fold="turn"),
        "at_fold must be 'stop' or 'arclength', not 'turn'",
    ),
    "mass of another size": (
        lambda: Problem(line).continuation(
            START, "a", (0, 3.0), stability=Stability(mass=np.eye(3))
        ),
        r"mass has shape \(3, 3\) for 4 unknowns",
    ),
    "mass of another length": (
        lambda: Problem(line).continuation(
            START, "a", (0, 3.0), stability=Stability(mass=np.ones(3))
        ),
        r"mass has shape \(3,\) for 4 unknowns",
    ),
    "kind of homotopy": (lambda: Homotopy(kind="cubic"), "kind must be one of"),
    "Robust without stages": (lambda: solvers.Robust(stages=()), "stages is empty"),
    "time_limit of text": (
        lambda: Problem(line).solve(START, time_limit="1"),
        "time_limit must be",
    ),
    "time_limit of truth": (lambda: Problem(line).solve(START, time_limit=True), "time_limit"),
    "time_limit of zero": (
        lambda: Problem(line).solve(START, time_limit=0.0),
        "time_limit must be positive",
    ),
    "residual without x": (lambda: Problem(lambda x: START - 1.0).solve(START), "depend on x"),
    "storage a number": (
        lambda: Problem(line, storage=5.0),
        "storage must be a function or a name",
    ),
    "method of parallel runs": (
        lambda: parallel_sweep(Problem(line), START, "a", [1.0], [{}], method="solve"),
        "method must be 'sweep' or 'continuation'",
    ),
    "points of a checkpoint": (lambda: Checkpoint("a.npz", points=0), "points must be at least 1"),
    "seconds of a checkpoint": (lambda: Checkpoint("a.npz", seconds=-1.0), "not negative"),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name):
    call, words = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no cast goes wrong on the way to the message
        with pytest.raises(SgsolveError, match=words) as error:
            call()
    assert isinstance(error.value, (InputError, StructureError, DataTypeError))


def test_whole_floats_are_indices():
    assert Pattern(np.zeros(2), [], (1, 1)).nnz == 0
    assert Pattern([0.0, 1.0], [0.0], (1, 1)).nnz == 1
