from manifest.fixed import Field, Record, record

Name = record("Name", Field("name", 8))
Point = record("Point", Field("x", 3, int), Field("y", 3, int))


def test_class():
    assert issubclass(Point, Record)
    assert Point.__name__ == "Point"
    assert [field.name for field in Point.fields] == ["x", "y"]


def test_a_record_without_fields():
    assert record("Nothing")("abc").as_dict() == {}


def test_one_field():
    assert Name("Ada     \n").name == "Ada"


def test_two_fields():
    point = Point(" 12 -3")
    assert (point.x, point.y) == (12, -3)


def test_equal_by_values():
    assert Point("  1  2") == Point("001002")
    assert Point("  1  2") != Point("  1  3")
    assert len({Point("  1  2"), Point("001002"), Point("  2  1")}) == 2


def test_classes_differ():
    other = record("Other", Field("x", 3, int), Field("y", 3, int))
    assert Point("  1  2") != other("  1  2")
