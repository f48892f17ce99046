from __future__ import annotations

from palette.colour import Colour
from palette.theme import Theme

BLACK = Colour(0, 0, 0)
WHITE = Colour(255, 255, 255)


def text_colour(theme: Theme) -> Colour:
    """The theme's colour for text, or else what can be read on its background."""
    return getattr(theme, "text", None) or (WHITE if theme.background.is_dark() else BLACK)


def link_colour(theme: Theme) -> Colour:
    return theme.link if hasattr(theme, "link") else text_colour(theme)
