"""Text that others wrote: escaped, nothing hidden, nothing reordered; numbers as people read them."""

from __future__ import annotations

import math
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_training.report.text import NONE, number, p_value, percent, points, seconds, shown


def test_markup_is_text():
    assert shown("<b a=\"x\" b='y'>&") == "&lt;b a=&quot;x&quot; b=&#x27;y&#x27;&gt;&amp;"


def test_what_would_hide_or_reorder_is_named():
    assert shown("a\u202eb\u2066\u200b\x1b\x00\ud800\u2028c") == "a⟨U+202E⟩b⟨U+2066⟩⟨U+200B⟩⟨U+001B⟩⟨U+0000⟩⟨U+D800⟩⟨U+2028⟩c"
    assert shown("tabs\tand\nlines, ü, 漢, 🙂") == "tabs\tand\nlines, ü, 漢, 🙂"


@given(st.text(alphabet=st.characters()))
def test_any_text_comes_out_encodable_and_without_what_hides(text):
    made = shown(text)
    made.encode("utf-8")
    assert not [letter for letter in made if letter not in "\n\t" and unicodedata.category(letter) in ("Cc", "Cf", "Cs")]
    assert "<" not in made
    assert '"' not in made


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (percent(0.1234), "12.3 %"),
        (percent(math.nan), NONE),
        (percent(None), NONE),
        (points(0.05), "+5.0"),
        (points(-0.123), "-12.3"),
        (number(1234567.0), "1,234,567"),
        (number(3), "3"),
        (number(0.5), "0.50"),
        (number(0.00012), "0.00012"),
        (number(0), "0"),
        (number(math.inf), NONE),
        (seconds(3.14), "3.1 s"),
        (seconds(600), "10 min"),
        (seconds(36000), "10.0 h"),
        (p_value(0.0004), "< 0.001"),
        (p_value(0.04), "0.040"),
    ],
)
def test_numbers(made, expected):
    assert made == expected


def test_every_character_is_looked_at():
    letters = "".join(map(chr, range(sys.maxunicode + 1)))
    made = shown(letters)
    assert "\u202e" not in made
    assert "\U000e0041" not in made, "tags hide text too"
