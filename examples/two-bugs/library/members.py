"""Who may borrow books."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """Somebody with a library card."""

    card: int
    name: str
    email: str | None = None


class Members:
    """Members by the number of their card."""

    def __init__(self) -> None:
        self._members: dict[int, Member] = {}

    def join(self, name: str, email: str | None = None) -> Member:
        """A new member with the next free number."""
        member = Member(card=len(self._members) + 1, name=name, email=email)
        self._members[member.card] = member
        return member

    def find(self, card: int) -> Member | None:
        """The member with this card, if there is one."""
        return self._members.get(card)

    def email_of(self, card: int) -> str | None:
        """The address of a member; None for strangers and for members without one."""
        member = self.find(card)
        return member.email
