"""Signed stamps: a small record and its signature as one word that can stand in a link."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

SIGNATURE_BYTES = 12


class BadStamp(ValueError):
    """A stamp that was not made with this key, or did not arrive whole."""


def to_word(data: bytes) -> str:
    """Bytes as a word of letters, digits, "-" and "_"."""
    return base64.b64encode(data).decode("ascii").rstrip("=")


def from_word(word: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadStamp(f"not a stamp: {word!r}") from error


def sign(body: bytes, key: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()[:SIGNATURE_BYTES]


def stamp(record: dict[str, Any], key: bytes) -> str:
    """The record and its signature, joined by a dot."""
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8")
    return f"{to_word(body)}.{to_word(sign(body, key))}"


def open_stamp(text: str, key: bytes) -> dict[str, Any]:
    """The record of a stamp that was made with the same key."""
    word, dot, signature = text.partition(".")
    if not dot:
        raise BadStamp("a stamp has two parts")
    body = from_word(word)
    if not hmac.compare_digest(sign(body, key), from_word(signature)):
        raise BadStamp("the signature does not match")
    return json.loads(body)
