"""Writing random programs: expressions of the grammar, tried on plain NumPy as they are written."""

from __future__ import annotations

import numpy as np
from scipy import special

from sgsolve import ad

from . import aliases, element_loops, grammar

DTYPES = [np.float64] * 6 + [np.float32, np.longdouble, np.complex128, np.complex64, np.int64]
SHAPES = [
    (1,),
    (2,),
    (3,),
    (4,),
    (5,),
    (6,),
    (5,),
    (6,),
    (2, 3),
    (3, 2),
    (2, 2),
    (1, 4),
    (0,),
    (2, 1, 3),
]
LARGEST = 1e4


class Writer:
    """Writes one program, trying each expression on plain NumPy as it goes."""

    def __init__(self, number, length=8):
        self.rng = np.random.default_rng(number)
        self.number = number
        dtype = self.pick(DTYPES)
        shape = self.pick(SHAPES)
        self.points = [self._point(shape, dtype) for _ in range(2)]
        self.complex = np.dtype(dtype).kind == "c"
        self.fixed = True
        self.sources = []
        self.constants = [np.array([-1.0, -0.2, 0.5, 1.5]), np.array([0.0, 1.0, -1.0, 2.0])]
        self.moving = {}
        self.env = [self.points[0]]
        self.weights = np.array(list(grammar.FAMILIES.values()), dtype=float)
        if number % 4 == 3:  # most of the program complex, or a chain of chains
            self.weights[[f in grammar.FAVORED for f in grammar.FAMILIES]] *= 6
        while len(self.sources) < length:
            self._write_one()

    def _point(self, shape, dtype):
        x = self.rng.normal(size=shape).round(3)
        if np.dtype(dtype).kind == "c":
            x = x + 1j * self.rng.normal(size=shape).round(3)
        if np.dtype(dtype).kind == "i":
            x = x * 3
        return np.asarray(x, dtype=dtype)

    def _write_one(self):
        families = list(grammar.FAMILIES)
        family = families[self.rng.choice(len(families), p=self.weights / self.weights.sum())]
        before, fixed = len(self.constants), self.fixed
        try:
            source = family(self)
            result = evaluate(source, self.env, self.constants, ad)
            good = acceptable(result)
        except Exception:  # an expression that does not fit these shapes is no program
            good = False
        if good:
            self.fixed = self.fixed and "argsort" not in source
            self.sources.append(source)
            self.env.append(result)
        else:
            del self.constants[before:]
            self.moving = {k: m for k, m in self.moving.items() if k < before}
            self.fixed = fixed

    # ---- what the grammar asks for -------------------------------------------------------------

    def pick(self, items):
        return items[int(self.rng.integers(len(items)))]

    def names(self):
        return [f"v[{k}]" for k in range(len(self.env))]

    def any(self):
        k = len(self.env)
        late = int(self.rng.integers(max(0, k - 3), k))
        return f"v[{self.pick([late, late, int(self.rng.integers(k))])}]"

    def with_axes(self, *number):
        return self.pick([k for k in self.names() if len(self.shape(k)) in number])

    def pair(self):
        a = self.any()
        fits = [b for b in self.names() if self.shape(b) == self.shape(a)]
        return (a, self.pick(fits)) if self.rng.random() < 0.7 else (a, self.any())

    def is_complex(self, *names):
        return any(np.iscomplexobj(self.env[int(name[2:-1])]) for name in names)

    def shape(self, name):
        return np.shape(self.env[int(name[2:-1])])

    def shape_beside(self):
        shape = np.shape(self.env[-1])
        return self.pick([(), shape, shape, shape[1:], (2, *shape), (1,) * len(shape)])

    def fill(self, template, a, b):
        for k in range(template.count("{}")):
            template = template.replace("{}", a if k % 2 == 0 else b, 1)
        return template

    def constant(self, c):
        self.constants.append(c)
        return f"c[{len(self.constants) - 1}]"

    def dense_like(self, shape):
        c = self.rng.normal(size=shape).round(2)
        kind = self.rng.random()
        if kind < 0.15:
            return np.asarray(np.rint(2 * c), dtype=np.int64)
        if kind < 0.25:
            return np.asarray(c, dtype=np.float32)
        if kind < 0.3 and self.complex:
            return c + 1j
        if kind < 0.35 and np.ndim(c) == 1:
            return np.repeat(c, 2)[::2]
        if kind < 0.4 and np.ndim(c) == 1:
            return c[::-1]
        return np.asarray(c)

    def sparse_matrix(self, m, n):
        return grammar.random_sparse(self.rng, m, n)

    def moving_positions(self, n, count):
        """A constant that is another one at every call; some repeat positions, some do not."""
        arrays = []
        for _ in range(12):
            distinct = count <= n and self.rng.random() < 0.5
            idx = self.rng.permutation(n)[:count] if distinct else self.rng.integers(-n, n, count)
            arrays.append(idx)
        name = self.constant(arrays[0])
        self.moving[len(self.constants) - 1] = arrays
        self.fixed = False
        return name

    def positions(self, n):
        count = int(self.rng.integers(0, 6)) if n else 0
        dtype = self.pick([np.int64, np.int32, np.int8])
        idx = self.rng.integers(-n, max(n, 1), size=count).astype(dtype)
        return idx if self.rng.random() < 0.7 else np.repeat(idx, 2)[::-2]


