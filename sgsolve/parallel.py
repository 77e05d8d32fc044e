"""Parallel sweeps: independent members over any `concurrent.futures.Executor`.

A member is a sweep with parameters of its own. A worker runs it and returns a branch. A member that
fails reports why and stops no other member.
"""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from . import ranks
from .continuation.runs.progress_bar import progress_bar
from .errors import ConvergenceError, InputError
from .results.branch import Branch, PartialBranchWarning, column_name
from .results.checkpoint import Checkpoint
from .results.history import Stats
from .results.status import Status
from .user_warnings import warn

GRACE = 5.0  # seconds that an interrupted worker has to return its points
SENDABLE = (
    "define the residual and the outputs as functions of a module, not inside a function or as a "
    "lambda"
)
NOT_SENT = (pickle.PicklingError, AttributeError, TypeError)  # what pickle raises
OF_PICKLE = ("pickle", "local object")  # words in its messages; one of them, by the version

if TYPE_CHECKING:
    from .problem import Problem


def parallel_sweep(
    problem: Problem,
    x0: ArrayLike | Sequence[ArrayLike],
    parameter: str,
    values: Any,
    members: Sequence[Mapping[str, Any]],
    *,
    executor: Executor | None = None,
    method: str = "sweep",
    progress: bool | None = None,
    **options: Any,
) -> list[Branch]:
    """Sweep a parameter for many sets of the others, at the same time.

    Parameters
    ----------
    problem : Problem
        Its residual must be a function of a module, so that it can be sent to other processes.
    x0 : array_like, shape (n,) or (members, n)
        Guess for the first value, for all or for each.
    parameter : str
        The parameter that every member sweeps.
    values : sequence of float
        For ``method="continuation"`` the bounds.
    members : sequence of mapping
        The other parameters of each: ``[{"T": 300.0}, {"T": 320.0}]``.
    executor : Executor, optional
        Anything with ``submit`` that returns futures: a process pool with one worker per core by
        default, ``distributed.Client(...).get_executor()``, ``MPIPoolExecutor()``.
    method : "sweep" or "continuation"
        Which method of the problem runs for each member.
    progress : bool, optional
        A bar over the members.
    **options
        As for `Problem.sweep` or `Problem.continuation`. With ``checkpoint="night.npz"`` member 0
        writes ``night-0.npz``, and so on.

    Returns
    -------
    list of Branch
        In the order of the members. A member that failed has ``success`` False, a ``status``, a
        ``message``, and its points. The same holds after Ctrl-C for a member that was not done.

    Raises
    ------
    InputError
        If the problem cannot be sent, an argument is wrong, the executor takes no work, or the
        program runs on several ranks.

    See Also
    --------
    Problem.sweep : One set of parameters.

    Examples
    --------
    With threads, which need no function of a module; a process pool is the default:

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from sgsolve import Problem, parallel_sweep
    >>> problem = Problem(lambda x, a, b: x**2 - a * b)
    >>> with ThreadPoolExecutor(2) as pool:
    ...     branches = parallel_sweep(problem, [1.0], "a", [1.0, 4.0], [{"b": 1.0}, {"b": 4.0}],
    ...                               executor=pool)
    >>> [float(branch.x[0].round(6)) for branch in branches]
    [2.0, 4.0]
    """
    if method not in ("sweep", "continuation"):
        raise InputError(f"method must be 'sweep' or 'continuation', not {method!r}")
    if ranks.size() > 1:
        raise InputError(
            f"this program runs on {ranks.size()} ranks, each of which would start processes of "
            "its own; call `sweep` for each member"
        )
    starts = _member_starts(x0, len(members))
    tasks = [
        (problem, method, start, parameter, values, dict(member), _own_file(options, number))
        for number, (start, member) in enumerate(zip(starts, members, strict=True))
    ]
    if executor is None or isinstance(executor, ProcessPoolExecutor):
        _check_sendable(tasks)
    if executor is not None:
        return _mapped(executor, tasks, parameter, progress)
    with ProcessPoolExecutor(max(1, min(os.cpu_count() or 1, len(tasks)))) as pool:
        return _mapped(pool, tasks, parameter, progress)


