import pytest

from savings.accounts import Account, Joint, Overdrawn, Savings


def test_pay_in():
    account = Account("ann", 100)
    account.pay_in(50)
    assert account.balance == 150
    assert account.history == [50]


def test_nothing_paid_in():
    with pytest.raises(ValueError, match="nothing"):
        Account("ann").pay_in(0)


def test_limit():
    account = Account("ann", 100, limit=50)
    account.take_out(150)
    assert account.balance == -50
    with pytest.raises(Overdrawn):
        account.take_out(1)


def test_savings_begin_with_what_was_brought():
    assert Savings("bo", 5000, per_mille=20).balance == 5000


def test_interest():
    account = Savings("bo", 10_050, per_mille=20)
    assert account.add_interest() == 201
    assert account.balance == 10_251


def test_no_interest_on_nothing():
    account = Savings("bo", per_mille=20)
    assert account.add_interest() == 0
    assert account.history == []


def test_savings_are_not_overdrawn():
    account = Savings("bo", 100, per_mille=1)
    account.take_out(100)
    with pytest.raises(Overdrawn, match="bo"):
        account.take_out(1)


def test_joint():
    account = Joint(["ann", "bo"], 10, limit=5)
    assert (account.owner, account.balance, account.limit) == ("ann and bo", 10, 5)
