"""Blocks with shapes: packed into the vector of unknowns, unpacked from it, handed to residuals."""

import pickle

import numpy as np
import pytest

from sgsolve import (
    Branch,
    DataTypeError,
    InputError,
    ParameterError,
    Problem,
    ShapeError,
    StructureError,
    ad,
    solvers,
)
from sgsolve.results.blocks import Blocks

N = 6
BLOCKS = {"u": (N, N), "v": (N, N), "total": ()}


def laplacian(u):
    w = np.pad(u, 1)
    return w[2:, 1:-1] + w[:-2, 1:-1] + w[1:-1, 2:] + w[1:-1, :-2] - 4.0 * u


def fields(u, v, total, rate=1.0, supply=0.5):
    """Two species that react, and the amount of the first."""
    return {
        "total": np.sum(u) - total,
        "v": laplacian(v) + rate * u * v - 0.1 * v + 0.2,
        "u": laplacian(u) - rate * u * v + supply,
    }


def sliced(x, rate=1.0, supply=0.5):
    """The same by hand."""
    u, v = x[: N * N].reshape(N, N), x[N * N : 2 * N * N].reshape(N, N)
    F = fields(u, v, x[-1], rate, supply)
    return np.concatenate([F["u"].ravel(), F["v"].ravel(), np.reshape(F["total"], 1)])


@pytest.fixture
def problem():
    return Problem(fields, params={"rate": 1.0}, blocks=BLOCKS, fields=True)


@pytest.fixture
def x():
    return np.random.default_rng(1).uniform(0.1, 0.3, 2 * N * N + 1)


def test_residual_and_jacobian_are_those_by_hand(problem, x):
    by_hand = Problem(sliced, params={"rate": 1.0})
    assert np.array_equal(problem.residual(x), by_hand.residual(x))
    F, J = problem.linearize(x)
    expected = by_hand.linearize(x)[1]
    assert np.array_equal(F, by_hand.residual(x))
    assert np.array_equal(J.toarray(), expected.toarray())
    assert problem.sparsity(x).equals(by_hand.sparsity(x))
    h = 1e-6
    steps = (problem.residual(x + h * e) - problem.residual(x - h * e) for e in np.eye(len(x)))
    assert np.allclose(J.toarray().T, np.array(list(steps)) / (2.0 * h), atol=1e-8)
    assert problem.check_jacobian(x)


def test_a_result_gives_fields_in_shape(problem):
    result = problem.solve(problem.pack(u=0.3, v=0.3, total=0.0), solvers.DampedNewton())
    again = Problem(sliced).solve(np.r_[np.full(2 * N * N, 0.3), 0.0], solvers.DampedNewton())
    assert np.allclose(result.x, again.x, rtol=0, atol=1e-10)
    assert result["u"].shape == (N, N)
    assert result["total"] == pytest.approx(result["u"].sum())
    assert np.abs(laplacian(result["u"]) - result["u"] * result["v"] + 0.5).max() < 1e-8
    assert result["success"] is result.success
    with pytest.raises(KeyError, match="a result has no 'w'"):
        result["w"]
    assert pickle.loads(pickle.dumps(result))["v"].shape == (N, N)


def test_pack_and_unpack_are_inverse(problem, x):
    parts = problem.unpack(x)
    assert {name: part.shape for name, part in parts.items()} == BLOCKS
    assert np.shares_memory(parts["v"], x)
    assert np.array_equal(parts["v"].ravel(), x[N * N : 2 * N * N])
    assert np.array_equal(problem.pack(**parts), x)
    assert problem.pack(u=1.0, v=[[2.0] * N] * N, total=3.0).tolist() == [1.0] * 36 + [2.0] * 36 + [
        3.0
    ]


def test_unpack_and_pack_inside_a_residual(x):
    def residual(x, rate=1.0):
        return problem.pack(**fields(**problem.unpack(x), rate=rate))

    problem = Problem(residual, blocks=BLOCKS)
    assert np.array_equal(problem.jacobian(x).toarray(), Problem(sliced).jacobian(x).toarray())
    y = residual(ad.seed(x))
    assert np.array_equal(y.jacobian.toarray(), problem.jacobian(x).toarray())


def test_blocks_by_indices_are_packed_where_they_belong():
    where = {"odd": slice(1, None, 2), "even": slice(0, None, 2)}
    problem = Problem(
        lambda odd, even, a: {"odd": odd - a * even, "even": even**2 - 4.0},
        params={"a": 3.0},
        blocks=where,
        fields=True,
    )
    result = problem.solve(problem.pack(even=np.ones(3), odd=np.zeros(3)))
    assert np.allclose(result.x, [2.0, 6.0] * 3)
    assert np.allclose(result["odd"], 6.0)
    assert np.allclose(problem.at(a=0.5).solve(result.x)["odd"], 1.0)


