from outline import Node, parse, render

TEXT = "Intro\nSetup\n  Linux\n  Mac\nUsage"


def test_given_children():
    leaf = Node("leaf", [])
    assert Node("top", [leaf]).children == [leaf]


def test_given_list_is_kept():
    children = []
    node = Node("top", children)
    node.add(Node("x", []))
    assert len(children) == 1


def test_new_node_is_empty():
    first = Node("a")
    first.add(Node("b", []))
    assert Node("c").children == []


def test_count():
    assert Node("a", [Node("b", []), Node("c", [])]).count() == 3


def test_parse_top_level():
    assert [node.title for node in parse(TEXT).children] == ["Intro", "Setup", "Usage"]


def test_parse_nested():
    assert [node.title for node in parse(TEXT).children[1].children] == ["Linux", "Mac"]


def test_round_trip():
    assert render(parse(TEXT)) == TEXT
