from decimal import Decimal

import pytest

from invoicing.model import Invoice, Line
from invoicing.render import WIDTH, render


@pytest.fixture
def invoice():
    return Invoice("ACME", 2024, 17, [Line("Bolt", 4, Decimal("0.25")), Line("Nut", 1, Decimal("3.10"))])


def test_amount():
    assert Line("Bolt", 4, Decimal("0.25")).amount == Decimal("1.00")


def test_total(invoice):
    assert invoice.total == Decimal("4.10")


def test_total_without_lines():
    assert Invoice("ACME", 2024, 1).total == 0


def test_number(invoice):
    assert invoice.number == "2024-00017"


def test_render_header(invoice):
    assert render(invoice).splitlines()[:2] == ["Invoice 2024-00017", "For ACME"]


def test_render_columns(invoice):
    assert {len(row) for row in render(invoice).splitlines()[2:]} == {WIDTH}
