"""Bring text to plain ASCII."""

import unicodedata

SPECIAL = {"ß": "ss", "ø": "o", "æ": "ae", "ł": "l", "đ": "d"}


def to_ascii(text: str) -> str:
    replaced = "".join(SPECIAL.get(char, char) for char in text)
    decomposed = unicodedata.normalize("NFKD", replaced)
    return decomposed.encode("ascii", "ignore").decode("ascii")


def squeeze(text: str, char: str) -> str:
    """Replace runs of a character by one, and strip it from both ends."""
    while char * 2 in text:
        text = text.replace(char * 2, char)
    return text.strip(char)
