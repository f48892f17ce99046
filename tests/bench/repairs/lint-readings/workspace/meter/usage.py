"""What a meter's readings say about usage."""

from collections import defaultdict


def parse(text):
    """Pairs of day and reading from lines such as `2024-03-01 1034`; comments begin with `#`."""
    pairs = []
    for l in text.splitlines():
        l = l.partition("#")[0].strip()
        if l:
            day, value = l.split()
            pairs.append((day, int(value)))
    return pairs


def used(pairs):
    """The usage from each reading to the next one, by the day of the later reading."""
    difference = lambda earlier, later: later[1] - earlier[1]
    return {later[0]: difference(earlier, later) for earlier, later in zip(pairs, pairs[1:])}


def by_month(usage):
    """The sum of a usage for each month; months are written as `2024-03`."""
    months = defaultdict(int)
    for day, units in usage.items():
        months[day[:7]] += units
    return dict(months)


def months_above(usage, limit):
    """How many months are above a limit."""
    count = 0
    for month, units in by_month(usage).items():
        if units > limit:
            count += 1
    return count
