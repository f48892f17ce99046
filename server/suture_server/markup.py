"""Pieces of HTML that are made from texts of others: every one of them is escaped here. No scripts, no styles, no addresses."""

from __future__ import annotations

import re
from html import escape

LONGEST = 20_000
"""Characters of one text."""
_KINDS = {"+": "added", "-": "removed", "@": "place"}
"""First character of a line in a diff, below its head -> its class."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""No character of HTML: colours of terminals, and worse."""


def plain(text: str) -> str:
    """A text as markup that says just that."""
    return escape(_CONTROL.sub("", text))


def code(text: str) -> str:
    """A text of several lines, cut where it is very long."""
    content = text if len(text) <= LONGEST else f"{text[:LONGEST]}\n… {len(text) - LONGEST} characters more"
    return f"<pre>{plain(content)}</pre>"


def diff(text: str) -> str:
    """A unified diff, a line a span with the class `head`, `place`, `added`, `removed` or `same`."""
    shown: list[str] = []
    head = True
    for line in text.removesuffix("\n").split("\n"):
        head = not line.startswith("@@") and (head or line.startswith("diff --git "))
        kind = "head" if head else _KINDS.get(line[:1], "same")
        shown.append(f'<span class="{kind}">{plain(line)}\n</span>')
    return f'<pre class="diff">{"".join(shown)}</pre>'
