from life import empty, neighbours, parse, render, step


def test_empty_has_the_right_shape():
    assert render(empty(2, 3)) == "...\n..."


def test_parse_and_render():
    assert render(parse("#.\n.#")) == "#.\n.#"


def test_neighbours():
    grid = parse("###\n#.#\n###")
    assert neighbours(grid, 1, 1) == 8
    assert neighbours(grid, 0, 0) == 2


def test_still_block():
    block = "....\n.##.\n.##.\n...."
    assert render(step(parse(block))) == block


def test_blinker():
    assert render(step(parse("...\n###\n..."))) == ".#.\n.#.\n.#."


def test_lonely_cell_dies():
    assert render(step(parse("...\n.#.\n..."))) == "...\n...\n..."
