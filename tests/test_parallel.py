"""parallel_sweep over executors: order kept, failures reported, nobody stopped."""

import pickle
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from sgsolve import Checkpoint, InputError, PartialBranchWarning, Problem, Status, parallel_sweep
from tests.continuation.members import BRATU, MOODY, top

MEMBERS = [{"bend": bend} for bend in (1.0, 2.0, 0.5, 3.0)]
VALUES = [0.5, 1.0, 1.5]


def check(branches):
    assert [b.params["bend"] for b in branches] == [1.0, 2.0, 0.5, 3.0]
    for branch in branches:
        alone = BRATU.at(**branch.params).sweep(np.zeros(20), "lam", VALUES)
        assert np.allclose(branch.states, alone.states, rtol=1e-9)
        assert np.allclose(branch["top"], alone.states.max(axis=1))


def swept(executor):
    return parallel_sweep(
        BRATU, np.zeros(20), "lam", VALUES, MEMBERS, executor=executor, outputs={"top": top}
    )


def test_threads():
    with ThreadPoolExecutor(2) as pool:
        check(swept(pool))


def test_processes():
    with ProcessPoolExecutor(2) as pool:
        check(swept(pool))


def test_the_default_pool():
    check(swept(None))


class InterruptedPool(ThreadPoolExecutor):
    """Ctrl-C is pressed while the result of the second member is waited for."""

    def submit(self, *args, **options):
        future = super().submit(*args, **options)
        self.count = getattr(self, "count", 0) + 1
        if self.count == 2:
            whole, future.result = future.result, None

            def result(timeout=None):
                if timeout is None:
                    raise KeyboardInterrupt
                return whole(timeout)

            future.result = result
        return future


def test_an_interrupt_hands_back_what_is_there():
    with InterruptedPool(1) as pool, pytest.warns(PartialBranchWarning, match="interrupted"):
        branches = swept(pool)
    assert len(branches) == 4
    assert branches[0].success
    for branch, member in zip(branches, MEMBERS, strict=True):
        assert branch.success or branch.status is Status.INTERRUPTED
        assert branch.params["bend"] == member["bend"]


def test_every_member_has_a_checkpoint_of_its_own(tmp_path):
    for _ in range(2):
        with ThreadPoolExecutor(2) as pool:
            branches = parallel_sweep(
                BRATU,
                np.zeros(20),
                "lam",
                VALUES,
                MEMBERS,
                executor=pool,
                checkpoint=Checkpoint(tmp_path / "night.npz", points=1),
                resume=True,
            )
        assert all(branch.success for branch in branches)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"night-{i}.npz" for i in range(4)]


@pytest.mark.slow
def test_dask():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        check(swept(client.get_executor()))


@pytest.mark.slow
def test_mpi(tmp_path):
    """mpi4py.futures under mpiexec: one manager, one worker."""
    import os
    import shutil
    import subprocess
    import sys
    from pathlib import Path

    pytest.importorskip("mpi4py")
    if shutil.which("mpiexec") is None:
        pytest.skip("no mpiexec")
    root = Path(__file__).resolve().parents[1]
    program = tmp_path / "member.py"
    program.write_text(
        f"import sys; sys.path.insert(0, {str(root)!r})\n"
        "from mpi4py.futures import MPICommExecutor\n"
        "from tests.test_parallel import check, swept\n"
        "with MPICommExecutor() as pool:\n"
        "    if pool is not None:\n"
        "        check(swept(pool))\n"
        "        print('in order')\n"
    )
    command = ["mpiexec", "-n", "2", sys.executable, "-m", "mpi4py.futures", str(program)]
    allowed = ("ALLOW_RUN_AS_ROOT", "ALLOW_RUN_AS_ROOT_CONFIRM", "MCA_rmaps_base_oversubscribe")
    environment = {**os.environ, **{f"OMPI_{name}": "1" for name in allowed}}
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)
    assert "in order" in done.stdout, done.stderr


def test_failing_members_report_and_stop_nobody():
    members = [{"mood": "calm"}, {"mood": "angry"}, {"mood": "calm"}]
    with ThreadPoolExecutor(2) as pool:
        branches = parallel_sweep(MOODY, [0.5], "lam", VALUES, members, executor=pool)
    assert [b.success for b in branches] == [True, False, True]
    assert branches[1].status is Status.EXCEPTION
    assert "RuntimeError: no" in branches[1].message
    assert len(branches[1]) == 0


