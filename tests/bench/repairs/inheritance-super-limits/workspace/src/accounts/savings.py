from __future__ import annotations

from accounts.base import Account


class SavingsAccount(Account):
    """Pays interest, and keeps a minimum that cannot be withdrawn."""

    def __init__(self, owner: str, balance: int = 0, *, rate: float = 0.02, minimum: int = 0) -> None:
        self.owner = owner
        self.balance = balance
        self.rate = rate
        self.minimum = minimum

    def available(self) -> int:
        return max(0, self.balance - self.minimum)

    def add_interest(self) -> int:
        interest = round(self.balance * self.rate)
        if interest:
            self.deposit(interest)
        return interest
