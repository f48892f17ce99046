def kinds(canvas):
    return [shape["kind"] for shape in canvas.shapes]


def test_draw(canvas):
    canvas.draw("line", colour="red")
    assert canvas.shapes == [{"kind": "line", "colour": "red"}]


def test_nothing_to_undo(canvas):
    assert not canvas.undo()
    assert not canvas.redo()


def test_undo(canvas):
    canvas.draw("line")
    canvas.draw("dot")
    assert canvas.undo()
    assert kinds(canvas) == ["line"]


def test_redo(canvas):
    canvas.draw("line")
    canvas.undo()
    canvas.redo()
    assert kinds(canvas) == ["line"]


def test_undo_of_colour(canvas):
    canvas.draw("line", colour="red")
    canvas.recolour(0, "blue")
    canvas.undo()
    assert canvas.shapes[0]["colour"] == "red"


def test_drawing_forgets_redo(canvas):
    canvas.draw("line")
    canvas.undo()
    canvas.draw("dot")
    assert not canvas.redo()
    assert kinds(canvas) == ["dot"]
