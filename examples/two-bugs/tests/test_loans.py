from datetime import date, timedelta

from library.loans import HIGHEST_FEE, Loan, days_late, fee, overdue

LOAN = Loan("Emma", 1, date(2024, 3, 1))


def test_due_date():
    assert LOAN.due == date(2024, 3, 29)


def test_not_late_on_the_due_date():
    assert days_late(LOAN, LOAN.due) == 0


def test_late():
    assert days_late(LOAN, date(2024, 4, 2)) == 4


def test_fee_for_each_day():
    assert fee(LOAN, LOAN.due + timedelta(days=3)) == 60


def test_fee_in_time():
    assert fee(LOAN, LOAN.due) == 0


def test_highest_fee():
    assert fee(LOAN, LOAN.due + timedelta(days=60)) == HIGHEST_FEE


def test_overdue():
    later = Loan("Ulysses", 2, date(2024, 3, 20))
    assert overdue([later, LOAN], date(2024, 4, 30)) == ["Emma", "Ulysses"]
    assert overdue([later, LOAN], date(2024, 4, 1)) == ["Emma"]
