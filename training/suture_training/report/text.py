"""Text that others wrote, made harmless for a page: escaped, and with every character shown that would hide or reorder something."""

from __future__ import annotations

import html
import math
import re
import unicodedata

NONE = "—"
"""Stands where there is no value."""
_KEPT = "\n\t"
_REORDERING = frozenset(range(0x202A, 0x202F)) | frozenset(range(0x2066, 0x206A)) | {0x061C, 0x200E, 0x200F}
_SURROGATE = re.compile("[\ud800-\udfff]")


def shown(text: object) -> str:
    """A value as the content of an element or of a quoted attribute."""
    return html.escape(visible(text), quote=True)


def visible(text: object) -> str:
    """A value with everything visible, not yet escaped: for whoever escapes by itself, as matplotlib does."""
    return "".join(map(_visible, str(text)))


def _visible(letter: str) -> str:
    """The letter; its code point where it is a control character, reorders text, has no width or is half of a pair."""
    if letter in _KEPT or " " <= letter <= "~":
        return letter
    if ord(letter) in _REORDERING or unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return f"⟨U+{ord(letter):04X}⟩"
    return letter


def percent(value: float | None, digits: int = 1) -> str:
    """A share in per cent; a dash for none."""
    return NONE if value is None or math.isnan(value) else f"{100 * value:.{digits}f} %"


def points(value: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    return NONE if value is None or math.isnan(value) else f"{100 * value:+.1f}"


def number(value: float | None) -> str:
    """A number in three digits or so, with thousands marked."""
    if value is None or not math.isfinite(value):
        return NONE
    if value and (abs(value) < 0.01 or abs(value) >= 1e7):
        return f"{value:.2g}"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"


def seconds(value: float) -> str:
    """A duration."""
    if value < 120:
        return f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def p_value(value: float) -> str:
    """A p-value as tables have it."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
