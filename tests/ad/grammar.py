"""The grammar of random programs: one function for each family of operations.

Each takes the `Writer` (which knows the values and shapes so far) and returns the source of one
expression in ``v[k]`` (earlier results) and ``c[k]`` (constants). An expression may turn out not
to work on these shapes; the writer tries it and throws it away.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from . import element_loops

REAL = """-{} | +{} | abs({}) | np.sin({}) | np.cos({}) | np.tanh({}) | np.arctan({}) | np.exp({})
| np.exp(-{}) | np.expm1({}) | np.sinh({}) | np.cosh({}) | np.square({}) | np.sqrt(1 + {}**2)
| np.log({} * {} + 1.5) | np.log1p(np.square({})) | np.arcsinh({}) | np.cbrt(3.0 + np.cos({}))
| np.sign({}) | np.floor(2.3 * {}) | np.reciprocal({} * {} + 2.0) | np.deg2rad({}) | np.positive({})
| special.expit({}) | special.erf({}) | ad.bernoulli({}) | np.tan(0.3 * np.sin({})) | {} ** 2
| {} ** 3 | 1.0 / (2.0 + np.cos({})) | 1.5 ** {} | np.absolute({}) | np.negative({}) | {} * 0
| {} / 3 | 2 * {} | 0.5 - {} | 1 + {} | {} % 0.7 | {} // 0.6 | {} - 2 | np.float64(0.3) * {}
| cubic({}) | np.minimum({}, 0.3) | np.maximum(0.1, {}) | {} * {} | {} - {} | 0.1 + {}
| np.arctan2({}, 1.7) | {} * np.float32(0.5) | {} + np.int64(2) | np.hypot({}, 1)
| np.clip({}, -0.4, 0.6) | np.nan_to_num({}) | {} ** 0.0 | (1.2 + {} * {}) ** -0.5"""
COMPLEX = """-{} | np.sin({}) | np.cos({}) | np.exp({}) | np.square({}) | {} * (1 + 2j) | {} ** 2
| {} * {} | np.sinh({}) | np.tanh(0.3 * {}) | {} / 2 | 1j - {} | 0.5 * {} | {} - {}
| np.expm1(0.5 * {})
| np.reciprocal(5.0 + np.sin(0.1 * {})) | np.sqrt(4.0 + np.sin(0.1 * {})) | {} + 1
| np.log(4.0 + np.sin(0.1 * {}))"""
TO_COMPLEX = """{} * (1 + 2j) | np.exp(1j * {}) | {} + 0.5j | 1j * {} | np.exp((0.3j - 0.2) * {})
| {} * np.complex64(1j) | {}.astype(complex)"""
PARTS = """abs({}) | np.abs({}) ** 2 | np.conj({}) | {}.conj() | {}.real | {}.imag | np.real({})
| np.imag({}) | np.angle({}) | np.angle({}, deg=True) | np.sign({}) | {} * np.conj({})
| np.absolute(2.0 - {}) | np.conjugate({}) * 1j | np.hypot({}.real, {}.imag)"""
TWO_PARTS = """{} * np.conj({}) | {} + 1j * {} | {} * np.exp(1j * {}) | np.conj({}) - {}
| np.vdot({}, {}) | np.where(np.abs({}) > 0.5, {}, 1j) | np.real({}) + 1j * np.imag({})"""
REDUCE_PARTS = """np.linalg.norm({}) | np.linalg.norm({}, axis=0) | np.var({}) | np.std({})
| np.linalg.norm({}, 1) | np.var({}, axis=-1, ddof=1)"""
STAGES = """stages({}) | filtered({}) | rolled({}) | walled({}) | spun({})"""
BINARY = """{} + {} | {} - {} | {} * {} | {} / (1.5 + {} ** 2) | np.add({}, {})
| np.multiply({}, {}) | np.subtract({}, {}) | 0.2 * {} - 3 * {} | {} + {} * 0.25
| np.divide({}, {})"""
BINARY_REAL = """np.maximum({}, {}) | np.minimum({}, {}) | np.hypot({}, {}) | np.arctan2({}, {})
| np.logaddexp({}, {}) | np.fmax({}, {}) | (1 + {} ** 2) ** {} | np.where({} > 0.2, {}, 0.5)
| np.where({} > {}, 1.0, 2.0) * 3 | np.abs({}) ** np.abs({}) | {} % (1.1 + {} ** 2)"""
SHAPING = """np.ravel({}) | {}.ravel() | {}.T | np.transpose({}) | np.flip({}) | np.roll({}, 1)
| np.roll({}, -2, axis=0) | np.repeat({}, 2) | np.repeat({}, 2, axis=-1) | np.tile({}, 2)
| np.tile({}, (2, 1)) | np.squeeze({}) | np.expand_dims({}, 0) | np.pad({}, 1) | np.copy({})
| np.atleast_2d({}) | np.broadcast_to({}, (2, *np.shape({}))) | np.diag({}) | np.tril({})
| np.triu({}, 1) | np.diagonal({}) | np.swapaxes({}, 0, -1) | np.rot90({}) | np.moveaxis({}, 0, -1)
| np.reshape({}, (-1, 1)) | {}.reshape(1, -1) | np.reshape({}, (-1,), order='F') | {}[...]
| np.pad({}, (1, 2), mode='edge') | np.delete({}, 0) | np.resize({}, 3) | np.atleast_1d({})"""
REDUCE = """np.sum({}) | np.sum({}, axis=0) | np.sum({}, axis=-1, keepdims=True) | np.mean({})
| np.mean({}, axis=0) | np.cumsum({}) | np.cumsum({}, axis=0) | np.diff({}) | np.diff({}, 2)
| np.diff({}, axis=0) | ad.sum({}) | ad.sum({}, 0) | np.trace({}) | np.ediff1d({})
| np.trapezoid({}) | np.sum({}, axis=(0, 1)) | np.trapezoid({}, dx=0.3) | np.prod({})
| np.prod({}, axis=0) | np.cumprod({}) | np.cumprod({}, axis=-1) | np.diff({}, append=1.0)"""
REDUCE_REAL = """np.max({}) | np.min({}) | np.max({}, axis=0) | np.min({}, axis=-1, keepdims=True)
| np.linalg.norm({}) | np.linalg.norm({}, axis=0) | np.var({}) | np.std({}, axis=0)
| np.linalg.norm({}, 1) | np.var({}, axis=-1, ddof=1) | np.gradient({})"""
JOIN = """np.concatenate([{}, {}]) | np.hstack([{}, {}]) | np.stack([{}, {}]) | np.vstack([{}, {}])
| np.append({}, {}) | np.concatenate([{}, {}], axis=-1) | np.column_stack([{}, {}])
| np.stack([{}, {}], axis=-1) | ad.hstack([{}, {}]) | ad.stack({}, {}) | ad.stack([{}, {}])
| np.hstack([{}, [1.0, 2.0], {}]) | np.concatenate([{}, {}], axis=None)"""
MULTIPLY = """{} @ {} | np.dot({}, {}) | np.outer({}, {}) | np.inner({}, {}) | np.kron({}, {})
| np.matmul({}, {}) | ad.dot({}, {}) | einsum('i,j->ij', {}, {}) | einsum('i,i->', {}, {})
| einsum('ij,jk->ik', {}, {}) | np.tensordot({}, {}, axes=1)"""
FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")


def choices(text):
    return [e.strip() for e in text.replace("\n", " ").split(" | ")]


BODIES = choices(element_loops.BODIES)
COMPLEX_BODIES = choices(element_loops.COMPLEX_BODIES)
TABLES = {name: choices(text) for name, text in list(globals().items()) if isinstance(text, str)
          and name.isupper()}  # fmt: skip


def _from(w, *names):
    template = w.pick([e for name in names for e in TABLES[name]])
    return template


def unary(w):
    a = w.any()
    template = _from(w, "COMPLEX" if w.is_complex(a) else "REAL")
    return template.replace("{}", a)


def binary(w):
    a, b = w.pair()
    template = _from(w, "BINARY", *(() if w.is_complex(a, b) else ("BINARY_REAL",)))
    return w.fill(template, a, b)


def parts(w):
    """Complex numbers of real unknowns, and real numbers of these."""
    if w.complex:
        return unary(w)
    a, b = w.pair()
    if w.rng.random() < 0.3:
        return w.fill(_from(w, "TWO_PARTS"), a, b)
    if w.is_complex(a):
        return _from(w, "PARTS", "PARTS", "REDUCE_PARTS").replace("{}", a)
    return _from(w, "TO_COMPLEX").replace("{}", a)


def stages(w):
    """A chain in which every stage depends on neighbors in the one before."""
    if w.rng.random() < 0.4:
        a = w.with_axes(1, 2)
        A = w.constant(w.sparse_matrix(w.shape(a)[0], w.shape(a)[0]))
        return f"multiplied({A}, {a})"
    return _from(w, "STAGES").replace("{}", w.any())


def mixed(w):
    a, b = w.any(), w.constant(w.dense_like(w.shape_beside()))
    template = w.pick(TABLES["BINARY"])
    return w.fill(template, *w.pick([(a, b), (b, a)]))


def shaping(w):
    return _from(w, "SHAPING").replace("{}", w.any())


def reduction(w):
    a = w.any()
    template = _from(w, "REDUCE", *(() if w.is_complex(a) else ("REDUCE_REAL",)))
    return template.replace("{}", a)


def joining(w):
    template = _from(w, "JOIN")
    a, b = w.pair()
    if w.rng.random() < 0.3:
        b = w.constant(w.dense_like(w.rng.integers(0, 4)))
    return w.fill(template, a, b)


def multiply(w):
    template = _from(w, "MULTIPLY")
    a, b = w.any(), w.any()
    if w.rng.random() < 0.5:
        shape = w.shape(b)
        rows = int(w.rng.integers(0, 5))
        a = w.constant(w.dense_like((rows, shape[0]) if shape else (rows,)))
        if w.rng.random() < 0.3 and shape:
            a, b = b, w.constant(w.dense_like((shape[-1], rows)))
    return w.fill(template, a, b)


def sparse(w):
    b = w.with_axes(1, 2)
    n = w.shape(b)[0]
    A = w.constant(w.sparse_matrix(int(w.rng.integers(1, 6)), n))
    if n and w.rng.random() < 0.2:
        A = w.constant(w.sparse_matrix(w.shape(b)[-1], 3))
        return f"{b} @ {A}"
    return w.pick([f"{A} @ {b}", f"ad.dot({A}, {b})"])


def index(w):
    a = w.any()
    shape = w.shape(a)
    if not shape:
        return w.pick([f"{a}[None]", f"{a}[...]", f"{a}[()]"])
    n = shape[0]
    positions = w.constant(w.positions(n))
    mask = w.constant(w.rng.random(n) < 0.6)
    one = int(w.rng.integers(-n, n)) if n else 0
    keys = ["1:", ":-1", "::2", "::-1", "-1:0:-2", "1:-1", "None", "...", "..., None", "2:1",
            "1:2:-1", f"{-n - 1}::-1", f"{-n - 2}::-2", "0:0", f"{n}:", "[]",
            f"{one}", positions, positions, mask, f"{one}:", f"list({positions})"]  # fmt: skip
    if len(shape) == 2:
        keys += [f":, {int(w.rng.integers(0, shape[1]))}" if shape[1] else ":, :", "1:, ::-1",
                 f"{positions}, 0", f"{positions}, None", "..., 0", f"{mask}, ::2", "::2, -1:",
                 w.constant(w.rng.random(shape) < 0.5),
                     f"{positions}[:, None], [[0, 0]]"]  # fmt: skip
    if w.rng.random() < 0.15:
        return f"np.take({a}, {positions}, axis={w.pick(['0', '0', '-1', 'None'])})"
    if w.rng.random() < 0.1 and not w.is_complex(a):
        w.fixed = False
        return f"{a}[{a} > 0.1]"
    return f"{a}[{w.pick(keys)}]"


def where(w):
    a, b = w.pair()
    if w.is_complex(a, b):
        return f"np.where({w.constant(w.rng.random(w.shape(a)) < 0.5)}, {a}, {b})"
    t = round(float(w.rng.normal()) * 0.5, 2)
    template = w.pick([
        "np.where({a} > {t}, {a}, {b})", "ad.where({a} < {b}, np.sqrt({a} - {t}), 2 * {b})",
        "np.where({a} > {t}, np.log({a}), {b})", "np.where({a} != 0, 1.0 / {a}, {t})",
        "ad.where({a} > {t}, 1.0, {b})", "np.select([{a} > 1, {a} > {t}], [{a}, {b}])",
        "ad.where(True, {a}, {b})",
    ])  # fmt: skip
    return template.format(a=a, b=b, t=t)


def branch(w):
    a = w.with_axes(0, 1, 2)
    b = w.pick([k for k in w.names() if w.shape(k) == w.shape(a)])
    if w.is_complex(a, b):
        m = w.constant(np.asarray(w.rng.random(w.shape(a)) < 0.5))
        return f"ad.branch({m}, lambda i: {a}[i] * {b}[i], lambda i: np.sin({b}[i]))"
    t = round(float(w.rng.normal()) * 0.5, 2)
    return w.pick([
        f"ad.branch({a} > {t}, lambda i: np.sqrt({a}[i] - {t}) * {a}[i], lambda i: 3.0 * {b}[i])",
        f"ad.branch({a} > {t}, lambda i: {a}[i], lambda i: {b}[i])",
        f"ad.branch({a} > {t}, lambda i: 1.0, lambda i: {b}[i] ** 2 + {a}[i])",
        f"ad.branch({a} > 50.0, lambda i: 1 / {a}[i], lambda i: np.cos({b}[i]))",
    ])  # fmt: skip


def sparsesum(w):
    n = int(w.rng.integers(1, 7))
    terms = []
    for _ in range(w.rng.integers(1, 4)):
        a = w.with_axes(0, 1)
        count = w.shape(a)[0] if w.shape(a) else int(w.rng.integers(0, 4))
        idx = w.constant(w.rng.integers(-n, n, size=count))
        if w.rng.random() < 0.3 and count and count <= n:
            mask = np.zeros(n, dtype=bool)
            mask[w.rng.permutation(n)[:count]] = True
            idx = w.constant(mask)
        elif w.rng.random() < 0.3 and count <= n:
            idx = f"slice({n - count}, {n})"
        terms.append(f"ad.sparsevec({n}, {idx}, {a})")
    if w.rng.random() < 0.2:
        terms.append(f"({n}, [0], {w.constant(np.array([1.5]))})")
    return f"ad.sparsesum([{', '.join(terms)}])"


def gathered(w):
    """Gather, compute, scatter back with the same index: the shape of a finite volume code."""
    a = w.with_axes(1)
    n = w.shape(a)[0]
    i, j = (w.constant(w.rng.integers(0, max(n, 1), size=5 if n else 0)) for _ in range(2))
    flux = w.pick(["{a}[{i}] - {a}[{j}]", "{a}[{i}] * {a}[{j}]",
        "np.sin({a}[{i}] - {a}[{j}]) * {a}[{j}]"]
                  ).format(a=a, i=i, j=j)  # fmt: skip
    m = max(n, 1)
    return (
        f"(lambda f: ad.sparsesum([ad.sparsevec({m}, {i}, f), ad.sparsevec({m}, {j}, -f)]))({flux})"
    )


def moving(w):
    """Gather with index arrays that are others at every call, and that may repeat positions."""
    a = w.with_axes(1)
    n = w.shape(a)[0]
    count = int(w.rng.integers(1, 6))
    i, j = (w.moving_positions(n, count) for _ in range(2))
    template = w.pick([
        "{a}[{i}]", "{a}[{i}] * np.sin({a}[{j}])", "{a}[{i}][::-1] - {a}[{j}]",
        "ad.sparsesum([ad.sparsevec({n}, {i}, 2.0 * np.sin({a}[{i}]))])",
        "ad.sparsesum([({n}, {i}, {a}[{i}] * {a}[{j}]), ({n}, {j}, {a}[{i}])])",
        "np.concatenate([{a}[{i}], {a}])[{j}]", "np.sum({a}[{i}] * {a}[{i}])",
        "np.take({a}, {i}) + 1.0", "ad.sparsesum([ad.sparsevec({n}, {i}, {a}[{j}])])[{i}]",
    ])  # fmt: skip
    return template.format(a=a, i=i, j=j, n=n)


def in_place(w):
    a = w.with_axes(1, 2)
    b = w.pick([k for k in w.names() if w.shape(k) == w.shape(a)])
    return w.pick([
        f"second_name({a}, {b})", f"helper({a}, {b})", f"accumulated({a})",
        f"through_view({a}, {b})", f"with_dead_views({a}, {b})", f"filled({a}, {b})",
        f"overwritten({a}, {b})",
    ])  # fmt: skip


def loop(w):
    a = w.any()
    return w.pick([f"smoothed({a})", f"newton({a})", f"summed({a})"])


def elements(w):
    """A loop over elements; which of them it chooses may depend on their values."""
    if w.rng.random() < 0.2:
        a = w.with_axes(2)
        b = a
        name = "double"
    else:
        a, b = w.with_axes(1), w.with_axes(1)
        name = w.pick(element_loops.VECTOR_LOOPS).__name__
    n = w.shape(a)[0]
    pairs = w.rng.integers(-n, n, size=(int(w.rng.integers(1, 7)), 2)).tolist()
    body = w.pick(COMPLEX_BODIES if w.is_complex(a, b) else BODIES)
    k = round(float(w.rng.normal()), 2)
    if any(word in body for word in ("max(", "min(", " if ")):
        w.fixed = False
    return f"{name}({a}, {b}, {pairs}, lambda a, b, c, k={k}: {body})"


def other(w):
    a = w.any()
    if w.is_complex(a):
        return f"elementwise_cube({a})"
    return w.pick([f"elementwise_sine({a})", f"np.interp({a}, c[0], c[1])", f"{a}[np.argsort({a})]",
                   f"np.interp({a}, c[0], c[1], left=0.0)", f"{a}.astype(np.float32)"])  # fmt: skip


FAMILIES = {unary: 6, binary: 6, mixed: 3, shaping: 3, reduction: 3, joining: 3, multiply: 2,
            sparse: 2, index: 5, where: 2, branch: 2, sparsesum: 2, gathered: 2, loop: 1,
            other: 1, parts: 2, stages: 1, moving: 2, in_place: 3,
            elements: 5}  # fmt: skip

FAVORED = (parts, stages)


def random_sparse(rng, m, n):
    """A matrix in any format, of either class, with duplicates and explicit zeros."""
    count = int(rng.integers(0, 2 * m + 1)) if n else 0
    rows, cols = rng.integers(0, m, count), rng.integers(0, max(n, 1), count)
    data = rng.normal(size=count).round(2)
    data[rng.random(count) < 0.1] = 0.0
    coo = sp.coo_array((data, (rows, cols)), shape=(m, n))
    kind = str(rng.choice(FORMATS))
    if rng.random() < 0.3:
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=m))])
        order = np.argsort(rows, kind="stable")
        return sp.csr_array((data[order], cols[order], indptr), shape=(m, n))
    if kind in ("bsr", "dia") and (m == 0 or n == 0 or count == 0):
        kind = "csr"
    A = coo if kind == "coo" else coo.asformat(kind)
    return A if rng.random() < 0.5 else getattr(sp, f"{kind}_matrix")(A)