def test_a_partial_member_keeps_its_points():
    with ThreadPoolExecutor(1) as pool:
        (branch,) = parallel_sweep(BRATU, np.zeros(20), "lam", [1.0, 9.0], [{}], executor=pool)
    assert not branch.success
    assert len(branch) == 1
    assert branch.folds


def test_a_worker_that_dies_is_reported():
    with ProcessPoolExecutor(1) as pool:
        branches = parallel_sweep(
            MOODY, [0.5], "lam", VALUES, [{"mood": "calm"}, {"mood": "deadly"}], executor=pool
        )
        again = parallel_sweep(
            MOODY, [0.5], "lam", VALUES, [{"mood": "calm"}, {"mood": "calm"}], executor=pool
        )
    assert not branches[1].success
    for branch in (branches[1], *again):  # the pool takes no work any more
        assert "the worker failed: BrokenProcessPool" in branch.message
        assert "It was killed, for example because the memory did not suffice" in branch.message
        assert "Use a new executor; with checkpoint= and resume=True" in branch.message


def test_an_executor_that_takes_no_work_is_an_error():
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(InputError, match=r"the executor takes no work .*; make a new one"):
        swept(pool)


def test_a_pickling_error_of_another_executor_says_what_to_do():
    class Strict(Here):
        def submit(self, function, *args, **options):
            future = Future()
            try:
                pickle.dumps(args)
            except (pickle.PicklingError, AttributeError) as error:
                future.set_exception(error)
            return future

    nested = Problem(lambda u, lam=1.0: u - lam)
    (branch,) = parallel_sweep(nested, [0.0], "lam", VALUES, [{}], executor=Strict())
    assert "define the residual and the outputs as functions of a module" in branch.message


def test_continuation_of_members():
    with ThreadPoolExecutor(1) as pool:
        branches = parallel_sweep(
            BRATU,
            np.zeros(20),
            "lam",
            (0.5, 20.0),
            MEMBERS[:2],
            executor=pool,
            method="continuation",
            detect="fold",
            stop="fold",
        )
    folds = [b.special_points[0].parameter for b in branches]
    assert abs(folds[1] - 2.0 * folds[0]) < 1e-9


def test_what_cannot_be_sent_is_said_at_once():
    with pytest.raises(InputError, match="cannot be sent"):
        parallel_sweep(Problem(lambda u, lam=1.0: u - lam), [0.0], "lam", VALUES, [{}])
    with ProcessPoolExecutor(1) as pool, pytest.raises(InputError, match="cannot be sent"):
        parallel_sweep(
            Problem(lambda u, lam=1.0: u - lam), [0.0], "lam", VALUES, [{}], executor=pool
        )
    with pytest.raises(InputError, match="3 rows for 1 members"):
        parallel_sweep(BRATU, np.zeros((3, 9)), "lam", VALUES, [{}])


class Here(Executor):
    """Runs every member at once, in this process."""

    def submit(self, function, *args, **options):
        future = Future()
        future.set_result(function(*args, **options))
        return future


def test_a_member_that_cannot_start_is_a_failed_branch():
    """x^2 = -b has no solution for positive b; the other members are not stopped."""
    problem = Problem(lambda x, a, b: x**2 - a - b)
    bad, good = parallel_sweep(
        problem, [1.0], "a", [0.0, 1.0], [{"b": -4.0}, {"b": 4.0}], executor=Here()
    )
    assert not bad.success
    assert "first point" in bad.message
    assert len(bad) == 0
    assert good.states[:, 0] == pytest.approx(np.sqrt([4.0, 5.0]))


def test_each_member_may_have_its_own_start():
    problem = Problem(lambda x, a, b: x**2 - a - b)
    up, down = parallel_sweep(
        problem, [[1.0], [-1.0]], "a", [0.0, 1.0], [{"b": 4.0}, {"b": 4.0}], executor=Here()
    )
    assert np.allclose(up.states, -down.states)
    with pytest.raises(InputError, match="x0 has 3 rows for 2 members"):
        parallel_sweep(problem, np.ones((3, 1)), "a", [0.0], [{"b": 1.0}] * 2, executor=Here())


def test_the_bar_counts_members(capsys):
    pytest.importorskip("tqdm")
    problem = Problem(lambda x, a, b: x**2 - a - b)
    parallel_sweep(problem, [1.0], "a", [0.0], [{"b": 1.0}] * 3, executor=Here(), progress=True)
    assert "3/3" in capsys.readouterr().err
