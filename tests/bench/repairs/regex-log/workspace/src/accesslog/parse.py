"""Lines of a web server's access log."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINE = re.compile(r'^(?P<host>\S+) \[(?P<time>[^\]]+)\] "(?P<request>.*)" (?P<status>\d{3}) (?P<size>\d+|-)(?: "(?P<agent>[^"]*)")?')


@dataclass(frozen=True)
class Hit:
    host: str
    request: str
    status: int
    size: int
    agent: str


def parse_line(line: str) -> Hit | None:
    """One hit, or None for a line in another format."""
    match = LINE.match(line)
    if match is None:
        return None
    size = 0 if match["size"] == "-" else int(match["size"])
    return Hit(match["host"], match["request"], int(match["status"]), size, match["agent"] or "")


def errors(lines: list[str]) -> list[Hit]:
    hits = (parse_line(line) for line in lines)
    return [hit for hit in hits if hit is not None and hit.status >= 400]
