"""Names for URLs."""

from __future__ import annotations

from slugs.normalise import squeeze, transliterate


def slugify(title: str, limit: int = 60) -> str:
    """Lower-case ASCII words joined by dashes."""
    plain = to_ascii(title.lower())
    dashed = "".join(char if char.isalnum() else "-" for char in plain)
    return squeeze(dashed, "-")[:limit].rstrip("-")


def unique_slug(title: str, taken: set[str]) -> str:
    base = slugify(title)
    candidate, number = base, 2
    while candidate in taken:
        candidate = f"{base}-{number}"
        number += 1
    return candidate
