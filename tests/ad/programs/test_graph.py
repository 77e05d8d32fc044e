"""The graph of a program: what its nodes declare is true, and its printer adds nothing to it."""

import warnings
from unittest import mock

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.programs import computation as evaluation
from sgsolve.ad.programs.graph import ConstantNode, Graph, Kind, Operation, nodes_of
from sgsolve.ad.programs.numpy_printer import numpy_function
from tests.ad.programs.graph_interpreter import interpret
from tests.ad.random_programs import Program


def compiled(y):
    found = [p for c in y._derivative.tape.graph.programs.values() for p in c.programs.values()]
    return found, y._derivative.tape


def assert_the_graph_is_the_program(program, tape):
    inputs = tape.inputs_of_form(program.folded)
    _, views = program.places()
    with np.errstate(all="ignore"):
        numbers = program.compute(inputs, views)
        stores, results = interpret(program.graph, inputs)
    assert len(results) == len(numbers)
    for ours, printed in zip(results, numbers, strict=True):
        np.testing.assert_array_equal(ours, printed)
    for place, view in enumerate(views):
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(stores[place].astype(view.dtype), view)
    done = set()
    for operation in program.graph.operations:
        earlier = [n for n in nodes_of(operation.operands) if isinstance(n, Operation)]
        assert done.issuperset(earlier)
        done.add(operation)


def test_the_graphs_of_random_programs_are_what_is_printed():
    checked = functions = 0
    with mock.patch.object(evaluation, "COMPILE_AFTER", 1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(50):
            ad.clear_cache()
            random = Program(number)
            if random.moving:
                continue
            y = random.run(ad.seed(random.points[0]))[-1]
            if not isinstance(y, ad.ADArray) or not hasattr(y._derivative, "tape"):
                continue
            y.jacobian  # makes the program
            found, tape = compiled(y)
            for program in found:
                assert_the_graph_is_the_program(program, tape)
                checked += 1
                functions += len(program.graph.operations)
    assert checked > 20
    assert functions > 75


def test_equal_operations_are_one_node_and_zeros_of_both_signs_are_two():
    graph = Graph()
    x = graph.input(0, Kind.ARRAY, (3,), np.dtype(float))
    two = graph.constant(2.0)
    first = graph.operation(np.multiply, (x, two), Kind.ARRAY, (3,), x.dtype)
    again = graph.operation(np.multiply, (x, graph.constant(2.0)), Kind.ARRAY, (3,), x.dtype)
    assert first is again
    assert graph.operations == [first]
    assert graph.constant(0.0) is not graph.constant(-0.0)
    assert graph.constant(1) is not graph.constant(1.0)
    assert graph.constant(1) is not graph.constant(True)


@pytest.mark.parametrize(
    ("value", "kind", "shape"),
    [
        (1.5, Kind.NUMBER, ()),
        (np.float32(2), Kind.NUMBER, ()),
        (np.array(2.0), Kind.NUMBER, ()),
        (np.zeros((2, 3)), Kind.ARRAY, (2, 3)),
        (None, Kind.OBJECT, ()),
        (np.exp, Kind.OBJECT, ()),
        (slice(1, 3), Kind.OBJECT, ()),
    ],
)
def test_what_a_constant_is(value, kind, shape):
    node = ConstantNode(value)
    assert (node.kind, node.shape) == (kind, shape)


def test_names_of_the_user_cannot_meet_those_of_the_printer():
    """Keys, functions and constants reach the program as objects, whatever they are called."""

    def a0(x):
        return x + 1.0

    graph = Graph()
    x = graph.input("a0, v[0]", Kind.ARRAY, (2,), np.dtype(float))
    y = graph.operation(a0, (x,), Kind.ARRAY, (2,), x.dtype)
    z = graph.operation(
        np.multiply, (y, graph.constant(np.array([2.0, np.inf]))), Kind.ARRAY, (2,), x.dtype
    )
    graph.results += [(y, z), graph.constant(float("nan"))]
    _, run = numpy_function(graph)
    (got_y, got_z), number = run({"a0, v[0]": np.array([1.0, 2.0])}, [])
    np.testing.assert_array_equal(got_y, [2.0, 3.0])
    np.testing.assert_array_equal(got_z, [4.0, np.inf])
    assert np.isnan(number)
