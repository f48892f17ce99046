"""Identifiers of records: sortable by time, unique, and short enough to be typed.

48 bits of milliseconds and 32 random bits, as 16 characters of lower-case Crockford base32. A UUID of version 7 says no more in 36
characters and a ULID no more in 26; their extra random bits are for tables that many machines write without a unique index.
"""

from __future__ import annotations

import secrets
import threading
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 16
_RANDOM_BITS = 32


class Identifiers:
    """Makes identifiers; those of one maker only ever grow, even when the clock goes back."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def new(self) -> str:
        """A new identifier."""
        drawn = int(time.time() * 1000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        with self._lock:
            self._last = drawn if drawn > self._last else self._last + 1 + secrets.randbits(16)
            return _encode(self._last)


def _encode(number: int) -> str:
    digits = [ALPHABET[number >> 5 * place & 31] for place in reversed(range(LENGTH))]
    return "".join(digits)
