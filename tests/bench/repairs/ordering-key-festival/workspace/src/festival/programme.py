from datetime import timedelta
from itertools import groupby

CLEANING = timedelta(minutes=15)


def by_day(screenings):
    """The screenings of each day, in the order of their times."""
    ordered = sorted(screenings, key=lambda screening: screening.starts)
    return {day: list(group) for day, group in groupby(ordered, key=lambda screening: screening.starts.date())}


def by_venue(screenings):
    """The screenings of each venue, in the order of their times; venues by name."""
    ordered = sorted(screenings, key=lambda screening: screening.starts)
    return {venue: list(group) for venue, group in groupby(ordered, key=lambda screening: screening.venue)}


def clashes(screenings):
    """Pairs of films for which a venue has not enough time in between."""
    found = []
    for shown in by_venue(screenings).values():
        for earlier, later in zip(shown, shown[1:]):
            if earlier.ends + CLEANING > later.starts:
                found.append((earlier.film, later.film))
    return found


def busiest(screenings):
    """The venue with the most minutes of film, the first by name of equal ones; None where nothing is shown."""
    minutes = {venue: sum(screening.minutes for screening in shown) for venue, shown in by_venue(screenings).items()}
    return max(minutes, key=minutes.get, default=None)