def acceptable(result):
    if not isinstance(result, (np.ndarray, np.generic)) or np.size(result) > 60:
        return False
    if np.asarray(result).dtype.kind not in "fci" or np.ndim(result) > 4:
        return False
    return bool(np.all(np.isfinite(result)) and np.all(np.abs(result) < LARGEST))


def _smoothed(u):
    for _ in range(3):
        u = 0.5 * u + 0.25 * (np.roll(u, 1) + np.roll(u, -1))
    return u


def _vector(u):
    if np.ndim(u) != 1 or len(u) < 2:
        raise ValueError("a chain needs a vector")
    return u


def _stages(u):
    _vector(u)
    for _ in range(5):
        d = u[1:] - u[:-1]
        f = d * np.cos(u[1:] * u[:-1])
        u = u + 0.1 * np.concatenate([f[:1], f[1:] - f[:-1], -f[-1:]])
    return u


def _filtered(u):
    _vector(u)
    for _ in range(8):
        u = np.concatenate([u[:1], 0.5 * u[1:] + 0.3 * np.sin(u[:-1])])
    return u


def _rolled(u):
    for _ in range(6):
        u = u + 0.1 * np.roll(u, 1) * np.cos(u) - 0.2 * np.roll(u, -1)
    return u


def _walled(u):
    _vector(u)
    for _ in range(12):
        u = np.concatenate([0.5 * u[:1] + 0.1 * u[1:2] ** 2, u[1:]])
    return u


def _spun(u):
    """Complex between the stages, which are real again; of real numbers."""
    if u.dtype.kind == "c":
        raise ValueError("a chain of real stages")
    for _ in range(5):
        z = u * np.exp(1j * np.roll(u, 1))
        u = 0.5 * (z * np.conj(np.roll(z, -1))).real + 0.3 * np.imag(z)
    return u


def _multiplied(A, u):
    for _ in range(6):
        u = u + 0.1 * (A @ np.sin(u)) - 0.2 * u
    return u


def _newton(a):
    y = 1.0 + 0.1 * a
    for k in range(3):
        y = y - (y * y - (k + 1)) / 2.5
    return y


def _summed(u):
    total = 0.0
    for part in u if np.ndim(u) else [u]:
        total = total + part * part
    return total


def _einsum(subscripts, a, b):
    if not (np.size(a) and np.size(b)):
        # NumPy 2.4 writes beyond its result: einsum("ij,jk->ik", ones((2, 1)), zeros((1, 0)))
        raise ValueError("np.einsum of empty arrays corrupts the heap")
    return np.einsum(subscripts, a, b)


def namespace(module):
    return {
        "np": np, "ad": module, "special": special, "smoothed": _smoothed, "newton": _newton,
        "summed": _summed, "einsum": _einsum, "stages": _stages, "filtered": _filtered,
        "rolled": _rolled, "walled": _walled, "spun": _spun, "multiplied": _multiplied,
        "second_name": aliases.second_name, "helper": aliases.helper,
        "accumulated": aliases.accumulated, "through_view": aliases.through_view,
        "with_dead_views": aliases.with_dead_views, "filled": aliases.filled,
        "overwritten": aliases.overwritten, **element_loops.LOOPS,
        "cubic": lambda u: u * (1 + u * (2 - 0.1 * u)), "list": list,
        "elementwise_sine": module.elementwise(lambda x: np.sin(2 * x),
        lambda x: 2 * np.cos(2 * x)),
        "elementwise_cube": module.elementwise(lambda x: x * x * x, lambda x: 3 * x * x),
    }  # fmt: skip


_SPACES = {}
_CODES = {}


def evaluate(source, env, constants, module):
    space = _SPACES.get(module)
    if space is None:
        space = _SPACES[module] = namespace(module)
    code = _CODES.get(source)
    if code is None:
        if len(_CODES) > 50000:
            _CODES.clear()
        code = _CODES[source] = compile(source, source, "eval")
    with np.errstate(all="ignore"):
        return eval(code, {**space, "v": env, "c": constants})
