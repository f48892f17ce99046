from sales.figures import by_product, shares, total
from sales.report import best_product, region_report
from sales.source import only, rows

TEXT = """region,product,cents
north,tea,500
south,tea,100
north,cake,300
north,tea,200
"""
EMPTY = "region,product,cents\n"


def test_rows():
    assert next(rows(TEXT)) == ("north", "tea", 500)


def test_only():
    assert list(only(rows(TEXT), "south")) == [("south", "tea", 100)]


def test_total():
    assert total(rows(TEXT)) == 1100


def test_by_product():
    assert by_product(rows(TEXT)) == {"tea": 800, "cake": 300}


def test_shares_of_a_list():
    assert shares(list(rows(TEXT))) == {"tea": 73, "cake": 27}


def test_nothing_sold():
    assert shares([]) == {}
    assert best_product(EMPTY) is None


def test_region_report():
    assert region_report(TEXT, "north") == ["north: 1000", "  cake: 300", "  tea: 700"]


def test_best_product():
    assert best_product(TEXT) == "tea"