def test_branches_give_fields_in_shape(problem, tmp_path):
    start = problem.solve(problem.pack(u=0.3, v=0.3, total=0.0)).x
    sweep = problem.sweep(start, "rate", [1.0, 0.9, 0.8])
    curve = problem.at(rate=1.0).continuation(start, "rate", (0.8, 1.0), step=-0.1, max_points=4)
    for branch in (sweep, curve):
        branch.save(tmp_path / "branch.npz")
        loaded = Branch.load(tmp_path / "branch.npz")
        for one in (branch, loaded):
            assert one.field("u").shape == (len(one), N, N)
            assert one.field("total").shape == (len(one),)
            assert np.allclose(one.field("u").sum(axis=(1, 2)), one.field("total"))
    with pytest.raises(InputError, match="no block 'w'"):
        sweep.field("w")


def test_compiled_programs_of_fields_are_right(problem, x):
    by_hand = Problem(sliced)
    for k in range(30):  # programs are compiled after some evaluations
        y = x * (1.0 + 0.01 * k)
        assert np.array_equal(problem.jacobian(y).toarray(), by_hand.jacobian(y).toarray())


def test_storage_jacobian_and_null_space_get_fields():
    rc = Problem(
        lambda v, i, u: {"v": (v - u) / 1e3 - i, "i": i},
        params={"u": 0.0},
        blocks={"v": (2,), "i": (2,)},
        storage=lambda v, i: {"v": 1e-6 * v, "i": 0.0 * i},
        jacobian=lambda v, i, u: np.block(
            [[np.eye(2) / 1e3, -np.eye(2)], [np.zeros((2, 2)), np.eye(2)]]
        ),
        fields=True,
    )
    corner = 1.0 / (2.0 * np.pi * 1e-3)
    response = rc.small_signal(rc.solve(np.zeros(4)), "u", [corner])
    assert np.allclose(response.states, [[0.5 - 0.5j, 0.5 - 0.5j, 0.0, 0.0]])
    ring = Problem(
        lambda u, s: {"u": 2.0 * u - np.roll(u, 1) - np.roll(u, -1) - s * np.array([1.0, 0, -1])},
        params={"s": 1.0},
        blocks={"u": (3,)},
        null_space=lambda u, s: np.ones(len(u)),
        fields=True,
    )
    assert ring.solve([1.0, 1.0, 1.0]).x.mean() == pytest.approx(1.0)


def test_labels_and_bounds_by_shape():
    blocks = Blocks(8, {"u": (2, 3), "p": (), "q": (1,)})
    assert [blocks.label(i) for i in (0, 5, 6, 7)] == ["u[0, 0]", "u[1, 2]", "p", "q[0]"]
    assert repr(blocks) == "Blocks(u: 6, p: 1, q: 1)"
    lower = blocks.spread({"u": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}, 0.0)
    assert lower.tolist() == [1, 2, 3, 4, 5, 6, 0, 0]


def test_a_singular_equation_is_named_by_its_place():
    problem = Problem(
        lambda u, p: {"u": u**2 - 1.0, "p": np.array([1.0, 2.0]) * 0.0 + p[:1]},
        blocks={"u": (2, 2), "p": (2,)},
        fields=True,
    )
    with pytest.raises(StructureError, match=r"p\[1\] appears in no equation"):
        problem.solve(np.ones(6))


def good(u, p):
    return {"u": u - 1.0, "p": p - 2.0}


SHAPES = {"u": (2, 2), "p": (2,)}


def made(residual=good, blocks=SHAPES, **options):
    return Problem(residual, blocks=blocks, fields=True, **options)


