"""Problem: equations and their parameters, with every public method and its signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..ad import JacobianCheck
from ..ad.kernels.compiled_function import CompiledFunction
from ..bifurcation.hopf import Stability
from ..continuation.deflation import Deflation
from ..continuation.steppers.arclength import Arclength
from ..continuation.steppers.natural import Natural
from ..errors import DataTypeError, InputError
from ..linear.methods.iterative.krylov_backend import Krylov
from ..pattern import Pattern
from ..results.bifurcation_diagram import BifurcationDiagram
from ..results.branch import Branch
from ..results.checkpoint import Checkpoint
from ..results.cost import CostEstimate
from ..results.member_results import MemberResults
from ..results.periodic_orbit import PeriodicOrbit
from ..results.result import Result
from ..results.special_points import SpecialPoint
from ..solvers.state.workspace import Pool
from ..transient.methods.step_settings import TimeMethod
from ..transient.time_events import TimeEvent
from .curves.continuation import continuation as run_continuation
from .curves.switch_branch import branches_at as run_branches_at
from .curves.switch_branch import switch_branch as run_switch_branch
from .diagrams.bifurcation_diagram import bifurcation_diagram as run_bifurcation_diagram
from .equations.compiled_functions import CompiledFunctions
from .equations.definition import ProblemDefinition
from .equations.evaluation import (
    compare_jacobian,
    estimate_cost,
    evaluate_residual,
    linearize,
    sparsity,
)
from .equations.null_space import NullSpace
from .equations.storage import refuse_wrong_storage
from .inputs.fields import (
    FieldFunction,
    null_space_of_blocks,
    of_fields,
    pack,
    refuse_block_names,
    refuse_fields_without_option,
    unpack,
)
from .inputs.signature import Signature
from .inputs.unknowns import Unknowns
from .members.solve_many import solve_many as run_solve_many
from .orbits.orbit_continuation import orbit_continuation as run_orbit_continuation
from .orbits.periodic_orbit import periodic_orbit as run_periodic_orbit
from .sensitivities.sensitivity import sensitivity as run_sensitivity
from .sensitivities.small_signal import SmallSignalResponse, mass_matrix
from .sensitivities.small_signal import small_signal as run_small_signal
from .solves.solutions import SolutionSets
from .solves.solutions import deflated_continuation as run_deflated_continuation
from .solves.solutions import find_solutions as run_find_solutions
from .solves.solve import solve_problem
from .sweeps.sweep import sweep as run_sweep
from .time_runs.transient import transient as run_transient
from .time_runs.transient_sensitivity import TransientSensitivity
from .time_runs.transient_sensitivity import transient_sensitivity as run_transient_sensitivity
from .two_parameters.fold_curve import fold_curve as run_fold_curve
from .two_parameters.hopf_curve import hopf_curve as run_hopf_curve


class Problem:
    """The n equations F(x, parameters) = 0 in n unknowns.

    Parameters
    ----------
    residual : callable
        ``residual(x, **parameters) -> array of shape (n,)``, ordinary NumPy code. It must not
        change x, and must return the same for the same arguments.
    params : mapping, optional
        Values of the parameters; `at` gives the same problem at other values.
    blocks : mapping of str to tuple, slice or integers, optional
        Names of groups of unknowns, and of the equations with the same indices. By shapes,
        ``{"u": (20, 20), "p": 20, "c": ()}``: the blocks follow one another in this order. Or by
        indices, ``{"psi": slice(0, 100), "n": slice(100, 200)}``.
    jacobian : callable, optional
        ``jacobian(x, **parameters)`` -> matrix of shape (n, n), sparse or dense; instead of
        automatic differentiation.
    scale : float, array_like or mapping of block to float, optional
        Typical size of the unknowns, in your units: steps are measured by it, and the errors of
        `transient`. It does not decide whether an equation holds: its own terms do. By default it
        is taken from the iterates.
    storage : callable or str, optional
        ``storage(x, **parameters)`` -> (n,), what each equation stores: Q in F + dQ/dt = 0. Or the
        name of a parameter of the residual that is dx/dt. `small_signal` needs it.
    null_space : array_like of shape (n,) or (n, k), mapping, or callable, optional
        Vectors v with J v = 0 at every x: a pressure or potential that no equation refers to a
        level, a conserved total. A mapping of block to field is zero in other blocks. Or
        ``null_space(x, **parameters)`` -> such vectors, called at each start. In `solve`, `sweep`
        and `continuation` the component of x along them stays that of the start. Sensitivities have
        none. Eigenvalues that belong to it are left out. The null vectors of the transposed
        Jacobian are found from it.
    backend : str or object, optional
        Linear solver: "auto", a name known to `sgsolve.linear`, or an own object.
    preconditioner : matrix, LinearOperator, object with solve(v), or callable, optional
        An approximate inverse of the Jacobian, or a function of the Jacobian that returns one. All
        linear systems are then solved by GMRES with it: ``backend=linear.Krylov(preconditioner)``.
    fields : bool
        Call the residual with the blocks, each in its shape, instead of x:
        ``residual(u=u, p=p, **parameters)``. It may return a mapping of block to array, or one
        vector. The functions `jacobian`, `storage` and `null_space` are called in the same way.
    compiled : bool
        Evaluate the residual and its Jacobian by compiled kernels. The residual has the same bits;
        the Jacobian may differ by rounding. The residual must be pure: it depends on x and its
        parameters only, and runs again only to confirm each solution. Kernels are made when the
        time that they would have saved pays for it.
        ``result.stats`` says what was compiled. Not together with `jacobian`. Needs llvmlite,
        ``sgsolve[compiled]``.

    Raises
    ------
    InputError
        If `compiled` and `jacobian`, or `backend` and `preconditioner`, are both given, or if the
        preconditioner is none.
    DataTypeError
        If `compiled` or `fields` is neither True nor False, or `storage` neither a function nor a
        name.
    ParameterError
        If `storage` names no parameter of the residual.

    See Also
    --------
    solve, sweep, continuation, transient
    root : The arguments of SciPy.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import Problem
    >>> problem = Problem(lambda x, a: x**2 - a, params={"a": 4.0})
    >>> problem.solve([1.0, 3.0]).x
    array([2., 2.])
    >>> problem.at(a=9.0).solve([1.0, 3.0]).x
    array([3., 3.])

    Two fields by name, a temperature on a 3 x 3 grid and the power of a heater that holds its mean:

    >>> def heated(T, power, mean):
    ...     outside = np.pad(T, 1)
    ...     near = outside[2:, 1:-1] + outside[:-2, 1:-1] + outside[1:-1, 2:] + outside[1:-1, :-2]
    ...     return {"T": 4.0 * T - near - power, "power": np.mean(T) - mean}
    >>> blocks = {"T": (3, 3), "power": ()}
    >>> plate = Problem(heated, params={"mean": 1.0}, blocks=blocks, fields=True)
    >>> result = plate.solve(plate.pack(T=0.0, power=1.0))
    >>> result["T"].round(3).tolist()
    [[0.839, 1.068, 0.839], [1.068, 1.373, 1.068], [0.839, 1.068, 0.839]]
    """

    def __init__(
        self,
        residual: Callable[..., Any],
        *,
        params: Mapping[str, Any] | None = None,
        blocks: Mapping[str, Any] | None = None,
        jacobian: Callable[..., Any] | None = None,
        scale: Any = None,
        storage: Callable[..., Any] | str | None = None,
        null_space: Any = None,
        backend: Any = "auto",
        preconditioner: Any = None,
        fields: bool = False,
        compiled: bool = False,
    ) -> None:
        unknowns = Unknowns(blocks, scale)
        if isinstance(residual, CompiledFunction):
            residual, compiled = residual.function, True
        for name, value in (("compiled", compiled), ("fields", fields)):
            if not isinstance(value, bool | np.bool_):
                raise DataTypeError(f"{name}: must be True or False, not {value!r}")
        if compiled and jacobian is not None:
            raise InputError(
                "compiled=True compiles the residual together with its derivatives; leave out "
                "jacobian, or compiled"
            )
        if preconditioner is not None:
            if backend != "auto":
                raise InputError(
                    "preconditioner is for GMRES, the back end linear.Krylov; leave out backend, "
                    "or preconditioner"
                )
            backend = Krylov(preconditioner)
        if fields:
            refuse_block_names(unknowns, params)
            residual = FieldFunction(residual, unknowns, "the residual")
            jacobian = of_fields(jacobian, unknowns, "jacobian")
            storage = of_fields(storage, unknowns, "storage")
            null_space = of_fields(null_space, unknowns, "null_space")
        signature = Signature(residual, jacobian, params)
        refuse_wrong_storage(storage, signature)
        if not fields:
            refuse_fields_without_option(signature, unknowns)
        self._definition = ProblemDefinition(
            signature,
            unknowns,
            storage,
            NullSpace(null_space_of_blocks(unknowns, null_space)),
            Pool(backend, unknowns.indices if blocks else None),
            CompiledFunctions(residual) if compiled else None,
        )

    def __repr__(self) -> str:
        signature = self._definition.signature
        name = getattr(signature.residual, "__name__", type(signature.residual).__name__)
        params = ", ".join(signature.known) or "none"
        return f"Problem({name}, parameters: {params})"

    @property
    def params(self) -> dict[str, Any]:
        """The parameters and their values here."""
        return dict(self._definition.signature.params)

    def at(self, /, **params: Any) -> Self:
        """Return the same problem at other values of some parameters.

        It shares all else with this problem: blocks, scales, sparsity patterns, compiled programs
        and linear solvers. A pattern that one of them found is not analyzed again by the other.

        Parameters
        ----------
        **params
            The parameters that change, with their values; any name is allowed.

        Returns
        -------
        Problem
            At the new values.

        Raises
        ------
        ParameterError
            If the residual has no such parameter, or the value cannot be one.
        NotFiniteError
            If a value is not finite.

        See Also
        --------
        solve : Solve at these values.
        sweep : Solve at many values of one parameter.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x, a, b: a * x - b, params={"a": 1.0, "b": 6.0})
        >>> problem.at(a=2.0).solve([0.0]).x
        array([3.])
        >>> problem.at(a=2.0).params
        {'a': 2.0, 'b': 6.0}
        """
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        other._definition = self._definition.at(params)
        return other

    def pack(self, /, **fields: Any) -> Any:
        """Return the vector of unknowns with these blocks.

        Parameters
        ----------
        **fields
            An array for each block, in its shape; a number fills a block whose shape was given.
            AD arrays are allowed, inside a residual.

        Returns
        -------
        ndarray or AD array, shape (n,)
            The blocks one after the other, or at their indices.

        Raises
        ------
        InputError
            If a block is missing, or there is no such block.
        ShapeError
            If an array has another shape than its block.

        See Also
        --------
        unpack : The other direction.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda u, p: {"u": u - p, "p": p - 1.0}, blocks={"u": (2,), "p": ()},
        ...                   fields=True)
        >>> problem.pack(u=[1.0, 2.0], p=3.0)
        array([1., 2., 3.])
        """
        return pack(self._definition.unknowns, fields)

    def unpack(self, x: Any) -> dict[str, Any]:
        """Return the blocks of a vector by name, each in its shape.

        Parameters
        ----------
        x : array_like or AD array, shape (n,)
            The unknowns.

        Returns
        -------
        dict of str to ndarray or AD array
            Views of x, unless a block has indices that do not follow one another.

        Raises
        ------
        ShapeError
            If x has another number of unknowns than the blocks.

        See Also
        --------
        pack : The other direction.
        Branch.field : A block at all points of a branch.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x: x - 1.0, blocks={"u": (2, 2), "p": (1,)})
        >>> problem.unpack([0.0, 1.0, 2.0, 3.0, 4.0])["u"]
        array([[0., 1.],
               [2., 3.]])
        """
        return unpack(self._definition.unknowns, x)

    def residual(self, x: ArrayLike) -> NDArray[Any]:
        """Return F(x), shape (n,).

        Parameters
        ----------
        x : array_like, shape (n,)
            The unknowns.

        Returns
        -------
        ndarray, shape (n,)
            F(x).

        Raises
        ------
        InputError
            If x is wrong, or what the residual returned is no vector of length n.

        See Also
        --------
        linearize : The Jacobian too.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> Problem(lambda x, a: x**2 - a, params={"a": 4.0}).residual([1.0, 2.0])
        array([-3.,  0.])
        """
        return evaluate_residual(self._definition, x)

    def jacobian(self, x: ArrayLike) -> Any:
        """Return the sparse Jacobian dF/dx at x.

        Parameters
        ----------
        x : array_like, shape (n,)
            The unknowns.

        Returns
        -------
        csr_array, shape (n, n)
            On the pattern of the problem.

        Raises
        ------
        InputError
            If x is wrong, or what the residual returned is no vector of length n.

        See Also
        --------
        linearize : The residual too.
        check_jacobian : Compare it with differences.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> Problem(lambda x, a: x**2 - a, params={"a": 4.0}).jacobian([1.0, 2.0]).toarray()
        array([[2., 0.],
               [0., 4.]])
        """
        return linearize(self._definition, x)[1]

    def linearize(self, x: ArrayLike) -> tuple[NDArray[Any], Any]:
        """Return F(x) and dF/dx from one evaluation (the first one is checked by a second).

        Parameters
        ----------
        x : array_like, shape (n,)
            The unknowns.

        Returns
        -------
        F : ndarray, shape (n,)
            The residual.
        J : csr_array, shape (n, n)
            The Jacobian.

        Raises
        ------
        InputError
            If x is wrong, or what the residual returned is no vector of length n.

        See Also
        --------
        residual, jacobian

        Examples
        --------
        One step of Newton's method by hand:

        >>> from scipy.sparse.linalg import spsolve
        >>> from sgsolve import Problem
        >>> F, J = Problem(lambda x, a: x**2 - a, params={"a": 4.0}).linearize([1.0, 3.0])
        >>> [1.0, 3.0] - spsolve(J.tocsc(), F)
        array([2.5       , 2.16666667])
        """
        return linearize(self._definition, x)

    def sparsity(self, x: ArrayLike) -> Pattern:
        """Return the sparsity pattern of dF/dx.

        It holds on every branch of `ad.where` and `ad.branch`, with the diagonal added.

        Parameters
        ----------
        x : array_like, shape (n,)
            A point at which the residual can run.

        Returns
        -------
        Pattern, shape (n, n)
            Where dF/dx may have entries.

        See Also
        --------
        ad.sparsity_pattern : Of any function.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> Problem(lambda x: x * x[::-1] - 1.0).sparsity([1.0, 2.0]).nnz
        4
        """
        return sparsity(self._definition, x)

    def estimate(self, x: ArrayLike) -> CostEstimate:
        """Return size, operations and memory of a factorization of dF/dx, without doing it.

        Parameters
        ----------
        x : array_like, shape (n,)
            Where to evaluate the Jacobian; a start of `solve` serves.

        Returns
        -------
        CostEstimate
            It prints as a table. PARDISO, the banded and the dense back end predict their cost.
            SuperLU and MUMPS cannot.

        See Also
        --------
        solve : Find a solution.

        Examples
        --------
        >>> import numpy as np
        >>> from sgsolve import Problem
        >>> def residual(u):
        ...     full = np.pad(u, 1)
        ...     return 2.0 * u - full[2:] - full[:-2] - 1e-4 * np.exp(u)
        >>> cost = Problem(residual).estimate(np.zeros(1000))
        >>> cost.n, cost.nnz, cost.bandwidth, cost.backend, round(cost.factor_bytes)
        (1000, 2998, 2, 'banded', 24000)
        """
        return estimate_cost(self._definition, x)

    def check_jacobian(self, x: ArrayLike) -> JacobianCheck:
        """Compare the Jacobian at x (AD's or your own) with differences.

        Parameters
        ----------
        x : array_like, shape (n,)
            The point.

        Returns
        -------
        JacobianCheck
            True if they agree; prints the entries that do not.

        Raises
        ------
        InputError
            If x or F(x) is not finite.

        See Also
        --------
        ad.check_jacobian : Of any function.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> bool(Problem(lambda x, a: x**2 - a, params={"a": 4.0}).check_jacobian([1.0, 2.0]))
        True
        """
        return compare_jacobian(self._definition, x)

    def solve(
        self,
        x0: ArrayLike,
        solver: Any = None,
        *,
        raise_on_failure: bool = True,
        callback: Callable[[Any], Any] | None = None,
        verbose: bool = False,
        time_limit: float | None = None,
    ) -> Result:
        """Find x with F(x) = 0.

        Parameters
        ----------
        x0 : array_like, shape (n,), or mapping of block to array_like
            Where to start. A mapping is packed as by `pack`.
        solver : NewtonMethod or Robust, optional
            From `sgsolve.solvers`; `solvers.Robust` by default.
        raise_on_failure : bool
            Raise `ConvergenceError` (which carries the result), or return it.
        callback : callable, optional
            ``callback(iterate)`` after every iteration; return True to stop.
        verbose : bool
            Print a line per iteration.
        time_limit : float, optional
            Seconds after which the solve ends with the best point so far, under the status
            TIME_LIMIT; no limit by default. It is checked before every evaluation.

        Returns
        -------
        Result
            The solution and a report; after a failure, the best iterate.

        Raises
        ------
        InputError, StructureError, BackendError
            Before any iteration, if something cannot be right.
        ConvergenceError
            If no solution was found.
        SolveInterrupted
            After Ctrl-C; a KeyboardInterrupt whose ``result`` holds the best point so far. It is
            returned if `raise_on_failure` is False, under the status INTERRUPTED.

        See Also
        --------
        solve_many : Many starts, or many values of parameters.
        find_solutions : Several solutions.
        sweep : Many values of a parameter.
        continuation : A branch past its folds.
        root : The same with the arguments of SciPy.

        Examples
        --------
        >>> import numpy as np
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x, a: x * np.exp(x) - a, params={"a": 2.0})
        >>> result = problem.solve([1.0])
        >>> result.status.name, result.x.round(6).tolist()
        ('CONVERGED', [0.852606])
        """
        return solve_problem(
            self._definition, x0, solver, raise_on_failure, callback, verbose, time_limit
        )

    def solve_many(
        self,
        x0s: ArrayLike | Mapping[str, Any],
        params: Mapping[str, Any] | None = None,
        solver: Any = None,
        *,
        time_limit: float | None = None,
    ) -> MemberResults:
        """Solve many systems of the same kind: a family of starts and parameters.

        With llvmlite, many small systems are solved in machine code. With compiled kernels and a
        narrow band, one call evaluates many members, and one factorizes them. Members that do not
        converge there, and all other systems, are solved alone, as by `solve`. The criterion of
        success is that of `solve`.

        Parameters
        ----------
        x0s : array_like, shape (k, n) or (n,), or mapping
            The start of each member, or of all of them. In a mapping of block to field, fields of
            shape (k, ...) hold those of the members; others are the same for all.
        params : mapping of str to number or array_like, optional
            Parameters at other values than the problem's: a number for all members, or a list or
            array of k values. The rows of an array of shape (k, ...) are values that are arrays;
            an array for all members is set by `at`.
        solver : NewtonMethod or Robust, optional
            As for `solve`. Machine code serves if its first stage is `Newton`, `DampedNewton`, or
            another `NewtonMethod` with the direction of Newton and with `FullStep` or
            `NaturalMonotonicity`.
        time_limit : float, optional
            Seconds for all members. Those that are not done then have the status TIME_LIMIT.

        Returns
        -------
        MemberResults
            ``x`` of shape (k, n), with success, status, message and iterations of each member. A
            member that fails stops no other, and raises nothing.

        Raises
        ------
        InputError
            If the shapes do not fit, a number is not finite, or a start is outside the bounds;
            before any work. `ParameterError` for a parameter that the residual does not have.
        StructureError
            If an equation has no unknown, or an unknown no equation.

        See Also
        --------
        solve : One member.
        sweep : One after the other, each from the last solution.
        parallel_sweep : Sweeps of several members in several processes.

        Examples
        --------
        >>> import numpy as np
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x, a: x * np.exp(x) - a, params={"a": 2.0})
        >>> results = problem.solve_many(np.ones((3, 1)), {"a": [1.0, 2.0, 3.0]})
        >>> results.x[:, 0].round(4).tolist(), results.success.all()
        ([0.5671, 0.8526, 1.0499], np.True_)
        """
        return run_solve_many(self._definition, x0s, params, solver, time_limit)

    def find_solutions(
        self,
        x0: ArrayLike,
        *,
        max_solutions: int = 20,
        deflation: Deflation | None = None,
        solver: Any = None,
        time_limit: float | None = None,
    ) -> list[Result]:
        """Find several solutions from one start, or from several, by deflation.

        Parameters
        ----------
        x0 : array_like, shape (n,) or (starts, n), or mapping
            One start, or several. A mapping of block to field is one. They say how large unknowns
            are: solutions that differ in an unknown by 1e-12 only are found from starts of that
            size, not from one of 1.
        max_solutions : int
            Stop when so many are known.
        deflation : Deflation, optional
            How known solutions repel, how far apart two solutions are.
        solver : optional
            For the first solution; as in `solve`.
        time_limit : float, optional
            Seconds after which the search ends, with a `PartialBranchWarning`.

        Returns
        -------
        list of Result
            Successes only, all distinct, in the order in which they were found. That there are no
            more is not proven. After Ctrl-C those that are known, with a `PartialBranchWarning`.

        Raises
        ------
        InputError
            If an argument is wrong.

        See Also
        --------
        deflated_continuation : At every value of a parameter.
        switch_branch : Another branch at a branch point.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x: x**3 - x)
        >>> sorted(float(result.x[0].round(9) + 0.0) for result in problem.find_solutions([0.3]))
        [-1.0, 0.0, 1.0]
        """
        return run_find_solutions(
            self._definition, x0, max_solutions, deflation, solver, time_limit
        )

    def sweep(
        self,
        x0: ArrayLike,
        parameter: str | Sequence[str],
        values: Any,
        *,
        solver: Any = None,
        steps: Natural | None = None,
        outputs: Mapping[str, Callable[..., Any]] | None = None,
        detect: str | Sequence[str] = ("fold",),
        events: Mapping[str, Callable[..., Any]] | None = None,
        stop: str | Sequence[str] = (),
        until: Callable[..., bool] | None = None,
        stability: bool | Stability | None = None,
        keep_states: Any = "all",
        max_points: int | None = None,
        checkpoint: Checkpoint | str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        raise_on_failure: bool = False,
        callback: Callable[[Any], Any] | None = None,
        verbose: bool = False,
        time_limit: float | None = None,
        at_fold: str = "stop",
    ) -> Branch:
        """Solve for every value of a parameter, each solution the guess for the next.

        Parameters
        ----------
        x0 : array_like, shape (n,), or mapping of block to array_like
            Guess for the first value.
        parameter : str or sequence of str
            The parameter, or several that change together.
        values : sequence of float, or array_like of shape (points, names)
            In any order; each is reached exactly. A step that fails is halved, through values in
            between (along a straight line for several parameters). Later steps grow again.
        solver : NewtonMethod or Robust, optional
            For all points. By default `Robust` for the first. For the others `DampedNewton`
            with 30 iterations, then `AcrossKinks`.
        steps : Natural, optional
            Step control: the predictor, the smallest step, the limit on the number of solves.
        outputs : mapping of str to callable, optional
            ``{"current": lambda x: ...}``: columns of the branch. A function gets x, and those
            parameters that it names.
        detect : sequence of str
            "fold": where the sweep cannot continue, locate the fold. "branch point": locate the
            branch points between the values; costs a factorization per point.
        events : mapping of str to callable, optional
            Functions ``f(x, **parameters)`` of which zeros are located between the points.
        stop : str or sequence of str, optional
            Events and kinds of special points at which to end; the last point is there then.
        until : callable, optional
            ``until(x, **parameters)`` -> True ends the sweep there.
        stability : bool or Stability, optional
            Count unstable eigenvalues (column "unstable"), and locate Hopf points.
        keep_states : "all", "none" or int
            All, the last, or every k-th.
        max_points : int, optional
            Limit on the number of points.
        checkpoint : path or Checkpoint, optional
            Write the branch so far there, atomically, every 10 points or 30 seconds.
        resume : bool
            Continue from the checkpoint if the file is there.
        progress : bool, optional
            A progress bar; by default if tqdm is installed and the program runs in a terminal.
        raise_on_failure : bool
            Raise `ConvergenceError` when the sweep cannot continue, instead of a warning.
        callback : callable, optional
            ``callback(point)`` after every point, which has x, p, iterations; return True to end.
        verbose : bool
            Print a line per point.
        time_limit : float, optional
            Seconds after which the sweep ends with the points that it has, under TIME_LIMIT.
        at_fold : "stop" or "arclength"
            At a fold: end, or continue past the fold by arclength until the next value is reached.

        Returns
        -------
        Branch
            Partial, with a `PartialBranchWarning`, if the sweep could not continue or Ctrl-C was
            pressed.

        Raises
        ------
        ConvergenceError
            If even the first point fails.
        Exception
            Of your own code, as it was raised; its attribute ``branch`` holds the points so far.

        See Also
        --------
        continuation : Past folds, where the parameter turns back.
        parallel_sweep : Many sets of the other parameters.
        transient : In time.

        Examples
        --------
        >>> import numpy as np
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x, a: x * np.exp(x) - a)
        >>> branch = problem.sweep([0.5], "a", [1.0, 2.0], outputs={"square": lambda x: x[0] ** 2})
        >>> branch.states[:, 0].round(4).tolist(), branch["square"].round(4).tolist()
        ([0.5671, 0.8526], [0.3217, 0.7269])
        """
        return run_sweep(
            self._definition, x0, parameter, values, solver=solver, steps=steps, outputs=outputs,
            detect=detect, events=events, stop=stop, until=until, stability=stability,
            keep_states=keep_states, max_points=max_points, checkpoint=checkpoint, resume=resume,
            progress=progress, raise_on_failure=raise_on_failure, callback=callback,
            verbose=verbose, time_limit=time_limit, at_fold=at_fold,
        )  # fmt: skip

    def continuation(
        self,
        x0: ArrayLike,
        parameter: str,
        bounds: tuple[float, float] | None = None,
        *,
        solver: Any = None,
        steps: Arclength | None = None,
        step: float | None = None,
        max_step: float | None = None,
        outputs: Mapping[str, Callable[..., Any]] | None = None,
        detect: str | Sequence[str] = ("fold", "branch point"),
        events: Mapping[str, Callable[..., Any]] | None = None,
        stop: str | Sequence[str] = (),
        until: Callable[..., bool] | None = None,
        stability: bool | Stability | None = None,
        keep_states: Any = "all",
        max_points: int | None = None,
        checkpoint: Checkpoint | str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        raise_on_failure: bool = False,
        callback: Callable[[Any], Any] | None = None,
        verbose: bool = False,
        time_limit: float | None = None,
    ) -> Branch:
        """Follow the solution branch through x0 past its folds, by pseudo-arclength continuation.

        Parameters
        ----------
        x0 : array_like, shape (n,), or mapping of block to array_like
            Guess for the first point, at the value that the parameter has in the problem.
        parameter : str
            The parameter.
        bounds : (float, float), optional
            Where to end; hit exactly. None: no bounds, then `max_points` ends it.
        solver : optional
            For the first point; as in `solve`.
        steps : Arclength, optional
            All settings of the steps.
        step : float, optional
            Short for ``steps=Arclength(step=...)``: the first step, as a change of the parameter;
            negative goes down.
        max_step : float, optional
            The same for the longest step, in the same units.
        outputs : mapping of str to callable, optional
            Columns, as in `sweep`.
        detect : sequence of str
            Special points to locate, to 1e-10 in the parameter: "fold", "branch point".
        events : mapping of str to callable, optional
            Functions ``f(x, **parameters)``; where they pass through zero is located too.
        stop : str or sequence of str, optional
            Kinds of special points at which to end.
        until : callable, optional
            ``until(x, **parameters)`` -> True ends the branch there.
        stability : bool or Stability, optional
            Count unstable eigenvalues (column "unstable"), and locate Hopf points.
        keep_states : "all", "none" or int
            All, the last, or every k-th.
        max_points : int, optional
            Limit on the points; 400, with a warning when it is reached, by default.
        checkpoint : path or Checkpoint, optional
            Write the branch so far there, atomically, every 10 points or 30 seconds.
        resume : bool
            Continue from the checkpoint if the file is there.
        progress : bool, optional
            A progress bar, as in `sweep`.
        raise_on_failure : bool
            Raise `ConvergenceError` when the branch cannot continue, instead of a warning.
        callback : callable, optional
            ``callback(point)`` after every point, which has x, p, s, tangent, iterations; return
            True to end.
        verbose : bool
            Print a line per point.
        time_limit : float, optional
            Seconds after which the branch ends with the points that it has, under TIME_LIMIT.

        Returns
        -------
        Branch
            Columns: the parameter, "nit", "s" (arclength), "tangent"; ``branch.special_points``.
            Partial, with a `PartialBranchWarning`, if it could not continue. A special point that
            was detected but did not converge is an `ApproximateSpecialPoint` among them, printed
            as "fold at ... ± ...", with an `UnlocatedWarning`.

        Raises
        ------
        ConvergenceError
            If even the first point fails.
        Exception
            Of your own code, as it was raised; its attribute ``branch`` holds the points so far.

        See Also
        --------
        sweep : Given values of the parameter.
        switch_branch : The branch that crosses at a branch point.
        fold_curve : A fold in a second parameter.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> curve = Problem(lambda x, p: p + x - x**3 / 3, params={"p": -1.0})
        >>> branch = curve.continuation([-2.0], "p", (-1.0, 1.0))
        >>> print(*branch.special_points, sep="; ")
        fold at 0.666666666667; fold at -0.666666666667
        """
        return run_continuation(
            self._definition, x0, parameter, bounds, solver=solver, steps=steps, step=step,
            max_step=max_step, outputs=outputs, detect=detect, events=events, stop=stop,
            until=until, stability=stability, keep_states=keep_states, max_points=max_points,
            checkpoint=checkpoint, resume=resume, progress=progress,
            raise_on_failure=raise_on_failure, callback=callback, verbose=verbose,
            time_limit=time_limit,
        )  # fmt: skip

    def switch_branch(
        self,
        branch: Branch,
        special_point: SpecialPoint | int = 0,
        bounds: tuple[float, float] | None = None,
        *,
        steps: Arclength | None = None,
        step: float | None = None,
        max_step: float | None = None,
        outputs: Mapping[str, Callable[..., Any]] | None = None,
        detect: str | Sequence[str] = ("fold", "branch point"),
        events: Mapping[str, Callable[..., Any]] | None = None,
        stop: str | Sequence[str] = (),
        until: Callable[..., bool] | None = None,
        stability: bool | Stability | None = None,
        keep_states: Any = "all",
        max_points: int | None = None,
        checkpoint: Checkpoint | str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        raise_on_failure: bool = False,
        callback: Callable[[Any], Any] | None = None,
        verbose: bool = False,
        time_limit: float | None = None,
    ) -> Branch:
        """Follow the other branch that crosses at a branch point.

        Parameters
        ----------
        branch : Branch
            Of `continuation`.
        special_point : SpecialPoint or int
            A branch point of it, or the number of one among its branch points.
        bounds : (float, float), optional
            As in `continuation`; those of `branch` by default.
        steps : Arclength, optional
            As in `continuation`.
        step : float, optional
            Length of the first step, in the metric of the branch; the sign says to which side. By
            default 0.02 of the width of the bounds, or of the range of the branch without bounds.
        max_step, outputs, detect, events, stop, until, stability, keep_states : optional
            As in `continuation`.
        max_points, checkpoint, resume, progress, raise_on_failure, callback : optional
            As in `continuation`.
        verbose, time_limit : optional
            As in `continuation`.

        Returns
        -------
        Branch
            It begins beside the branch point.

        Raises
        ------
        ConvergenceError
            If the other branch could not be entered.

        See Also
        --------
        branches_at : All other branches, to both sides.
        continuation : Finds the branch points.
        find_solutions : Needs no branch point.

        Examples
        --------
        A pitchfork: the branch x = 0 loses its stability at p = 0.

        >>> from sgsolve import Problem
        >>> pitchfork = Problem(lambda x, p: p * x - x**3, params={"p": -1.0})
        >>> trivial = pitchfork.continuation([0.0], "p", (-1.0, 1.0))
        >>> other = pitchfork.switch_branch(trivial, 0, (-1.0, 1.0))
        >>> abs(float(other.x[0].round(6))), float(other["p"][-1])
        (1.0, 1.0)
        """
        return run_switch_branch(
            self._definition, branch, special_point, bounds, steps=steps, step=step,
            max_step=max_step, outputs=outputs, detect=detect, events=events, stop=stop,
            until=until, stability=stability, keep_states=keep_states, max_points=max_points,
            checkpoint=checkpoint, resume=resume, progress=progress,
            raise_on_failure=raise_on_failure, callback=callback, verbose=verbose,
            time_limit=time_limit,
        )  # fmt: skip

    def branches_at(
        self,
        branch: Branch,
        special_point: SpecialPoint | int = 0,
        bounds: tuple[float, float] | None = None,
        *,
        steps: Arclength | None = None,
        step: float | None = None,
        max_step: float | None = None,
        outputs: Mapping[str, Callable[..., Any]] | None = None,
        detect: str | Sequence[str] = ("fold", "branch point"),
        events: Mapping[str, Callable[..., Any]] | None = None,
        stop: str | Sequence[str] = (),
        until: Callable[..., bool] | None = None,
        stability: bool | Stability | None = None,
        keep_states: Any = "all",
        max_points: int | None = None,
        progress: bool | None = None,
        raise_on_failure: bool = False,
        callback: Callable[[Any], Any] | None = None,
        verbose: bool = False,
        time_limit: float | None = None,
    ) -> list[Branch]:
        """Follow all other branches that cross at a branch point, to both sides.

        In a symmetric model several null vectors meet at a point, and more than two branches cross.
        `switch_branch` follows one of them.

        Parameters
        ----------
        branch : Branch
            Of `continuation`.
        special_point : SpecialPoint or int
            A branch point of it, or the number of one among its branch points.
        bounds : (float, float), optional
            As in `continuation`; those of `branch` by default.
        steps : Arclength, optional
            As in `continuation`.
        step : float, optional
            As in `switch_branch`: the distance at which branches are looked for. Its sign has no
            meaning.
        max_step, outputs, detect, events, stop, until, stability, keep_states : optional
            As in `continuation`, for each branch.
        max_points, progress, raise_on_failure, callback, verbose, time_limit : optional
            As in `continuation`, for each branch. A checkpoint is that of one branch: see
            `switch_branch`, and `folder` of `bifurcation_diagram`.

        Returns
        -------
        list of Branch
            Each begins beside the branch point. A side that leaves the bounds at once has none.

        Raises
        ------
        ConvergenceError
            If no branch could be entered. If some could not, or there may be more of them, there is
            a `PartialBranchWarning`.

        See Also
        --------
        switch_branch : One branch, to one side.
        bifurcation_diagram : All branches from all branch points.

        Notes
        -----
        At a point with up to four null vectors, polynomials of degree five are fitted to the
        equations that remain along them, and all their zeros at one distance are looked for. A
        `PartialBranchWarning` says where there may be more branches: if there are more null
        vectors, if a symmetry shifts or turns all solutions, or if branches nearly coincide.

        Examples
        --------
        Two modes with the symmetry of a square: stripes and squares, eight arms.

        >>> from sgsolve import Problem
        >>> def modes(x, p):
        ...     u, v = x
        ...     return [p * u - u**3 - 2 * u * v**2, p * v - v**3 - 2 * v * u**2]
        >>> problem = Problem(modes, params={"p": -1.0})
        >>> trivial = problem.continuation([0.0, 0.0], "p", (-1.0, 1.0))
        >>> arms = problem.branches_at(trivial)
        >>> len(arms), sorted({round(float(abs(arm.x).max()), 6) for arm in arms})
        (8, [0.57735, 1.0])
        """
        return run_branches_at(
            self._definition, self.switch_branch, branch, special_point, bounds, step, steps=steps,
            max_step=max_step, outputs=outputs, detect=detect, events=events, stop=stop,
            until=until, stability=stability, keep_states=keep_states, max_points=max_points,
            progress=progress, raise_on_failure=raise_on_failure, callback=callback,
            verbose=verbose, time_limit=time_limit,
        )  # fmt: skip

    def bifurcation_diagram(
        self,
        x0: ArrayLike | SolutionSets,
        parameter: str,
        bounds: tuple[float, float],
        *,
        depth: int = 3,
        max_branches: int = 40,
        orbits: bool = False,
        solver: Any = None,
        steps: Arclength | None = None,
        step: float | None = None,
        max_step: float | None = None,
        outputs: Mapping[str, Callable[..., Any]] | None = None,
        detect: str | Sequence[str] = ("fold", "branch point"),
        stability: bool | Stability | None = True,
        max_points: int | None = None,
        folder: str | Path | None = None,
        time_limit: float | None = None,
    ) -> BifurcationDiagram:
        """Follow all branches from all branch points, in both directions, each once.

        Parameters
        ----------
        x0 : array_like of shape (n,) or (k, n), mapping of block to array_like, or SolutionSets
            A guess at the value that the parameter has in the problem; or several, such as the
            solutions of `find_solutions`, for branches that are not connected. Or what
            `deflated_continuation` found at several values: of these, those are starts that no
            branch passes.
        parameter : str
            The parameter.
        bounds : (float, float)
            Where branches end.
        depth : int
            How many branch points may lie between a branch and the start.
        max_branches : int
            Limit on the branches.
        orbits : bool
            Follow the periodic orbits from the Hopf points too. The problem needs its `storage`.
        solver : optional
            For the first points; as in `solve`.
        steps : Arclength, optional
            As in `continuation`.
        step, max_step : float, optional
            As in `continuation`; the sign of `step` does not matter.
        outputs : mapping of str to callable, optional
            Columns of the branches of solutions, as in `continuation`.
        detect, stability, max_points : optional
            As in `continuation`, for each branch.
        folder : path, optional
            Write each branch there when it is complete. A call with the same arguments continues
            from what the folder has, after a kill too; `depth`, `max_branches`, `orbits` and
            `time_limit` may differ.
        time_limit : float, optional
            Seconds after which the search ends with what it has.

        Returns
        -------
        BifurcationDiagram
            With a `PartialBranchWarning` where a branch could not be followed to its end.

        Raises
        ------
        InputError
            Before any work, for what cannot be right.
        CheckpointError
            If the folder has the branches of another diagram.
        ConvergenceError
            If no branch could be started.

        See Also
        --------
        continuation : One branch.
        switch_branch : The branch that crosses at one branch point.
        find_solutions : Several solutions to start from.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x, p: p * x - x**3, params={"p": -1.0})
        >>> diagram = problem.bifurcation_diagram([0.0], "p", (-1.0, 1.0))
        >>> sorted(round(float(branch.x[0]), 6) + 0.0 for branch in diagram)
        [-1.0, 0.0, 1.0]
        """
        return run_bifurcation_diagram(
            self._definition, x0, parameter, bounds, depth=depth, max_branches=max_branches,
            orbits=orbits, solver=solver, folder=folder, time_limit=time_limit,
            max_points=max_points, steps=steps, step=step, max_step=max_step, outputs=outputs,
            detect=detect, stability=stability,
        )  # fmt: skip

    def hopf_curve(
        self,
        branch: Branch,
        parameter: str,
        bounds: tuple[float, float] | None = None,
        special_point: SpecialPoint | int = 0,
        *,
        steps: Arclength | None = None,
        step: float | None = None,
        max_step: float | None = None,
        outputs: Mapping[str, Callable[..., Any]] | None = None,
        detect: str | Sequence[str] = (
            "fold",
            "bogdanov-takens",
            "generalized hopf",
            "zero hopf",
            "double hopf",
        ),
        events: Mapping[str, Callable[..., Any]] | None = None,
        stop: str | Sequence[str] = ("bogdanov-takens",),
        until: Callable[..., bool] | None = None,
        stability: bool | Stability = True,
        keep_states: Any = "all",
        max_points: int | None = None,
        checkpoint: Checkpoint | str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        raise_on_failure: bool = False,
        callback: Callable[[Any], Any] | None = None,
        verbose: bool = False,
        time_limit: float | None = None,
    ) -> Branch:
        """Follow a Hopf point of a branch while a second parameter changes.

        Parameters
        ----------
        branch : Branch
            Of `continuation` or `sweep`, with ``stability=True``.
        parameter : str
            The second parameter.
        bounds : (float, float), optional
            As in `continuation`, for the second parameter.
        special_point : SpecialPoint or int
            A Hopf point of the branch, or the number of one among its Hopf points.
        steps : Arclength, optional
            As in `continuation`.
        step, max_step : float, optional
            As in `continuation`, in units of the second parameter.
        outputs : mapping of str to callable, optional
            As in `continuation`.
        detect : sequence of str
            Points of codimension 2, and "fold", where the curve turns back in the second parameter.
            Above 400 unknowns zero-Hopf and double-Hopf points are found where the eigenvalue is
            among those near the shifts of `stability`, or near the frequency of the curve.
        events : mapping of str to callable, optional
            As in `continuation`.
        stop : str or sequence of str, optional
            Where to end: by default at a Bogdanov-Takens point, where the frequency is zero. Behind
            it the curve would return on itself.
        until : callable, optional
            As in `continuation`.
        stability : bool or Stability
            As for the branch: the mass matrix. True takes that of the storage.
        keep_states, max_points, checkpoint, resume, progress : optional
            As in `continuation`.
        raise_on_failure, callback, verbose, time_limit : optional
            As in `continuation`.

        Returns
        -------
        Branch
            Over the second parameter, with the first one, "frequency" and "l1" (the first Lyapunov
            coefficient) as columns. Special points have the first parameter in ``point.along``.

        Raises
        ------
        ConvergenceError
            If the first point fails.
        InputError
            If the branch has no such Hopf point, or an argument is wrong.

        See Also
        --------
        fold_curve : The same for a fold.
        continuation : Finds the Hopf points.

        Examples
        --------
        The Bautin normal form changes from soft to hard loss of stability at b = 0:

        >>> from sgsolve import Problem
        >>> def residual(x, a, b):
        ...     r2 = x[0] ** 2 + x[1] ** 2
        ...     growth = a + b * r2 - r2**2
        ...     return [x[1] - growth * x[0], -x[0] - growth * x[1]]
        >>> problem = Problem(residual, params={"a": -1.0, "b": -1.0}, storage=lambda x: 1.0 * x)
        >>> branch = problem.continuation([0.0, 0.0], "a", (-1.0, 1.0), stability=True)
        >>> curve = problem.hopf_curve(branch, "b", (-1.0, 1.0))
        >>> [point.kind for point in curve.special_points]
        ['generalized hopf']
        """
        return run_hopf_curve(
            self._definition, branch, parameter, bounds, special_point, steps=steps, step=step,
            max_step=max_step, outputs=outputs, detect=detect, events=events, stop=stop,
            until=until, stability=stability, keep_states=keep_states, max_points=max_points,
            checkpoint=checkpoint, resume=resume, progress=progress,
            raise_on_failure=raise_on_failure, callback=callback, verbose=verbose,
            time_limit=time_limit,
        )  # fmt: skip

    def fold_curve(
        self,
        branch: Branch,
        parameter: str,
        bounds: tuple[float, float] | None = None,
        special_point: SpecialPoint | int = 0,
        *,
        steps: Arclength | None = None,
        step: float | None = None,
        max_step: float | None = None,
        outputs: Mapping[str, Callable[..., Any]] | None = None,
        detect: str | Sequence[str] = ("fold", "cusp", "bogdanov-takens", "zero hopf"),
        events: Mapping[str, Callable[..., Any]] | None = None,
        stop: str | Sequence[str] = (),
        until: Callable[..., bool] | None = None,
        stability: bool | Stability | None = None,
        keep_states: Any = "all",
        max_points: int | None = None,
        checkpoint: Checkpoint | str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        raise_on_failure: bool = False,
        callback: Callable[[Any], Any] | None = None,
        verbose: bool = False,
        time_limit: float | None = None,
    ) -> Branch:
        """Follow a fold of a branch while a second parameter changes.

        Parameters
        ----------
        branch : Branch
            Of `continuation` or `sweep`.
        parameter : str
            The second parameter.
        bounds : (float, float), optional
            As in `continuation`, for the second parameter.
        special_point : SpecialPoint or int
            A fold of the branch, or the number of one among its folds.
        steps : Arclength, optional
            As in `continuation`.
        step, max_step : float, optional
            As in `continuation`, in units of the second parameter.
        outputs : mapping of str to callable, optional
            As in `continuation`.
        detect : sequence of str
            Points of codimension 2, and "fold", where the curve turns back in the second parameter.
            Above 400 unknowns zero-Hopf points are found where the pair is among the eigenvalues
            near the shifts of `stability`. The mass matrix is that of the storage, or of
            `stability`.
        events, stop, until, stability, keep_states, max_points : optional
            As in `continuation`.
        checkpoint, resume, progress, raise_on_failure, callback, verbose, time_limit : optional
            As in `continuation`.

        Returns
        -------
        Branch
            Over the second parameter, with the first one as a column, and "quadratic": a of the
            normal form y' = a y^2 in time, for a null vector of length 1. It has a "fold" of its
            own where it turns back: at a cusp, or where an isola is born. Special points have the
            first parameter in ``point.along``.

        Raises
        ------
        ConvergenceError
            If the first point fails.
        InputError
            If the branch has no such fold, or an argument is wrong.

        See Also
        --------
        hopf_curve : The same for a Hopf point.
        continuation : Finds the folds.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x, p, q: p + q * x - x**3 / 3, params={"p": -1.0, "q": 1.0})
        >>> branch = problem.continuation([-2.0], "p", (-1.0, 1.0))
        >>> folds = problem.fold_curve(branch, "q", (-1.0, 1.0), step=-0.1)
        >>> print(f"{abs(folds.special_points[0].parameter):.8f}")  # the cusp at p = q = 0
        0.00000000
        """
        return run_fold_curve(
            self._definition, branch, parameter, bounds, special_point, steps=steps, step=step,
            max_step=max_step, outputs=outputs, detect=detect, events=events, stop=stop,
            until=until, stability=stability, keep_states=keep_states, max_points=max_points,
            checkpoint=checkpoint, resume=resume, progress=progress,
            raise_on_failure=raise_on_failure, callback=callback, verbose=verbose,
            time_limit=time_limit,
        )  # fmt: skip

    def deflated_continuation(
        self,
        x0: ArrayLike,
        parameter: str,
        values: Sequence[float],
        *,
        max_solutions: int = 20,
        deflation: Deflation | None = None,
        solver: Any = None,
        progress: bool | None = None,
        time_limit: float | None = None,
    ) -> SolutionSets:
        """Find the solutions for every value of a parameter; they are starts for the next value.

        Parameters
        ----------
        x0 : array_like, shape (n,) or (starts, n)
            Starts; tried at every value.
        parameter : str
            The parameter.
        values : sequence of float
            Its values.
        max_solutions : int
            At each value.
        deflation : Deflation, optional
            How known solutions repel.
        solver : optional
            For the first solution from each start; as in `solve`.
        progress : bool, optional
            As in `sweep`.
        time_limit : float, optional
            Seconds after which the search ends, with the solutions found until then.

        Returns
        -------
        SolutionSets
            ``counts``, ``solutions``; ``plot`` draws the diagram. After Ctrl-C, or out of time,
            what was found until then, with a `PartialBranchWarning`. The last value may be
            unfinished; then ``complete`` is False.

        Raises
        ------
        InputError
            If an argument is wrong.

        See Also
        --------
        find_solutions : At one value.
        continuation : Follows one branch.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> pitchfork = Problem(lambda x, p: p * x - x**3)
        >>> pitchfork.deflated_continuation([0.5], "p", [-1.0, 1.0]).counts.tolist()
        [1, 3]
        """
        return run_deflated_continuation(
            self._definition, x0, parameter, values, max_solutions, deflation, solver, progress,
            time_limit,
        )  # fmt: skip

    def sensitivity(
        self,
        at: Result | ArrayLike,
        parameter: str | Sequence[str],
        functional: Callable[..., Any] | ArrayLike | None = None,
        *,
        mode: str = "auto",
    ) -> Any:
        """Return the derivative of a solution by parameters, dx/dp, or dg/dp of a functional.

        Parameters
        ----------
        at : Result or array_like of shape (n,)
            A success of `solve`, whose parameters are used; or a solution itself.
        parameter : str or sequence of str
            The parameter p, a number or an array of numbers; or several.
        functional : callable or array_like of shape (n,) or (m, n), optional
            A functional ``g(x, names of parameters...)`` that returns a number or a vector, or
            its gradient by x alone. Parameters that it names count directly too.
        mode : {"auto", "forward", "adjoint"}
            One solve per (element of a) parameter, or one per number that g returns. Both give the
            same; "auto" takes the fewer.

        Returns
        -------
        ndarray or float, or dict of them
            dx/dp has the shape of x followed by that of p, and dg/dp that of g followed by that of
            p. A float where both are numbers. For several names a dict.

        Raises
        ------
        InputError
            For a result or an x that is no solution, or a parameter that is no number.
        SingularMatrixError
            Where the solution has no derivative, as at a fold, or where a level is open and the
            equations contradict each other beside this value of p, or of an element of p that no
            other element balances.

        See Also
        --------
        small_signal : At a frequency.
        transient_sensitivity : Of a run in time.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> problem = Problem(lambda x, a: x**2 - a, params={"a": 4.0})
        >>> result = problem.solve([1.0])
        >>> problem.sensitivity(result, "a")  # d sqrt(a) / da
        array([0.25])

        By an array, with one value for each equation, of a sum that depends on it directly as well:

        >>> import numpy as np
        >>> result = problem.at(a=np.array([4.0, 9.0])).solve([1.0, 1.0])
        >>> problem.sensitivity(result, "a", functional=lambda x, a: np.sum(x + a))
        array([1.25      , 1.16666667])
        """
        return run_sensitivity(self._definition, at, parameter, functional, mode)

    def mass_matrix(self, x: ArrayLike) -> Any:
        """Return C = dQ/dx at x, the factor of dx/dt.

        Parameters
        ----------
        x : array_like, shape (n,)
            The unknowns.

        Returns
        -------
        csr_array, shape (n, n)
            The mass (capacitance) matrix.

        Raises
        ------
        InputError
            If the problem has no storage.

        See Also
        --------
        jacobian : The derivative of F.

        Examples
        --------
        >>> from sgsolve import Problem
        >>> decay = Problem(lambda y: 2.0 * y, storage=lambda y: 3.0 * y)
        >>> decay.mass_matrix([1.0]).toarray()
        array([[3.]])
        """
        return mass_matrix(self._definition, x)

    def transient(
        self,
        x0: ArrayLike,
        interval: tuple[float, float],
        *,
        steps: TimeMethod | None = None,
        rtol: float = 1e-4,
        atol: Any = None,
        first_step: float | None = None,
        max_step: float | None = None,
        max_steps: int | None = None,
        times: ArrayLike | None = None,
        interpolate: bool = True,
        dense_output: bool = False,
        breakpoints: ArrayLike | None = None,
        start: str = "consistent",
        outputs: Mapping[str, Any] | None = None,
        events: Mapping[str, Any] | None = None,
        stop: str | Sequence[str] | Mapping[str, int] = (),
        on_event: Mapping[str, Callable[..., Any]] | None = None,
        until: Callable[..., Any] | None = None,
        keep_states: Any = "all",
        checkpoint: Checkpoint | str | Path | None = None,
        resume: bool = False,
        raise_on_failure: bool = False,
        progress: bool | None = None,
        callback: Callable[[Any], Any] | None = None,
        verbose: bool = False,
        time_limit: float | None = None,
    ) -> Branch:
        """Integrate F(x, p, t) + dQ(x, p, t)/dt = 0 in time.

        The problem needs its `storage` Q. The residual and Q get the time as their parameter ``t``
        if they have one. A parameter may be a function of time, ``problem.at(V=lambda t: ...)``;
        `sgsolve.transient` has pulses and piecewise linear functions that declare their jumps. The
        equations may be differential-algebraic of index 1: C = dQ/dx may be singular.

        Parameters
        ----------
        x0 : array_like, shape (n,), or mapping of block to array_like
            The state at the start.
        interval : (float, float)
            The first and the last time.
        steps : TimeMethod, optional
            ``Bdf()``, ``RungeKutta()`` or ``FixedSteps()`` of `sgsolve.transient`, or a method of
            your own; ``Bdf()`` by default.
        rtol : float
            Relative tolerance of the error of one step. Errors at the end are often 1 to 30 times
            as large. Below 1e-5 a step has a part of it, so that this multiple stays the same.
        atol : float, array_like of shape (n,) or mapping of block to either, optional
            Absolute tolerance, in the units of the unknowns. By default `rtol` times the `scale`,
            or times a tenth of the largest magnitude that the block had so far. Up to 32 unknowns
            without blocks may be of different units: by default `rtol` times 1e-4 of the largest
            magnitude of each one, and at least 1e-5 of that of all. Without blocks, unknowns that
            are in no storage count as a block of their own.
        first_step, max_step : float, optional
            The first step, and the longest one. Without `max_step` or `breakpoints`, a pulse of a
            plain function of time may be stepped over that is shorter than 1/256 of the run.
        max_steps : int, optional
            Limit on the number of rows.
        times : array_like, optional
            The times to record. By default the end of every step is recorded.
        interpolate : bool
            Interpolate the states at `times` within the steps, which do not depend on them. False:
            steps end at these times, so that recorded states meet the algebraic equations to the
            tolerance of Newton's iteration.
        dense_output : bool
            Keep the solution within all steps: ``branch.interpolant(t)`` is the state at any time.
        breakpoints : array_like, optional
            Times at which the equations jump or have a kink. Steps end there, and the method starts
            anew from the state after it: unknowns without storage may jump, Q does not.
        start : "consistent", "steady" or "as given"
            Move x0 at constant Q to where the algebraic equations hold. Or start from the steady
            state next to x0. Or raise if x0 does not meet the algebraic equations.
        outputs : mapping of str to callable or pair of callables, optional
            ``{"current": lambda x, t: ...}``: columns of the branch. A function gets x, and those
            parameters that it names, the time ``t`` among them. A pair ``(g, h)`` stands for
            g + dh/dt, such as a current with its displacement part. dh/dt is taken by the formula
            of the method, so that sums of currents vanish to rounding where the equations say so;
            g and h are written like the residual, for AD arrays. `transient.Stored` records a
            stored quantity that the steps conserve to rounding.
        events : mapping of str to callable or TimeEvent, optional
            Functions ``g(x, names of parameters...)`` of which zeros are located; a `TimeEvent` has
            a direction as well. They are listed in ``branch.special_points``.
        stop : str, sequence of str or mapping of str to int, optional
            Events at which to end; of a mapping, after how many of each.
        on_event : mapping of str to callable, optional
            ``{"full": lambda x: ...}``: the state from which the run starts anew at an event, as a
            vector or a mapping of block to field. Of events at the same time each acts on the state
            that the one before returned, in the order of `events`.
        until : callable, optional
            ``until(x, names of parameters...)`` -> whether to end at a point.
        keep_states : "all", "none" or int
            States to keep: all, the last, or every k-th.
        checkpoint, resume : optional
            As in `sweep`. A run that is resumed computes the same as one that was not interrupted.
        raise_on_failure : bool
            Raise `ConvergenceError` where no step can be made, instead of a warning.
        progress : bool, optional
            As in `sweep`.
        callback : callable, optional
            ``callback(point)`` after every step, with ``point.x`` and ``point.p``, the time; return
            True to stop.
        verbose : bool
            Print a line per step.
        time_limit : float, optional
            As in `sweep`.

        Returns
        -------
        Branch
            Its parameter is ``"t"``. Columns: the time, "nit" (Newton iterations), "step",
            "order", "error" (in units of the tolerance), and the outputs. ``branch.message`` says
            why it ended, and counts the steps.

        Raises
        ------
        InputError
            Before any step, for what cannot be right.
        StructureError
            If the index is above 2. Index 2 is an `IndexWarning`.
        ConvergenceError
            If there is no consistent start.
        Exception
            Of your own code, as it was raised; its attribute ``branch`` holds the points so far.

        See Also
        --------
        transient_sensitivity : The derivative of its end.
        solve_ivp : The arguments of SciPy.
        sgsolve.transient : Methods, sources and events.

        Examples
        --------
        A capacitor of 1 F is charged through 2 Ohm; it is half full at 2 ln 2 s:

        >>> from sgsolve import Problem
        >>> circuit = Problem(lambda v: (v - 1.0) / 2.0, storage=lambda v: 1.0 * v)
        >>> run = circuit.transient([0.0], (0.0, 10.0), rtol=1e-6,
        ...                         events={"half": lambda v: v[0] - 0.5}, stop="half")
        >>> print(f"{run['t'][-1]:.5f}")
        1.38629
        """
        return run_transient(
            self._definition, x0, interval, steps=steps, rtol=rtol, atol=atol,
            first_step=first_step, max_step=max_step, max_steps=max_steps, times=times,
            interpolate=interpolate, dense_output=dense_output, breakpoints=breakpoints,
            start=start, outputs=outputs, events=events, stop=stop, on_event=on_event, until=until,
            keep_states=keep_states, checkpoint=checkpoint, resume=resume,
            raise_on_failure=raise_on_failure, progress=progress, callback=callback,
            verbose=verbose, time_limit=time_limit,
        )  # fmt: skip

    def periodic_orbit(
        self,
        start: Branch | PeriodicOrbit | tuple[ArrayLike, ArrayLike] | ArrayLike,
        special_point: SpecialPoint | int = 0,
        *,
        period: float | None = None,
        degree: int = 4,
        intervals: int | None = None,
        tolerance: float = 1e-8,
        multipliers: bool = True,
    ) -> PeriodicOrbit:
        """Find a periodic orbit of F(x, p) + dQ(x, p)/dt = 0 by orthogonal collocation.

        The problem needs its `storage`, and no explicit dependence on time. Unknowns without
        storage are allowed; then collocation is at the Radau points instead of the Gauss points.

        Parameters
        ----------
        start : Branch, PeriodicOrbit, (times, states) or array_like of shape (k, n)
            Where to start: a time course of `transient` that oscillates at its end; a branch of
            `continuation` with a Hopf point, beside which the smallest orbit is found, at a value
            of the parameter next to that of the point; another orbit, for other parameters or
            another mesh; times and states of at least one period; or states at equal times over one
            period, the first one not repeated.
        special_point : SpecialPoint or int
            For a branch of `continuation`: a Hopf point of it, or its number among them. For a
            branch of orbits: a special point of it.
        period : float, optional
            For a time course or states. By default the period of a time course is the time since it
            was last near to its end, and (times, states) are one period.
        degree : int
            Of the polynomial on each interval, 2 to 12. The period has order ``2 degree``.
        intervals : int, optional
            Number of intervals. By default it is doubled from 20 on until the period is as exact as
            `tolerance`; beside a Hopf point it is 20.
        tolerance : float
            Relative change of the period between two numbers of intervals at which to stop.
        multipliers : bool
            Compute the Floquet multipliers.

        Returns
        -------
        PeriodicOrbit
            With its Floquet multipliers, unless they were not asked for.

        Raises
        ------
        InputError
            Before any work, for what cannot be right.
        ConvergenceError
            If no orbit was found, or if it is a steady state.

        See Also
        --------
        orbit_continuation : Follow orbits while a parameter changes.
        transient : Time courses.

        Examples
        --------
        The van der Pol oscillator:

        >>> from sgsolve import Problem
        >>> def residual(x, mu):
        ...     return [-x[1], x[0] - mu * (1.0 - x[0] ** 2) * x[1]]
        >>> problem = Problem(residual, params={"mu": 2.0}, storage=lambda x: 1.0 * x)
        >>> run = problem.transient([2.0, 0.0], (0.0, 30.0), rtol=1e-5)
        >>> orbit = problem.periodic_orbit(run)
        >>> print(f"{orbit.period:.7f}", orbit.stable)
        7.6298745 True
        """
        return run_periodic_orbit(
            self._definition, start, special_point, period, degree, intervals, tolerance,
            multipliers,
        )  # fmt: skip

    def orbit_continuation(
        self,
        start: PeriodicOrbit | Branch,
        parameter: str | None = None,
        bounds: tuple[float, float] | None = None,
        special_point: SpecialPoint | int | None = None,
        *,
        degree: int = 4,
        intervals: int | None = None,
        max_period: float | None = None,
        steps: Arclength | None = None,
        step: float | None = None,
        max_step: float | None = None,
        outputs: Mapping[str, Callable[..., Any]] | None = None,
        detect: str | Sequence[str] = ("fold", "branch point", "period doubling", "torus"),
        events: Mapping[str, Callable[..., Any]] | None = None,
        stop: str | Sequence[str] = (),
        until: Callable[..., bool] | None = None,
        keep_states: Any = "all",
        max_points: int | None = None,
        checkpoint: Checkpoint | str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        raise_on_failure: bool = False,
        callback: Callable[[Any], Any] | None = None,
        verbose: bool = False,
        time_limit: float | None = None,
    ) -> Branch:
        """Follow periodic orbits while a parameter changes, round the folds of cycles.

        Parameters
        ----------
        start : PeriodicOrbit or Branch
            An orbit; a branch of `continuation`, at a Hopf point; or a branch of orbits, at a
            period doubling (the doubled orbit is followed) or at a branch point.
        parameter : str, optional
            The parameter; that of the branch by default.
        bounds : (float, float), optional
            As in `continuation`; those of a branch by default.
        special_point : SpecialPoint or int, optional
            Of a branch: the point itself, or its number among the Hopf points, or among the period
            doublings and branch points together. The first one by default.
        degree, intervals : int
            As in `periodic_orbit`; the number of intervals is that of the orbit by default, and 40
            from a Hopf point. The mesh is adapted every 3 orbits.
        max_period : float, optional
            Where to end; by default 30 times the first period. Near a homoclinic orbit the period
            grows without limit.
        steps : Arclength, optional
            As in `continuation`.
        step, max_step : float, optional
            As in `continuation`. From a period doubling or a branch point the sign of `step` says
            to which side.
        outputs : mapping of str to callable, optional
            As in `continuation`, but the functions get the `PeriodicOrbit` in place of x; those of
            `events` and `until` too.
        detect : sequence of str
            Special points to locate: folds of cycles, branch points of cycles, period doublings,
            torus bifurcations (Neimark-Sacker).
        events, stop, until, keep_states, max_points : optional
            As in `continuation`; by default 200 points at most.
        checkpoint, resume, progress, raise_on_failure, callback, verbose, time_limit : optional
            As in `continuation`.

        Returns
        -------
        Branch
            Columns: as in `continuation`, then "period", "amplitude" (largest difference of maximum
            and minimum), "unstable" (multipliers outside the unit circle; -1 where their errors do
            not allow to count them), "accuracy" (distance of the trivial multiplier from 1) and
            "multipliers". ``branch.orbit(i)`` is an orbit.

        Raises
        ------
        ConvergenceError
            If there is no first orbit.

        See Also
        --------
        periodic_orbit : One orbit.
        continuation : Branches of steady states, with Hopf points.

        Examples
        --------
        A branch of orbits from a Hopf point at mu = 0, where the orbits are circles:

        >>> from sgsolve import Problem
        >>> def residual(x, mu):
        ...     growth = mu - x[0] ** 2 - x[1] ** 2
        ...     return [x[1] - growth * x[0], -x[0] - growth * x[1]]
        >>> problem = Problem(residual, params={"mu": -0.5}, storage=lambda x: 1.0 * x)
        >>> steady = problem.continuation([0.0, 0.0], "mu", (-0.5, 1.0), stability=True)
        >>> orbits = problem.orbit_continuation(steady, bounds=(-0.5, 1.0))
        >>> print(f"{orbits['amplitude'][-1]:.6f} {orbits['period'][-1]:.6f}")
        2.000000 6.283185
        """
        return run_orbit_continuation(
            self._definition, start, parameter, bounds, special_point, degree=degree,
            intervals=intervals, max_period=max_period, steps=steps, step=step, max_step=max_step,
            outputs=outputs, detect=detect, events=events, stop=stop, until=until,
            keep_states=keep_states, max_points=max_points, checkpoint=checkpoint, resume=resume,
            progress=progress, raise_on_failure=raise_on_failure, callback=callback,
            verbose=verbose, time_limit=time_limit,
        )  # fmt: skip

    def transient_sensitivity(
        self,
        x0: ArrayLike,
        interval: tuple[float, float],
        parameter: str | Sequence[str],
        *,
        functional: Callable[..., Any] | ArrayLike | None = None,
        mode: str = "auto",
        event: Callable[..., Any] | TimeEvent | None = None,
        times: ArrayLike | None = None,
        error_control: bool = False,
        steps: TimeMethod | None = None,
        rtol: float = 1e-4,
        atol: Any = None,
        breakpoints: ArrayLike | None = None,
        max_step: float | None = None,
        start: str = "consistent",
    ) -> TransientSensitivity:
        """Return the derivative of the end of a run in time by parameters, or at given times.

        The run is made, and then differentiated with its steps held fixed: the derivative is that
        of the discrete equations. Variable steps are chosen for the errors of the state and of the
        derivatives. Newton's iteration is not differentiated; its tolerance is the accuracy. To
        differentiate an integral over time, add an unknown w with dw/dt = g.

        Parameters
        ----------
        x0 : array_like, shape (n,)
            As in `transient`. It does not depend on the parameters.
        interval : (float, float)
            As in `transient`.
        parameter : str or sequence of str
            Numbers or arrays of numbers. Where the derivatives by one that is zero cannot be
            controlled because they begin too small, take a small number instead. Rounding of x
            limits the derivatives by p to errors of about 1e-16 x / p.
        functional : callable or array_like of shape (n,) or (m, n), optional
            ``g(x, names of parameters...)`` of the last state, or its gradient by x. By default the
            last state itself.
        mode : {"auto", "forward", "adjoint"}
            Forward costs one solve per step and parameter, adjoint one per step and number that g
            returns. Both factorize one matrix per step. The derivatives by up to 8 numbers are
            computed for the choice of the steps anyway, and "auto" takes them; else the fewer.
        event : callable or TimeEvent, optional
            ``g(x, names of parameters...)``: the run ends at its first zero. The derivatives hold
            at the moving end, and that of the end itself is ``time_derivative``.
        times : sequence of float, optional
            Give values and derivatives at these times, as a fit of data takes them. Steps end
            there. In forward mode only, and without an event.
        error_control : bool
            Tighten the tolerance of the run, ten times in each round, until the derivative changes
            by no more than `rtol` of its largest number. False, the default, controls the errors
            of single steps only.
        steps, rtol, atol, breakpoints, max_step, start : optional
            As in `transient`.

        Returns
        -------
        TransientSensitivity
            With ``branch``, ``value``, ``derivative``, ``time`` and ``time_derivative``.

        Raises
        ------
        InputError
            If an argument is wrong, the event does not occur, or the time of a jump depends on the
            parameter.
        ConvergenceError
            If the run does not reach its end, or the error cannot be controlled.
        KeyboardInterrupt
            If Ctrl-C is pressed.

        See Also
        --------
        transient : The run.
        sensitivity : Of a steady state.

        Examples
        --------
        The slope of exp(-k t) by k at k = 2, t = 1:

        >>> from sgsolve import Problem
        >>> decay = Problem(lambda y, k: k * y, params={"k": 2.0}, storage=lambda y: 1.0 * y)
        >>> run = decay.transient_sensitivity([1.0], (0.0, 1.0), "k", rtol=1e-8)
        >>> print(f"{run.derivative[0]:.5f}")
        -0.13534
        """
        return run_transient_sensitivity(
            self._definition, x0, interval, parameter, functional, mode, event, error_control,
            times=times, steps=steps, rtol=rtol, atol=atol, breakpoints=breakpoints,
            max_step=max_step, start=start,
        )  # fmt: skip

    def small_signal(
        self,
        at: Result | ArrayLike,
        parameter: str,
        frequencies: ArrayLike,
        *,
        outputs: Mapping[str, Any] | None = None,
    ) -> SmallSignalResponse:
        """Return the small-signal response of unknowns or outputs to a parameter that oscillates.

        The problem needs its `storage`. The pattern of J + i omega C is analyzed once for all
        frequencies and all solutions.

        Parameters
        ----------
        at : Result or array_like of shape (n,)
            The steady state: a success of `solve`, whose parameters are used; or a solution.
        parameter : str
            The parameter that oscillates, a number.
        frequencies : float or sequence of float
            Cycles per unit of time (Hz where time is in s), 0 included.
        outputs : mapping of str to callable or pair of callables, optional
            What to read: ``g(x, names of parameters...)``, or ``(g, h)`` for g + dh/dt, such as a
            current and the charge whose change adds to it.

        Returns
        -------
        SmallSignalResponse
            Complex amplitudes per unit of the parameter: ``.states`` (frequencies, n), or with
            outputs ``["name"]``.

        Raises
        ------
        InputError
            If the problem has no storage, or an argument is wrong.
        SingularMatrixError
            If the system at a frequency is singular. A declared null space serves at frequency 0,
            and at others as far as nothing is stored along it.

        See Also
        --------
        sensitivity : At frequency zero.
        transient : Large signals.

        Examples
        --------
        A resistor of 1 kOhm charges a capacitor of 1 uF; at 1/(2 pi R C) it follows by 1/(1 + i).

        >>> import numpy as np
        >>> from sgsolve import Problem
        >>> rc = Problem(lambda v, u: (v - u) / 1e3, params={"u": 0.0}, storage=lambda v: 1e-6 * v)
        >>> corner = 1.0 / (2 * np.pi * 1e3 * 1e-6)
        >>> rc.small_signal(rc.solve([0.0]), "u", [0.0, corner]).states.round(12)
        array([[1. +0.j ],
               [0.5-0.5j]])
        """
        return run_small_signal(self._definition, at, parameter, frequencies, outputs)
