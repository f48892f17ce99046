from dataclasses import dataclass
from datetime import date
from typing import Optional


@dataclass
class Person:
    first: str
    last: str
    middle: Optional[str] = None
    born: Optional[date] = None

    def full_name(self):
        parts = [self.first, self.middle, self.last]
        return " ".join(parts)

    def initials(self):
        return "".join(p[0] for p in (self.first, self.middle, self.last) if p).upper()

    def age(self, today):
        if self.born is None:
            return None
        had_birthday = (today.month, today.day) >= (self.born.month, self.born.day)
        return today.year - self.born.year - (not had_birthday)


def adults(people, today, limit=18):
    """People known to be at least `limit` years old."""
    return [p for p in people if (p.age(today) or 0) >= limit]
