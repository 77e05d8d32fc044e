"""Markdown tables from harness records."""

import collections
import json

TITLES = {
    "w1": "W1 Bratu 2-D, neighbors by index arrays",
    "w1dot": "W1 Bratu 2-D, dot(L, u)",
    "w3-1d": "W3 drift-diffusion 1-D",
    "w3-2d": "W3 drift-diffusion 2-D",
    "w4": "W4 shallow water, spatial part (as sparsegrad's example timed it)",
}
ORDER = [
    "hand_numba",
    "hand_numpy",
    "hand_coo",
    "sgsolve",
    "asdex",
    "asdex_fwd",
    "sparsejac",
    "casadi_sx",
    "casadi_mx",
    "sparsegrad",
    "fd_2point",
    "fd_cs",
]


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
    recs = read(files)
    cases = collections.OrderedDict()
    for w in TITLES:
        for s in sorted({k[1] for k in recs if k[0] == w}):
            cases[w, s] = [k[2] for k in recs if k[:2] == (w, s)]
    out = []
    for (w, s), peers in cases.items():
        any_ok = next((recs[w, s, p] for p in peers if recs[w, s, p].get("ok")), {})
        out.append(
            "\n### %s, N = %d (%s unknowns, %s nonzeros)\n"
            % (TITLES[w], s, any_ok.get("unknowns"), any_ok.get("nnz_ref"))
        )
        out.append(
            "| peer | J+F cpu ms | J+F wall ms | / hand numpy | / hand numba | / numpy residual | setup s | first call s | peak MB (over start) | dJ |"
        )
        out.append("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        nr = numba_ratio(recs, w, s)
        for p in sorted(peers, key=lambda q: ORDER.index(q) if q in ORDER else 99):
            r = recs[w, s, p]
            if not r.get("ok"):
                why = (
                    r.get("error")
                    or "wrong: dF %.1e dJ %.1e" % (r.get("diff_F", -1), r.get("diff_J", -1))
                ).splitlines()[-1][:80]
                out.append("| %s | %s ||||||||" % (p, why))
                continue
            out.append(
                "| %s | %s | %s | %.2f | %s | %.1f | %s | %s | %.0f (+%.0f) | %.0e |"
                % (
                    p,
                    num(1e3 * r["peer_cpu"]),
                    num(1e3 * r["peer_wall"]),
                    r["ratio_ref"],
                    "%.2f" % (r["ratio_ref"] / nr) if nr else "",
                    r["ratio_res"],
                    num(r["setup_cpu"]),
                    num(r["first_cpu"]),
                    r["rss_peak"],
                    r["rss_peak"] - r["rss_before"],
                    r["diff_J"],
                )
            )
    return "\n".join(out)


def headline(files):
    recs = read(files)
    cases = [(w, s) for w in TITLES for s in sorted({k[1] for k in recs if k[0] == w})]
    peers = [p for p in ORDER if any(k[2] == p for k in recs)]
    out = [
        "| workload | hand numpy ms | " + " | ".join(p for p in peers if p != "hand_numpy") + " |",
        "|---|---:|" + "---:|" * (len(peers) - 1),
    ]
    for w, s in cases:
        row = []
        base = recs.get((w, s, "hand_numpy"), {})
        for p in peers:
            if p == "hand_numpy":
                continue
            r = recs.get((w, s, p))
            row.append(
                ""
                if r is None
                else "%.2f" % r["ratio_ref"]
                if r.get("ok")
                else ("t/o" if "over" in (r.get("error") or "") else "fail")
            )
        out.append(
            "| %s %d | %s | %s |"
            % (w, s, num(1e3 * base["peer_cpu"]) if base.get("ok") else "", " | ".join(row))
        )
    return "\n".join(out)


if __name__ == "__main__":
    import sys

    print(headline(sys.argv[1:]))
