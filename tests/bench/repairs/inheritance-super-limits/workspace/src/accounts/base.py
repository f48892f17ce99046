from __future__ import annotations


class Insufficient(Exception):
    """There is not enough money."""


class Account:
    def __init__(self, owner: str, balance: int = 0) -> None:
        self.owner = owner
        self.balance = balance
        self.history: list[tuple[str, int]] = []

    def deposit(self, cents: int) -> None:
        if cents <= 0:
            raise ValueError("nothing to deposit")
        self.balance += cents
        self.history.append(("deposit", cents))

    def withdraw(self, cents: int) -> None:
        if cents > self.available():
            raise Insufficient(f"{self.owner} has {self.available()}")
        self.balance -= cents
        self.history.append(("withdraw", cents))

    def available(self) -> int:
        return self.balance
