from __future__ import annotations

import re
from collections.abc import Sequence

from glossary.terms import Term


class Linker:
    """Finds the terms of a glossary in a text, as whole words, in any case, long terms before short ones."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = {term.name.lower(): term for term in terms}
        names = sorted(self.terms, key=len, reverse=True)
        self.pattern = re.compile(r"\b" + "|".join(map(re.escape, names)) + r"\b", re.IGNORECASE)

    def link(self, text: str) -> str:
        """The text with a link to the glossary at every term."""
        return self.pattern.sub(self._anchor, text) if self.terms else text

    def used(self, text: str) -> list[str]:
        """Names of the terms in a text, each once, in the order of the alphabet."""
        if not self.terms:
            return []
        return sorted({self.terms[name.lower()].name for name in self.pattern.findall(text)})

    def unused(self, text: str) -> list[str]:
        """Names of the terms that a text does without."""
        used = self.used(text)
        return sorted(term.name for term in self.terms.values() if term.name not in used)

    def _anchor(self, match: re.Match[str]) -> str:
        term = self.terms[match[0].lower()]
        return f"[{match[0]}](#{term.anchor})"
