from decimal import ROUND_HALF_UP, Decimal

RATES = {"food": Decimal("0.07"), "book": Decimal("0.07"), "tool": Decimal("0.19")}


def to_decimal(price):
    """Exact decimal of a price given as text, int or float."""
    return Decimal(price)


def gross(net, kind):
    """Net price plus tax, rounded to cents; half a cent is rounded up."""
    value = to_decimal(net) * (1 + RATES[kind])
    return value.quantize(Decimal("0.01"))


def receipt(items):
    """items: (net, kind) pairs. Returns the gross total and the tax in it."""
    total = sum((gross(net, kind) for net, kind in items), Decimal(0))
    net_total = sum((to_decimal(net) for net, _ in items), Decimal(0))
    return total, total - net_total
