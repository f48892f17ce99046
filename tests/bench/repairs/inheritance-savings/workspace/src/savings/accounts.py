"""Accounts that count in cents."""

from __future__ import annotations


class Overdrawn(Exception):
    """There is not enough money in an account."""


class Account:
    """An account that may be overdrawn down to a limit."""

    def __init__(self, owner: str, balance: int = 0, *, limit: int = 0) -> None:
        self.owner = owner
        self.balance = balance
        self.limit = limit
        self.history: list[int] = []

    def pay_in(self, amount: int) -> None:
        if amount <= 0:
            raise ValueError("nothing is paid in")
        self.balance += amount
        self.history.append(amount)

    def take_out(self, amount: int) -> None:
        """Raises Overdrawn when the limit would be passed."""
        if self.balance - amount < -self.limit:
            raise Overdrawn(self.owner)
        self.balance -= amount
        self.history.append(-amount)


class Savings(Account):
    """An account with interest, which is never overdrawn."""

    def __init__(self, owner: str, balance: int = 0, *, per_mille: int) -> None:
        super().__init__(owner)
        self.per_mille = per_mille

    def add_interest(self) -> int:
        """A year's interest, rounded down; it is paid in."""
        interest = self.balance * self.per_mille // 1000
        if interest:
            self.pay_in(interest)
        return interest


class Joint(Account):
    """An account of several people."""

    def __init__(self, owners: list[str], balance: int = 0, *, limit: int = 0) -> None:
        super().__init__(" and ".join(owners), balance, limit=limit)
        self.owners = owners
