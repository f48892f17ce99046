"""Durations in configuration files: `90s`, `5m`, `2h`."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


def parse_duration(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)([smh])", text.strip())
    if match is None:
        raise ValueError(f"not a duration: {text!r}")
    return timedelta(**{UNITS[match[2]]: int(match[1])})
