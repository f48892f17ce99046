from geometry.pack import shelf


def test_shelf_positions():
    placed, _ = shelf([(3, 2), (5, 4)], gap=1)
    assert [box.x for box in placed] == [0, 4]


def test_shelf_canvas():
    _, canvas = shelf([(3, 2), (5, 4)], gap=1)
    assert (canvas.width, canvas.height) == (9, 4)
