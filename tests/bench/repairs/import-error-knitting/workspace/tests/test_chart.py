import pytest

from knitting.chart import Chart


def test_count():
    assert Chart("Moss", ("kpkp", "pkpk")).count("p") == 4


def test_no_such_stitch():
    with pytest.raises(ValueError, match="no such stitch: q, x"):
        Chart("Odd", ("kkp", "qpx"))
