"""Invitation links that carry a stamp behind the address."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from linkstamp.stamps import BadStamp, open_stamp, stamp


def stamped_link(address: str, visitor: str, key: bytes) -> str:
    """The address with the visitor's stamp in its query."""
    joint = "&" if urlsplit(address).query else "?"
    return f"{address}{joint}s={stamp({'v': visitor}, key)}"


def visitor_of(link: str, key: bytes) -> str:
    """The visitor for whom the link was made."""
    values = parse_qs(urlsplit(link).query).get("s", [])
    if len(values) != 1:
        raise BadStamp("the link has no stamp")
    return open_stamp(values[0], key)["v"]
