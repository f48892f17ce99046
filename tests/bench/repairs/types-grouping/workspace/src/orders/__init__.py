from orders.report import Order, by_customer, totals

__all__ = ["Order", "by_customer", "totals"]
