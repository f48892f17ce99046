from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Screening:
    film: str
    venue: str
    starts: datetime
    minutes: int

    @property
    def ends(self):
        return self.starts + timedelta(minutes=self.minutes)


def read(lines):
    """Screenings from lines such as `2024-06-01 18:00|Lumen|Nosferatu|94`."""
    found = []
    for line in lines:
        when, venue, film, minutes = line.strip().split("|")
        found.append(Screening(film, venue, datetime.fromisoformat(when), int(minutes)))
    return found
