"""Reading the journal in bulk: finished episodes one after the other, in the order of their identifiers, in constant memory.

Each page of episodes is one short transaction of a connection that cannot write, so that a long read neither sees half of a record nor
keeps SQLite's log from being folded in while others write. Episodes that are recorded after the reading began are left out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec

from suture_agent.journal.blobs import Unpacker, get
from suture_agent.journal.entries import workspace_id
from suture_agent.journal.files import connect, explained
from suture_agent.journal.offers import Offer, offers_of
from suture_agent.journal.queries import NoSuchRecord
from suture_agent.journal.stored import StoredPatch
from suture_agent.journal.talks import Talk, Talks

PAGE = 256
"""Episodes of one transaction."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which episodes are read; what is empty chooses nothing."""

    outcome: str = ""
    environments: tuple[str, ...] = ()
    harnesses: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    since: float = 0.0
    """Seconds since 1970."""
    before: float = 0.0
    workspace: Path | None = None
    decided: bool = False
    """Only episodes whose patch was offered and decided about; their offers are read too."""
    offers: bool = False
    """Read the offers also where all episodes are wanted."""
    after: str = ""
    """Only episodes with identifiers behind this one."""
    until: str = ""
    """And none behind this one."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One episode with what belongs to it."""

    id: str
    created: float
    outcome: str
    reason: str
    problem: str
    check: str
    workspace: str
    """Hash of the workspace's path."""
    environment: str
    harness: str
    policy: str
    policy_name: str
    adapter: str
    steps: int
    prompt_tokens: int
    completion_tokens: int
    passed: bool
    """Whether the verdict on its patch passed."""
    redacted: bool
    """Whether secrets were taken out of the patch."""
    talks: tuple[Talk, ...]
    """The last conversation, then those of steps whose edits were kept. Empty where the policy was never asked, and at the level
    `metadata`, where the two below are None.
    """
    diff: str | None
    edits: str | None
    """Name of the blob that holds the patch's edits: see `Reader.patch`."""
    offers: tuple[Offer, ...] = ()


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """An environment, harness or policy of the chosen episodes."""

    kind: str
    identity: str
    name: str
    episodes: int
    fields: Any
    """The named fields; None where only metadata is kept."""


class Reader:
    """An open journal that is only read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path)
        with explained(path):
            self._connection.execute("PRAGMA query_only = ON")
        self._talks = Talks()
        self._texts = Unpacker(str)

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def count(self, choice: Choice) -> int:
        """How many episodes are chosen."""
        where, values = _where(choice)
        with explained(self.path):
            (found,) = self._connection.execute(f"SELECT count(*) {_FROM} {where}", values).fetchone()
        return int(found)

    def used(self, choice: Choice) -> tuple[Used, ...]:
        """The environments, harnesses and policies of the chosen episodes, each kind's most frequent first."""
        where, values = _where(choice)
        found: list[Used] = []
        with explained(self.path):
            for kind in ("environment", "harness", "policy"):
                rows = self._connection.execute(
                    f"SELECT e.{kind}, coalesce(i.name, ''), count(*), i.fields {_FROM}"
                    f" LEFT JOIN identities i ON i.kind = '{kind}' AND i.identity = e.{kind} {where} GROUP BY 1 ORDER BY 3 DESC, 1",
                    values,
                ).fetchall()
                for identity, name, episodes, fields in rows:
                    read = get(self._connection, fields, object) if fields else None
                    found.append(Used(kind=kind, identity=identity, name=name, episodes=episodes, fields=read))
        return tuple(found)

    def places(self, choice: Choice, size: int) -> tuple[str, ...]:
        """Identifiers that cut the chosen episodes into stretches of that size; the last one is the newest episode's."""
        where, values = _where(choice)
        numbered = f"SELECT e.id AS id, row_number() OVER (ORDER BY e.id) AS number, count(*) OVER () AS many {_FROM} {where}"
        cut = f"SELECT id FROM ({numbered}) WHERE number % ? = 0 OR number = many ORDER BY id"  # noqa: S608  # fixed texts
        with explained(self.path):
            return tuple(identifier for (identifier,) in self._connection.execute(cut, (*values, size)))

    def episodes(self, choice: Choice) -> Iterator[Kept]:
        """The chosen episodes, oldest first."""
        where, values = _where(choice)
        with explained(self.path):
            (last,) = self._connection.execute("SELECT coalesce(max(id), '') FROM episodes").fetchone()
        last, after = choice.until or last, choice.after
        while True:
            page = self._page(f"{where} AND e.id > ? AND e.id <= ? ORDER BY e.id LIMIT {PAGE}", (*values, after, last), choice)
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].id

    def identifiers(self, choice: Choice) -> Iterator[tuple[str, ...]]:
        """The identifiers of the chosen episodes, oldest first, some at a time."""
        where, values = _where(choice)
        after = choice.after
        while True:
            query = f"SELECT e.id {_FROM} {where} AND e.id > ? AND (? = '' OR e.id <= ?) ORDER BY e.id LIMIT {PAGE}"
            with explained(self.path):
                page = tuple(row[0] for row in self._connection.execute(query, (*values, after, choice.until, choice.until)))
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = page[-1]

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """The connection in one consistent state."""
        with explained(self.path):
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    def patch(self, name: str | None) -> StoredPatch | None:
        """The edits of an episode's patch."""
        with explained(self.path):
            return None if name is None else get(self._connection, name, StoredPatch)

    def _page(self, rest: str, values: Sequence[object], choice: Choice) -> list[Kept]:
        with self.transaction() as connection:
            rows = connection.execute(f"{_EPISODES} {rest}", values).fetchall()
            offers = self._offers(rows) if choice.decided or choice.offers else {}
        return [self._kept(row, offers) for row in rows]

    def _offers(self, rows: Sequence[tuple[Any, ...]]) -> dict[str, tuple[Offer, ...]]:
        """The offers of a page's episodes; most episodes have none."""
        if not rows:
            return {}
        offered = self._connection.execute(
            "SELECT DISTINCT episode FROM offers WHERE episode BETWEEN ? AND ?", (rows[0][0], rows[-1][0])
        ).fetchall()
        return {episode: offers_of(self._connection, episode) for (episode,) in offered}

    def _kept(self, row: tuple[Any, ...], offers: Mapping[str, tuple[Offer, ...]]) -> Kept:
        turns, diff = row[17], row[20]
        course = None if row[24] is None else (row[24], row[25] or b"", row[26] or 0)
        return Kept(
            id=row[0],
            created=row[1],
            outcome=row[2],
            reason=row[3],
            problem=row[4],
            check=row[5],
            workspace=row[6],
            environment=row[7],
            harness=row[8],
            policy=row[9],
            policy_name=row[10],
            adapter=row[11],
            steps=row[12],
            prompt_tokens=row[13],
            completion_tokens=row[14],
            passed=bool(row[15]),
            redacted=bool(row[16]),
            talks=() if turns is None else self._talks.read((turns, row[18] or b"", row[19] or 0), course),
            diff=None if diff is None else self._texts.unpack(diff, row[21] or b"", row[22] or 0),
            edits=row[23],
            offers=offers.get(row[0], ()),
        )


