"""The terms of a sailing glossary."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    name: str
    meaning: str

    @property
    def anchor(self) -> str:
        return self.name.lower().replace(" ", "-")


def load(text: str) -> list[Term]:
    """Terms from lines such as `jib: a sail before the mast`; raises ValueError for a term that is there twice."""
    terms: dict[str, Term] = {}
    for line in text.splitlines():
        name, colon, meaning = line.partition(":")
        if not colon:
            continue
        term = Term(name.strip(), meaning.strip())
        if term.anchor in terms:
            raise ValueError(f"twice: {term.name}")
        terms[term.anchor] = term
    return list(terms.values())
