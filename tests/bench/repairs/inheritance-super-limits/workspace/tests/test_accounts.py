import pytest

from accounts import Account, Insufficient, SavingsAccount


def test_deposit_and_withdraw():
    account = Account("ann", 100)
    account.deposit(50)
    account.withdraw(120)
    assert account.balance == 30
    assert account.history == [("deposit", 50), ("withdraw", 120)]


def test_overdraw():
    with pytest.raises(Insufficient):
        Account("ann", 10).withdraw(11)


def test_nothing_to_deposit():
    with pytest.raises(ValueError):
        Account("ann").deposit(0)


def test_available():
    assert SavingsAccount("bob", 500, minimum=200).available() == 300


def test_minimum_is_kept():
    with pytest.raises(Insufficient, match="bob has 300"):
        SavingsAccount("bob", 500, minimum=200).withdraw(301)


def test_interest():
    savings = SavingsAccount("bob", 1000, rate=0.05)
    assert savings.add_interest() == 50
    assert savings.balance == 1050


def test_no_interest():
    assert SavingsAccount("bob").add_interest() == 0