def run_member(task: tuple[Any, ...]) -> Branch:
    """Run one member, in a worker; return a branch in any case."""
    problem, method, x0, name, values, member, options = task
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PartialBranchWarning)
            run = getattr(problem.at(**member), method)
            branch: Branch = run(x0, name, values, **{"progress": False, **options})
            return branch
    except ConvergenceError as error:
        if isinstance(error.result, Branch):
            return error.result
        return _failed(name, member, str(error), len(np.atleast_1d(x0)))
    except Exception as error:  # the user's code may raise anything, and must not stop the others
        return _failed(name, member, f"{type(error).__name__}: {error}", len(np.atleast_1d(x0)))


def _mapped(
    executor: Any, tasks: list[tuple[Any, ...]], name: str, progress: bool | None
) -> list[Branch]:
    futures = [_submitted(executor, task) for task in tasks]
    bar, branches = progress_bar(progress, len(tasks), "members"), []
    try:
        for future, task in zip(futures, tasks, strict=True):
            try:
                branches.append(future.result())
            except Exception as error:  # a worker died, or the answer could not be sent
                reason = f"the worker failed: {type(error).__name__}: {error}".rstrip(".")
                reason += _remedy(error)
                branches.append(_failed(name, task[5], reason, len(np.atleast_1d(task[2]))))
            if bar is not None:
                bar.update()
    except KeyboardInterrupt:
        rest = list(zip(futures, tasks, strict=True))[len(branches) :]
        for future, _ in rest:
            future.cancel()
        branches += [_left_by_member(future, task, name) for future, task in rest]
        warn("the sweeps were interrupted", PartialBranchWarning)
    finally:
        if bar is not None:
            bar.close()
    return branches


def _submitted(executor: Any, task: tuple[Any, ...]) -> Any:
    """Return the future of a member; of one that the executor does not take, with its error."""
    try:
        return executor.submit(run_member, task)
    except BrokenExecutor as error:
        future: Future[Branch] = Future()
        future.set_exception(error)
        return future
    except RuntimeError as error:  # after its shutdown
        raise InputError(f"the executor takes no work ({error}); make a new one") from error


def _remedy(error: Exception) -> str:
    """Return what to do about the failure of a worker, to be added to its message."""
    if isinstance(error, BrokenExecutor):
        return (
            ". It was killed, for example because the memory did not suffice, or it cannot import "
            "a function that was defined after the executor was made. Use a new executor; with "
            "checkpoint= and resume=True it continues"
        )
    if isinstance(error, NOT_SENT) and any(word in str(error) for word in OF_PICKLE):
        return f"; {SENDABLE}"
    return ""


def _left_by_member(future: Any, task: tuple[Any, ...], name: str) -> Branch:
    """Return what a member has after Ctrl-C; its worker was interrupted as well, if it is here."""
    try:
        branch: Branch = future.result(timeout=GRACE)
        return branch
    except (Exception, CancelledError) as error:  # whatever it is, there is no point to return
        reason = f"{Status.INTERRUPTED.text} ({type(error).__name__})"
        return _failed(name, task[5], reason, len(np.atleast_1d(task[2])), Status.INTERRUPTED)


def _failed(
    name: str, member: Mapping[str, Any], reason: str, n: int, status: Status = Status.EXCEPTION
) -> Branch:
    """Return the branch of a member that has no point."""
    columns = {name: np.empty(0), column_name("nit", (name,)): np.empty(0, dtype=int)}
    return Branch(name, columns, np.empty((0, n)), dict(member), status, reason, Stats())


def _own_file(options: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return the options of a member, whose checkpoint is a file of its own."""
    given = options.get("checkpoint")
    if given is None:
        return dict(options)
    path = Path(given.path if isinstance(given, Checkpoint) else given)
    own = path.with_name(f"{path.stem}-{number}{path.suffix}")
    checkpoint = replace(given, path=own) if isinstance(given, Checkpoint) else own
    return {**options, "checkpoint": checkpoint}


def _member_starts(x0: Any, count: int) -> list[Any]:
    start = np.asarray(x0)
    if start.ndim == 2:
        if len(start) != count:
            raise InputError(f"x0 has {len(start)} rows for {count} members")
        return list(start)
    return [start] * count


def _check_sendable(tasks: list[tuple[Any, ...]]) -> None:
    """Raise before any worker starts if a task cannot be pickled."""
    try:
        pickle.dumps(tasks[0] if tasks else None)
    except NOT_SENT as error:
        raise InputError(
            f"the problem cannot be sent to other processes ({error}); {SENDABLE}"
        ) from error
