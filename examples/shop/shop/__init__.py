"""Stock, cart and shipping of a small shop. All amounts are in cents."""

from shop.cart import Cart
from shop.catalogue import Article, Catalogue
from shop.shipping import shipping_cost
from shop.stock import OutOfStock, Stock

__all__ = ["Article", "Cart", "Catalogue", "OutOfStock", "Stock", "shipping_cost"]
