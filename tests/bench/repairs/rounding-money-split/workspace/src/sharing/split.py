"""Divide an amount of money among people, in cents."""

from __future__ import annotations


def split_evenly(cents: int, people: int) -> list[int]:
    """Shares that add up to the whole; the first people pay the cents that are left over."""
    if people < 1:
        raise ValueError("nobody to pay")
    share = cents // people
    return [share] * people


def split_by_weight(cents: int, weights: list[int]) -> list[int]:
    """Shares in proportion to the weights; rounding differences go to the last one."""
    total = sum(weights)
    if total <= 0:
        raise ValueError("weights must add up to more than zero")
    shares = [cents * weight // total for weight in weights]
    shares[-1] += cents - sum(shares)
    return shares


def format_cents(cents: int) -> str:
    euros, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{euros}.{rest:02d}"
