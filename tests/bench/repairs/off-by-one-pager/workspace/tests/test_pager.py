import pytest

from pager import page_count, paginate


def test_first_page():
    page = paginate("abcdefg", 1, size=3)
    assert page.items == ("a", "b", "c")
    assert page.has_next
    assert not page.has_previous


def test_last_page_is_partial():
    page = paginate("abcdefg", 3, size=3)
    assert page.items == ("g",)
    assert not page.has_next


def test_empty_list_has_one_page():
    assert page_count(0, 5) == 1
    assert paginate([], 1).items == ()


def test_full_last_page():
    page = paginate(list(range(20)), 2, size=10)
    assert page.items == tuple(range(10, 20))
    assert page.total == 2
    assert not page.has_next


@pytest.mark.parametrize(("length", "size", "expected"), [(1, 10, 1), (9, 4, 3), (11, 10, 2)])
def test_page_count(length, size, expected):
    assert page_count(length, size) == expected


def test_beyond_the_end():
    with pytest.raises(IndexError):
        paginate([1, 2, 3], 4, size=2)


def test_size_must_be_positive():
    with pytest.raises(ValueError):
        page_count(3, 0)