WRONG = {
    "total": (
        lambda: made().solve(np.zeros(7)),
        ShapeError,
        r"blocks u \(2, 2\), p \(2,\) have 6 unknowns, but there are 7",
    ),
    "total of unpack": (lambda: made().unpack(np.zeros(5)), ShapeError, "6 unknowns, but .* 5"),
    "matrix to unpack": (lambda: made().unpack(np.zeros((2, 6))), ShapeError, r"\(n,\), not"),
    "result to unpack": (
        lambda: made().unpack(made().solve(np.zeros(6))),
        DataTypeError,
        "give its .x",
    ),
    "unknown block": (
        lambda: made().pack(u=1.0, p=1.0, q=1.0),
        InputError,
        r"pack got a block 'q'; the blocks are u \(2, 2\), p \(2,\)",
    ),
    "missing block": (lambda: made().pack(u=1.0), InputError, "pack got no block 'p'"),
    "nothing": (lambda: Problem(good).pack(), InputError, "pack got no block 'x'"),
    "shape of a block": (
        lambda: made().pack(u=np.ones(4), p=1.0),
        ShapeError,
        r"pack got shape \(4,\) for block 'u', which has shape \(2, 2\)",
    ),
    "shape of equations": (
        lambda: made(lambda u, p: {"u": u[0], "p": p}).solve(np.zeros(6)),
        ShapeError,
        r"the residual returned shape \(2,\) for block 'u', which has shape \(2, 2\)",
    ),
    "equations missing": (
        lambda: made(lambda u, p: {"u": u}).solve(np.zeros(6)),
        InputError,
        "the residual returned no block 'p'",
    ),
    "equations of no block": (
        lambda: made(lambda u, p: {"u": u, "p": p, "w": p}).solve(np.zeros(6)),
        InputError,
        "the residual returned a block 'w'",
    ),
    "argument missing": (
        lambda: made(lambda u: {"u": u, "p": u[0]}),
        InputError,
        "the residual has no argument 'p'; with fields=True it is called with one argument",
    ),
    "negative shape": (
        lambda: made(blocks={"u": (2, -2), "p": (2,)}),
        InputError,
        r"block 'u' has the shape \(2, -2\); a shape is a length or a tuple of positive integers",
    ),
    "shape of floats": (lambda: made(blocks={"u": (2.0,), "p": (2,)}), InputError, "block 'u'"),
    "shapes and indices": (
        lambda: made(blocks={"u": (2, 2), "p": slice(4, 6)}),
        InputError,
        r"block 'u' has a shape .*, and block 'p' indices",
    ),
    "overlapping": (
        lambda: made(blocks={"u": slice(0, 4), "p": [3, 4]}).solve(np.zeros(5)),
        InputError,
        "block 'p' overlaps block 'u'",
    ),
    "no blocks": (lambda: made(blocks=None), InputError, "fields=True needs blocks"),
    "blocks in a list": (lambda: made(blocks=[2, 2]), DataTypeError, "blocks must map names"),
    "parameter of the same name": (
        lambda: made(lambda u, p, **q: {"u": u, "p": p}, params={"p": 1.0}),
        ParameterError,
        "'p' has the name of a block",
    ),
    "fields without fields=True": (
        lambda: Problem(lambda u, p: [u, p], blocks={"u": (2, 2), "p": (2,)}),
        InputError,
        "'p' with the name of a block; give fields=True",
    ),
    "length zero": (
        lambda: made(blocks={"u": 0, "p": 1}),
        InputError,
        r"block 'u' has the shape 0; a shape is a length",
    ),
    "a number beside slices is an index": (
        lambda: made(blocks={"u": slice(0, 4), "p": 2}).solve(np.zeros(4)),
        InputError,
        "beside slices one integer is one unknown",
    ),
    "a field that is missing at the start": (
        lambda: made().solve({"u": 0.0}),
        InputError,
        "no block 'p'",
    ),
    "a field of another shape at the start": (
        lambda: made().solve({"u": np.zeros((2, 2)), "p": np.zeros(3)}),
        ShapeError,
        r"shape \(3,\) for block 'p'",
    ),
    "no function": (lambda: made(5), DataTypeError, "the residual must be a function"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_refused_in_words(case):
    call, error, text = WRONG[case]
    with pytest.raises(error, match=text):
        call()


def test_one_vector_is_legal_too():
    result = made(lambda u, p: np.hstack([u.ravel() - 1.0, p - 2.0])).solve(np.zeros(6))
    assert np.allclose(result["u"], 1.0)
    assert np.allclose(result["p"], 2.0)


def test_problems_with_fields_are_sent_to_other_processes():
    problem = pickle.loads(pickle.dumps(made(good)))
    assert np.allclose(problem.solve(np.zeros(6))["p"], 2.0)


def test_a_block_called_x_comes_before_the_name_of_scipy():
    problem = Problem(
        lambda x, y: {"x": x - 1.0, "y": y - 2.0}, blocks={"x": (2,), "y": (1,)}, fields=True
    )
    result = problem.solve(np.zeros(3))
    assert result["x"].tolist() == [1.0, 1.0]
    assert result.x.tolist() == [1.0, 1.0, 2.0]
    assert Problem(lambda x: x - 1.0).solve([0.0, 0.0])["x"].tolist() == [1.0, 1.0]


def test_any_keyword_takes_all_fields():
    def residual(**fields):
        return fields["u"] ** 2 - 4.0

    problem = Problem(residual, blocks={"u": (2,)}, fields=True)
    assert problem.solve([1.0, 1.0]).x == pytest.approx([2.0, 2.0])


def test_lengths_are_shapes():
    def residual(u, p, c):
        return {"u": u - p[:3], "p": p - c, "c": c - 2.0}

    problem = Problem(residual, blocks={"u": 3, "p": (4,), "c": ()}, fields=True)
    result = problem.solve(np.zeros(8))
    assert result["u"].shape == (3,)
    assert np.allclose(result.x, 2.0)


def test_a_start_by_fields():
    problem = made()
    start = {"u": np.full((2, 2), 0.5), "p": 0.5}
    packed = problem.pack(**start)
    assert np.array_equal(problem.solve(start).x, problem.solve(packed).x)
    assert np.array_equal(problem.residual(start), problem.residual(packed))


def test_one_field_may_be_returned_in_its_shape():
    shape = (3, 4)
    target = np.arange(12.0).reshape(shape)
    problem = Problem(lambda u: u**3 - target, blocks={"u": shape}, fields=True)
    assert np.allclose(problem.solve({"u": 1.0})["u"], np.cbrt(target))


def test_fields_of_one_shape_may_be_returned_stacked():
    target = np.arange(4.0).reshape(2, 2)
    problem = Problem(
        lambda u, v: np.stack([u - target, v - 2 * u]),
        blocks={"u": (2, 2), "v": (2, 2)},
        fields=True,
    )
    result = problem.solve({"u": 0.0, "v": 0.0})
    assert np.allclose(result["u"], target)
    assert np.allclose(result["v"], 2 * target)


def unpacked(x):
    u, v = x
    return [u, v, u + v]


@pytest.mark.parametrize(
    ("residual", "error"), [(lambda x: x["u"] - 1.0, IndexError), (unpacked, ValueError)]
)
def test_a_vector_taken_for_fields_is_explained(residual, error):
    problem = Problem(residual, blocks={"u": 2, "v": 1})
    with pytest.raises(error) as raised:
        problem.solve(np.zeros(3))
    assert "fields=True" in raised.value.__notes__[0]


def out_of_bounds(x):
    return x[7] - 1.0


def unpacks_a_row(row):
    place, value = row
    return place, value


def of_a_table(x):
    _, value = unpacks_a_row((1, 2.0, 3.0))
    return x - value


@pytest.mark.parametrize("residual", [out_of_bounds, of_a_table])
def test_other_mistakes_of_a_residual_are_not_taken_for_fields(residual):
    with pytest.raises((IndexError, ValueError)) as raised:
        Problem(residual, blocks={"u": 2, "v": 1}).solve(np.zeros(3))
    assert not getattr(raised.value, "__notes__", [])


def test_the_fields_of_a_run_in_time_come_in_their_shapes():
    problem = Problem(
        lambda u, total: [u - total, total - 1.0],
        blocks={"u": (2, 3), "total": 1},
        fields=True,
        storage=lambda u, total: [u, 0.0 * total],
    )
    run = problem.transient(problem.pack(u=np.zeros((2, 3)), total=1.0), (0.0, 1.0))
    assert run.field("u").shape == (len(run), 2, 3)
    assert np.allclose(run.field("u")[-1], 1.0 - np.exp(-1.0), atol=1e-3)


def test_a_mapping_starts_searches_for_several_solutions():
    problem = Problem(
        lambda u, v: {"u": u**2 - v, "v": v - 1.0}, blocks={"u": 1, "v": 1}, fields=True
    )
    start = {"u": 2.0, "v": 1.0}
    found = problem.find_solutions(start)
    assert sorted(round(float(one["u"][0]), 9) for one in found) == [-1.0, 1.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda p, x: p.transient(x, (0.0, 1.0)),
        lambda p, x: p.find_solutions(x),
        lambda p, x: p.solve_many(x, {"a": [1.0, 2.0]}),
    ],
    ids=["transient", "find_solutions", "solve_many"],
)
def test_a_whole_branch_is_no_start(call):
    problem = Problem(lambda u, a: u - a, params={"a": 1.0}, storage=lambda u: 1.0 * u)
    branch = problem.sweep([0.0], "a", [1.0, 2.0])
    with pytest.raises(DataTypeError, match=r"is a whole Branch; give its \.x"):
        call(problem, branch)


def growth():
    """Blocks in time: each element of a grows to k, b follows their sum."""
    return Problem(
        lambda a, b, k: {"a": a - k, "b": b - np.sum(a)},
        params={"k": 1.0},
        blocks={"a": (2, 1), "b": ()},
        fields=True,
        storage=lambda a, b: {"a": 1.0 * a, "b": 1.0 * b},
    )


def test_an_event_sets_the_state_by_blocks():
    later = {"a": [[0.1], [0.2]], "b": 5.0}
    options = {"events": {"half": lambda x: x[0] - 0.5}}
    problem, x0 = growth(), {"a": 0.0, "b": 0.0}
    run = problem.transient(x0, (0.0, 1.0), on_event={"half": lambda x: later}, **options)
    same = problem.transient(
        x0, (0.0, 1.0), on_event={"half": lambda x: problem.pack(**later)}, **options
    )
    assert np.array_equal(run.states, same.states)
    with pytest.raises(InputError, match="on_event 'half' returned no block 'b'"):
        problem.transient(x0, (0.0, 1.0), on_event={"half": lambda x: {"a": later["a"]}}, **options)


def test_a_diagram_begins_at_blocks():
    diagram = growth().bifurcation_diagram({"a": 0.0, "b": 0.0}, "k", (0.5, 2.0))
    assert len(diagram.branches) == 2
    assert diagram.branches[0].field("a").shape[1:] == (2, 1)


def test_members_begin_at_blocks():
    problem, k = growth(), np.arange(5.0)
    starts = {"a": k[:, None, None] + np.ones((5, 2, 1)), "b": 3.0}
    members = problem.solve_many(starts, {"k": k})
    rows = np.array([problem.pack(a=a, b=3.0) for a in starts["a"]])
    assert np.array_equal(members.x, problem.solve_many(rows, {"k": k}).x)
    assert members.field("b") == pytest.approx(2.0 * k)
    with pytest.raises(ShapeError, match=r"the blocks have \{'a': 5, 'b': 4\} members"):
        problem.solve_many({**starts, "b": np.zeros(4)})


def test_a_small_signal_response_gives_blocks_in_shape():
    problem = growth()
    response = problem.small_signal(problem.solve({"a": 1.0, "b": 2.0}), "k", [0.0, 1.0])
    assert response.field("a").shape == (2, 2, 1)
    assert response.field("b")[0] == pytest.approx(2.0)
    read = problem.small_signal(
        problem.solve({"a": 1.0, "b": 2.0}), "k", [1.0], outputs={"b": lambda x: x[2]}
    )
    with pytest.raises(InputError, match="outputs were asked for"):
        read.field("a")


def test_a_block_is_no_column_of_a_branch():
    branch = growth().sweep({"a": 0.0, "b": 0.0}, "k", [1.0, 2.0])
    with pytest.raises(
        InputError, match=r"'a' is a block of the unknowns: \.field\('a'\) gives it"
    ):
        branch["a"]
    with pytest.raises(InputError, match=r"no column 'z'.*rows of \.states"):
        branch["z"]


def test_a_tolerance_by_block_needs_every_block():
    with pytest.raises(InputError, match="atol has no value for the block 'b'"):
        growth().transient({"a": 0.0, "b": 0.0}, (0.0, 1.0), atol={"a": 1e-7})


def test_a_null_space_by_blocks():
    """Flow through five cells: only differences of the pressure act."""
    given = {"u": np.ones(4), "p": np.zeros(5)}

    def flow(u, p):
        return {"u": u - np.diff(p), "p": np.diff(np.concatenate([[0.0], u, [0.0]]))}

    def problem(null_space, u=(4,), p=(5,)):
        return Problem(flow, blocks={"u": u, "p": p}, fields=True, null_space=null_space)

    result = problem({"p": 1.0}).solve(given)
    same = problem(np.repeat([0.0, 1.0], [4, 5])).solve(given)
    assert result.message == same.message
    assert np.array_equal(result.x, same.x)
    with pytest.raises(InputError, match="'q'"):
        problem({"q": 1.0})
    with pytest.raises(InputError, match="needs blocks with shapes"):
        problem({"p": 1.0}, np.arange(4), np.arange(4, 9))


def test_a_mapping_without_fields_is_named():
    with pytest.raises(DataTypeError, match=r"returned a mapping.*fields=True"):
        Problem(lambda x: {"u": x}, blocks={"u": (2,)}).solve([0.0, 0.0])
