# A shopping basket is a plain dict: article -> quantity.

PRICES = {"apple": 30, "pear": 45, "plum": 12}


def add(article, quantity=1, basket={}):
    """Put something into a basket, a new one unless one is given. Returns the basket."""
    if article not in PRICES:
        raise KeyError(article)
    basket[article] = basket.get(article, 0) + quantity
    return basket


def remove(article, basket):
    basket[article] -= 1
    if not basket[article]:
        del basket[article]


def cost(basket):
    return sum(PRICES[a] * n for a, n in basket.items())
