from __future__ import annotations

import re
from typing import NamedTuple


class Colour(NamedTuple):
    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str) -> Colour:
        """A colour from `#rrggbb` or `#rgb`."""
        if not re.fullmatch("#(?:[0-9a-fA-F]{3}){1,2}", text):
            raise ValueError(f"not a colour: {text!r}")
        digits = text[1:] if len(text) == 7 else "".join(digit * 2 for digit in text[1:])
        return cls(*bytes.fromhex(digits))

    def is_dark(self) -> bool:
        return 299 * self.red + 587 * self.green + 114 * self.blue < 128_000
