"""Which pages of a site link to which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Links = Mapping[str, Iterable[str]]


def reachable(links: Links, page: str, seen: set[str] = set()) -> set[str]:
    """All pages that can be reached from a page, the page itself included."""
    if page in seen:
        return seen
    seen.add(page)
    for target in links.get(page, ()):
        reachable(links, target, seen)
    return seen


def orphans(links: Links, home: str) -> list[str]:
    """Pages that nobody finds who begins at the home page."""
    found = reachable(links, home)
    return sorted(page for page in links if page not in found)


def dead_links(links: Links) -> list[tuple[str, str]]:
    """Links that lead to no page of the site."""
    return sorted((page, target) for page, targets in links.items() for target in targets if target not in links)


def clicks(links: Links, start: str, goal: str) -> int | None:
    """How many clicks lead from one page to another; None when there is no way."""
    distances = {start: 0}
    queue = [start]
    for page in queue:
        if page == goal:
            return distances[page]
        for target in links.get(page, ()):
            if target not in distances:
                distances[target] = distances[page] + 1
                queue.append(target)
    return None
