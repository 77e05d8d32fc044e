"""Common harness of the sparse-Jacobian benchmarks.

Two entry points:

  worker   one peer on one workload and size, in the process that runs it; prints a
           JSON record on its last line.
  suite    starts one fresh worker process per (workload, size, peer), with the
           interpreter that the peer needs, and appends the records to a JSON-lines file.
  report   turns a JSON-lines file into Markdown tables.

Interpreters and outside sources are named by environment variables, never by paths here:

  BENCH_PYTHON             interpreter with numpy, scipy, numba, jax, casadi ... (default: this one)
  BENCH_PYTHON_SPARSEGRAD  interpreter with sparsegrad and the old numpy it needs
  BENCH_OUT                where records go (default: ./out/records.jsonl)

What is measured, in every worker:

  setup     building whatever the peer needs before the first Jacobian (pattern, coloring,
            tracing, symbolic differentiation), then
  first     the first residual+Jacobian call (jit compilation falls in here or in setup);
  peak      ru_maxrss after two calls, before the reference code below has run at all;
  check     residual and Jacobian against the hand-written reference at every sample point;
  warm      rounds of [numpy residual, hand-written numpy Jacobian, peer], one after the
            other, so that ratios are taken between neighbors in time on a noisy machine.
            Both wall and process CPU time; the tables use the median CPU time.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import os
import resource
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

THREADS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}

WORKLOADS = {  # key: (module, class, keyword arguments)
    "w1": ("w1_bratu", "Bratu", {"dim": 2, "form": "gather"}),
    "w1dot": ("w1_bratu", "Bratu", {"dim": 2, "form": "dot"}),
    "w3-1d": ("w3_drift_diffusion", "DriftDiffusion", {"dim": 1}),
    "w3-2d": ("w3_drift_diffusion", "DriftDiffusion", {"dim": 2}),
    "w4": ("w4_shallow_water", "ShallowWater", {"step": False}),
    "w5": ("w5_reaction_diffusion", "ReactionDiffusion", {}),
    "w6": ("w6_conservation_law", "ConservationLaw", {}),
}

PEERS = {  # key: (module in peers/, class, keyword arguments, interpreter)
    "hand_numpy": ("hand", "HandNumpy", {}, "main"),
    "hand_numba": ("hand", "HandNumba", {}, "main"),
    "hand_coo": ("hand", "HandCoo", {}, "main"),
    "sparsegrad": ("sparsegrad_peer", "Sparsegrad", {}, "sparsegrad"),
    "asdex": ("jax_peer", "Asdex", {}, "main"),
    "asdex_fwd": ("jax_peer", "Asdex", {"mode": "fwd"}, "main"),
    "sparsejac": ("jax_peer", "Sparsejac", {}, "main"),
    "casadi_sx": ("casadi_peer", "Casadi", {"kind": "SX"}, "main"),
    "casadi_mx": ("casadi_peer", "Casadi", {"kind": "MX"}, "main"),
    "fd_2point": ("fd_peer", "FiniteDifference", {"method": "2-point"}, "main"),
    "fd_cs": ("fd_peer", "FiniteDifference", {"method": "cs"}, "main"),
    "sgsolve": ("sgsolve_peer", "Sgsolve", {}, "main"),
    "sgsolve_frozen": ("sgsolve_peer", "SgsolveFrozen", {}, "main"),
    "sgsolve_compiled": ("sgsolve_peer", "SgsolveCompiled", {}, "main"),
}


def load(table, key):
    module, cls, kwargs = table[key][:3]
    prefix = "peers." if table is PEERS else ""
    return getattr(importlib.import_module(prefix + module), cls), kwargs


def make_problem(workload, size):
    cls, kwargs = load(WORKLOADS, workload)
    return cls(size, **kwargs)


def rss_now():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize() / 2**20


def rss_peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def clock():
    return time.perf_counter(), time.process_time()


def timed(f, *args):
    w0, c0 = clock()
    r = f(*args)
    w1, c1 = clock()
    return r, w1 - w0, c1 - c0


def median(v):
    s = sorted(v)
    n = len(s)
    return s[n // 2] if n % 2 else 0.5 * (s[n // 2 - 1] + s[n // 2])


def rel_diff(F, J, F0, J0):
    """Largest absolute difference relative to the largest entry, for F and for J."""
    import numpy as np

    dF = float(np.max(np.abs(F - F0)) / max(np.max(np.abs(F0)), 1e-300))
    D = J.tocsr() - J0.tocsr()
    dJ = float(np.max(np.abs(D.data)) if D.nnz else 0.0)
    return dF, dJ / float(np.max(np.abs(J0.data)))


def worker(workload, size, peer, repeats, budget):
    """Return the record of one peer on one workload."""
    import numpy as np

    cls, kwargs = load(PEERS, peer)
    problem = make_problem(workload, size)
    points = problem.points()
    program = cls(**kwargs)
    rec = {"workload": workload, "size": size, "peer": peer, "numpy": np.__version__}
    rec["unknowns"] = int(len(points[0]))
    program.imports()
    rec["rss_before"] = rss_now()
    _, rec["setup_wall"], rec["setup_cpu"] = timed(program.setup, problem)
    (F, J), rec["first_wall"], rec["first_cpu"] = timed(program.evaluate, points[0])
    first = (np.array(F), J.copy())
    program.evaluate(points[0])
    rec["rss_peak"] = rss_peak()
    rec["notes"] = program.notes()
    reference = load(PEERS, "hand_numpy")[0]()
    reference.setup(problem)
    rec |= checked(program, reference, points, first)
    if rec["ok"]:
        rec |= warm(program, reference, problem, points, repeats, budget)
    return rec


def checked(program, reference, points, first):
    """Return the differences to the hand-written Jacobian at every point."""
    found = []
    for i, x in enumerate(points):
        F0, J0 = reference.evaluate(x)
        F, J = first if i == 0 else program.evaluate(x)
        found.append(rel_diff(F, J, F0, J0))
    dF, dJ = (max(values) for values in zip(*found))
    shape = {"nnz_ref": int(J0.nnz), "nnz": int(J.nnz), "format": J.format}
    shape["sorted"] = bool(J.has_sorted_indices)
    good = bool(dF < 1e-8 and dJ < program.tolerance)
    return {"diff_F": dF, "diff_J": dJ, "ok": good, **shape}


def warm(program, reference, problem, points, repeats, budget):
    """Return times of rounds of the residual, the hand-written Jacobian and the peer."""
    from peers.ops_numpy import NumpyOps

    calls = {
        "res": lambda x: problem.residual(x, NumpyOps),
        "ref": reference.evaluate,
        "peer": program.evaluate,
    }
    series = {name: [] for name in calls}
    start, n = time.perf_counter(), 0
    while n < repeats or (time.perf_counter() - start < budget and n < 200):
        if n >= 3 and time.perf_counter() - start > 10 * budget:
            break
        for name, call in calls.items():
            series[name].append(timed(call, points[n % len(points)])[1:])
        n += 1
    rec = {"rounds": n}
    for name, times in series.items():
        rec[name + "_wall"] = median([wall for wall, _ in times])
        rec[name + "_cpu"] = median([cpu for _, cpu in times])
        rec[name + "_cpu_min"] = min(cpu for _, cpu in times)
    for name in ("ref", "res"):
        pairs = zip(series["peer"], series[name])
        rec["ratio_" + name] = median([a[1] / max(b[1], 1e-9) for a, b in pairs])
    return rec


def interpreter(peer):
    which = PEERS[peer][3]
    if which == "sparsegrad":
        return os.environ.get("BENCH_PYTHON_SPARSEGRAD")
    return os.environ.get("BENCH_PYTHON", sys.executable)


def limit_memory():
    gib = float(os.environ.get("BENCH_MEMORY_GIB", "14")) * 2**30
    resource.setrlimit(resource.RLIMIT_AS, (int(gib), int(gib)))


def run_worker(workload, size, peer, repeats, budget, timeout):
    py = interpreter(peer)
    base = {"workload": workload, "size": size, "peer": peer}
    if not py:
        return dict(base, ok=False, error="no interpreter given")
    env = dict(os.environ, **THREADS)
    options = {"workload": workload, "size": size, "peer": peer}
    options |= {"repeats": repeats, "budget": budget}
    given = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    try:
        out = subprocess.run(
            [py, os.path.abspath(__file__), "worker", *given],
            env=env,
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=timeout,
            preexec_fn=limit_memory,
        )
    except subprocess.TimeoutExpired:
        return dict(base, ok=False, error="over %g s" % timeout)
    lines = [s for s in out.stdout.splitlines() if s.startswith("{")]
    if not lines:
        why = (
            "killed by signal %d" % -out.returncode
            if out.returncode < 0
            else "rc %d" % out.returncode
        )
        return dict(base, ok=False, error=why + ": " + out.stderr.strip()[-400:])
    return json.loads(lines[-1])


def parse_sizes(items):
    """'w1:100,300' -> ('w1', [100, 300])"""
    for it in items:
        key, _, sizes = it.partition(":")
        yield key, [int(s) for s in sizes.split(",")]


def print_worker(a):
    """Print the record of one worker as the last line, and end the process."""
    try:
        rec = worker(a.workload, a.size, a.peer, a.repeats, a.budget)
    except BaseException as e:
        traceback.print_exc()
        rec = {"workload": a.workload, "size": a.size, "peer": a.peer, "ok": False}
        rec |= {"error": f"{type(e).__name__}: {str(e)[:300]}", "rss_peak": rss_peak()}
    print(json.dumps(rec))
    sys.stdout.flush()
    os._exit(0)


def suite(a):
    """Run every case in a process of its own; append the records to a file, and return them."""
    os.makedirs(os.path.dirname(os.path.abspath(a.out)), exist_ok=True)
    found = []
    for workload, sizes in parse_sizes(a.cases):
        for size, peer in itertools.product(sizes, a.peers.split(",")):
            start = time.time()
            rec = run_worker(workload, size, peer, a.repeats, a.budget, a.timeout)
            rec["load1"] = os.getloadavg()[0]
            with open(a.out, "a") as f:
                f.write(json.dumps(rec) + "\n")
            head = f"{workload:7} {size:5d} {peer:11} {rec.get('ok')!s:5}"
            print(f"{head} {outcome(rec)}  ({time.time() - start:.0f} s)", flush=True)
            found.append(rec)
    return found


def outcome(rec):
    """Return a record in a few words."""
    if rec.get("ok"):
        return (
            f"x{rec['ratio_ref']:.2f} hand, {1e3 * rec['peer_cpu']:.3f} ms, dJ {rec['diff_J']:.1e}"
        )
    return (rec.get("error") or f"dF {rec.get('diff_F')} dJ {rec.get('diff_J')}")[-300:]


def arguments():
    """Return the command line."""
    ap = argparse.ArgumentParser()
    sub = ap.add_subparsers(dest="cmd", required=True)
    w = sub.add_parser("worker")
    w.add_argument("--workload", required=True)
    w.add_argument("--size", type=int, required=True)
    w.add_argument("--peer", required=True)
    s = sub.add_parser("suite")
    s.add_argument("cases", nargs="+", help="workload:size,size ...")
    s.add_argument("--peers", default="hand_numpy,hand_numba,sgsolve")
    s.add_argument("--timeout", type=float, default=120)
    out = os.environ.get("BENCH_OUT", os.path.join(HERE, "out", "records.jsonl"))
    s.add_argument("--out", default=out)
    for q in (w, s):
        q.add_argument("--repeats", type=int, default=7)
        q.add_argument("--budget", type=float, default=2.0)
    r = sub.add_parser("report")
    r.add_argument("records", nargs="+")
    return ap.parse_args()


def main():
    """Run what the command line names; return the records, or the tables."""
    a = arguments()
    if a.cmd == "worker":
        return print_worker(a)
    if a.cmd == "suite":
        return suite(a)
    import report

    text = report.tables(a.records)
    print(text)
    return text


if __name__ == "__main__":
    main()
