from cartlib.cart import Cart

__all__ = ["Cart"]
