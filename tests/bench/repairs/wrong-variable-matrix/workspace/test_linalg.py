import pytest
from linalg import identity, matmul, power, shape, transpose

FIB = [[1, 1], [1, 0]]


def test_shape():
    assert shape([[1, 2, 3], [4, 5, 6]]) == (2, 3)


def test_transpose():
    assert transpose([[1, 2, 3], [4, 5, 6]]) == [[1, 4], [2, 5], [3, 6]]


def test_identity_is_neutral():
    assert matmul(FIB, identity(2)) == FIB


def test_square_product():
    assert matmul([[1, 2], [3, 4]], [[5, 6], [7, 8]]) == [[19, 22], [43, 50]]


def test_wide_times_tall():
    assert matmul([[1, 2, 3]], [[1], [10], [100]]) == [[321]]


def test_tall_times_wide():
    assert matmul([[1], [2], [3]], [[4, 5]]) == [[4, 5], [8, 10], [12, 15]]


def test_mismatch():
    with pytest.raises(ValueError, match="cannot multiply"):
        matmul([[1, 2]], [[1, 2]])


def test_power_fibonacci():
    assert power(FIB, 10)[0][1] == 55
    assert power(FIB, 0) == identity(2)
