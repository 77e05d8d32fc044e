"""Markdown tables from harness records."""

import json

TITLES = {
    "w1": "W1 Bratu 2-D, neighbors by index arrays",
    "w1dot": "W1 Bratu 2-D, dot(L, u)",
    "w3-1d": "W3 drift-diffusion 1-D",
    "w3-2d": "W3 drift-diffusion 2-D",
    "w4": "W4 shallow water, spatial part (as sparsegrad's example timed it)",
    "w5": "W5 a time step of two reacting species",
    "w6": "W6 a time step of a conservation law",
}
ORDER = [
    "hand_numba",
    "hand_numpy",
    "hand_coo",
    "sgsolve",
    "sgsolve_frozen",
    "sgsolve_compiled",
    "asdex",
    "asdex_fwd",
    "sparsejac",
    "casadi_sx",
    "casadi_mx",
    "sparsegrad",
    "fd_2point",
    "fd_cs",
]

HEAD = (
    "| peer | J+F cpu ms | J+F wall ms | / hand numpy | / hand numba | / numpy residual | setup s "
    "| first call s | peak MB (over start) | dJ |",
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
)


def read(files):
    """Latest record for each (workload, size, peer); a good one is not replaced by a failed one."""
    recs = {}
    for f in files:
        with open(f) as fh:
            for line in fh:
                r = json.loads(line)
                key = r["workload"], r["size"], r["peer"]
                if key in recs and recs[key].get("ok") and not r.get("ok"):
                    continue
                recs[key] = r
    return recs


def num(v):
    return "%.3g" % v if v < 100 else "%.0f" % v


def numba_ratio(recs, w, s):
    nb = recs.get((w, s, "hand_numba"))
    return nb["ratio_ref"] if nb and nb.get("ok") else None


def tables(files):
    """Return a table for each workload and size."""
    recs = read(files)
    out = []
    for w in TITLES:
        for s in sorted({k[1] for k in recs if k[0] == w}):
            peers = {k[2]: rec for k, rec in recs.items() if k[:2] == (w, s)}
            good = next((rec for rec in peers.values() if rec.get("ok")), {})
            size = f"{good.get('unknowns')} unknowns, {good.get('nnz_ref')} nonzeros"
            out += [f"\n### {TITLES[w]}, N = {s} ({size})\n", *HEAD]
            nr = numba_ratio(recs, w, s)
            for p in sorted(peers, key=lambda q: ORDER.index(q) if q in ORDER else 99):
                out.append(row(p, peers[p], nr))
    return "\n".join(out)


def row(peer, rec, numba):
    """Return the line of one peer."""
    if not rec.get("ok"):
        wrong = f"wrong: dF {rec.get('diff_F', -1):.1e} dJ {rec.get('diff_J', -1):.1e}"
        return f"| {peer} | {(rec.get('error') or wrong).splitlines()[-1][:80]} ||||||||"
    cells = [num(1e3 * rec["peer_cpu"]), num(1e3 * rec["peer_wall"]), f"{rec['ratio_ref']:.2f}"]
    cells += [f"{rec['ratio_ref'] / numba:.2f}" if numba else "", f"{rec['ratio_res']:.1f}"]
    cells += [num(rec["setup_cpu"]), num(rec["first_cpu"])]
    cells += [f"{rec['rss_peak']:.0f} (+{rec['rss_peak'] - rec['rss_before']:.0f})"]
    return f"| {peer} | {' | '.join(cells)} | {rec['diff_J']:.0e} |"
