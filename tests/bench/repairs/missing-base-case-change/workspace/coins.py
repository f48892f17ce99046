"""Making change with unlimited coins."""

from functools import lru_cache

EURO = (200, 100, 50, 20, 10, 5, 2, 1)


def count_ways(amount: int, coins: tuple[int, ...] = EURO) -> int:
    """In how many ways an amount can be paid; order does not matter. Nothing to pay is one way."""
    if amount < 0:
        raise ValueError("amount must not be negative")

    @lru_cache(maxsize=None)
    def ways(rest: int, index: int) -> int:
        if rest < 0 or index == len(coins):
            return 0
        return ways(rest - coins[index], index) + ways(rest, index + 1)

    return ways(amount, 0)


def greedy(amount: int, coins: tuple[int, ...] = EURO) -> list[int]:
    """Coins for an amount, biggest first."""
    paid: list[int] = []
    for coin in sorted(coins, reverse=True):
        number, amount = divmod(amount, coin)
        paid.extend([coin] * number)
    if amount:
        raise ValueError("cannot be paid exactly")
    return paid
