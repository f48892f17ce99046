import pytest

from minidb import Rollback, Table


def test_new_table():
    assert Table().rows == {}


def test_manual_enter_and_exit():
    table = Table()
    tx = table.transaction()
    tx.__enter__()
    tx.set("a", 1)
    tx.__exit__(None, None, None)
    assert table.rows == {"a": 1}


def test_commit():
    table = Table()
    with table.transaction() as tx:
        tx.set("a", 1)
        tx.set("b", 2)
    assert table.rows == {"a": 1, "b": 2}
    assert table.commits == 1


def test_rollback_is_silent():
    table = Table()
    with table.transaction() as tx:
        tx.set("a", 1)
        raise Rollback
    assert table.rows == {}


def test_other_errors_go_on():
    table = Table()
    with pytest.raises(ZeroDivisionError):
        with table.transaction() as tx:
            tx.set("a", 1 // 0)
    assert table.rows == {}
    assert table.commits == 0
