def total(sales):
    return sum(cents for _, _, cents in sales)


def by_product(sales):
    sums = {}
    for _, product, cents in sales:
        sums[product] = sums.get(product, 0) + cents
    return sums


def shares(sales):
    """Product -> per cent of the whole, rounded."""
    whole = total(sales)
    if not whole:
        return {}
    return {product: round(100 * cents / whole) for product, cents in by_product(sales).items()}
