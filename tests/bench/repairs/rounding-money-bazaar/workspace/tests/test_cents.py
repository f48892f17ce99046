import pytest

from bazaar.cents import to_cents, to_text


@pytest.mark.parametrize(("text", "cents"), [("12", 1200), ("3.5", 350), (" 0.75 ", 75)])
def test_to_cents(text, cents):
    assert to_cents(text) == cents


@pytest.mark.parametrize("cents", [29, 113, 1999])
def test_there_and_back(cents):
    assert to_cents(to_text(cents)) == cents


@pytest.mark.parametrize("text", ["free", "1.234", "-2"])
def test_no_amount(text):
    with pytest.raises(ValueError, match="not an amount"):
        to_cents(text)


def test_to_text():
    assert to_text(5) == "0.05"
    assert to_text(-1250) == "-12.50"