_FROM = "FROM episodes e JOIN problems p ON p.key = e.problem"

_EPISODES = """
    SELECT e.id, e.created, e.outcome, e.reason, p.id, p.check_name, p.workspace, e.environment, e.harness, e.policy,
           coalesce(i.name, ''), e.adapter, e.steps, e.prompt_tokens, e.completion_tokens, coalesce(v.passed, 0), coalesce(a.redacted, 0),
           e.turns, t.data, t.size, a.diff, d.data, d.size, a.edits, e.course, c.data, c.size
    FROM episodes e JOIN problems p ON p.key = e.problem
    LEFT JOIN identities i ON i.kind = 'policy' AND i.identity = e.policy
    LEFT JOIN patches a ON a.episode = e.id LEFT JOIN verdicts v ON v.episode = e.id
    LEFT JOIN blobs t ON t.hash = e.turns LEFT JOIN blobs d ON d.hash = a.diff
    LEFT JOIN blobs c ON c.hash = e.course
"""

_DECIDED = "EXISTS (SELECT 1 FROM offers o JOIN decisions c ON c.offer = o.id WHERE o.episode = e.id)"


def _where(choice: Choice) -> tuple[str, tuple[object, ...]]:
    """The condition of a choice, with the values of its question marks."""
    conditions: list[tuple[str, tuple[object, ...]]] = [
        (f"e.{column} IN ({', '.join('?' * len(wanted))})", wanted)
        for column, wanted in (("environment", choice.environments), ("harness", choice.harnesses), ("policy", choice.policies))
        if wanted
    ]
    if choice.outcome:
        conditions.append(("e.outcome = ?", (choice.outcome,)))
    if choice.since:
        conditions.append(("e.created >= ?", (choice.since,)))
    if choice.before:
        conditions.append(("e.created < ?", (choice.before,)))
    if choice.workspace is not None:
        conditions.append(("p.workspace = ?", (workspace_id(choice.workspace),)))
    if choice.decided:
        conditions.append((_DECIDED, ()))
    where = " AND ".join(["1", *(condition for condition, _ in conditions)])
    return f"WHERE {where}", tuple(value for _, values in conditions for value in values)


def named(used: Sequence[Used], kind: str, told: Sequence[str]) -> tuple[str, ...]:
    """The identities that are meant by names or by beginnings of at least 4 digits; empty texts mean none. Raises NoSuchRecord.

    Only of policies may several be meant by one text.
    """
    there = [each for each in used if each.kind == kind]
    found: list[str] = []
    for text in filter(None, told):
        fits = [each.identity for each in there if text == each.name or (len(text) >= 4 and each.identity.startswith(text))]
        if not fits or (len(fits) > 1 and kind != "policy"):
            known = ", ".join(f"{each.identity[:12]}{f' ({each.name})' * bool(each.name)}: {each.episodes}" for each in there[:6])
            problem = f"several of the {kind}s are meant by {text}" if fits else f"no episode was made with the {kind} {text}"
            raise NoSuchRecord(problem, remedy=f"choose among these, with their episodes: {known or 'none'}")
        found += fits
    return tuple(dict.fromkeys(found))
