from palette.theme import Theme

__all__ = ["Theme"]
