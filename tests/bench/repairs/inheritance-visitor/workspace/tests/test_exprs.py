import pytest

from exprs.evaluate import OPERATORS, Evaluator, NameCollector
from exprs.nodes import Binary, Name, Node, Number
from exprs.visitor import Visitor

TREE = Binary("+", Name("x"), Binary("*", Number(2), Name("y")))


def test_nodes_are_values():
    assert Binary("+", Number(1), Name("a")) == Binary("+", Number(1), Name("a"))


def test_operators():
    assert OPERATORS["-"](5, 3) == 2


def test_generic_visit_refuses():
    with pytest.raises(TypeError, match="cannot visit Node"):
        Visitor().generic_visit(Node())


def test_evaluate():
    assert Evaluator(x=1, y=10).visit(TREE) == 21


def test_unknown_name():
    with pytest.raises(KeyError):
        Evaluator(x=1).visit(TREE)


def test_names():
    assert NameCollector().visit(TREE) == ["x", "y"]


def test_unknown_node():
    with pytest.raises(TypeError, match="cannot visit Node"):
        Evaluator().visit(Node())
