from nested import depth, flatten


def test_flat():
    assert list(flatten([1, 2, 3])) == [1, 2, 3]


def test_nested():
    assert list(flatten([1, [2, (3, [4])], []])) == [1, 2, 3, 4]


def test_leaf():
    assert list(flatten(7)) == [7]


def test_text_is_a_leaf():
    assert list(flatten(["ab", ["c", 1]])) == ["ab", "c", 1]


def test_bytes_are_a_leaf():
    assert list(flatten([b"ab", [None]])) == [b"ab", None]


def test_depth():
    assert depth(3) == 0
    assert depth([]) == 1
    assert depth([1, [2, [3]]]) == 3
