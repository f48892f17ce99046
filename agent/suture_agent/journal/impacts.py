"""The maps of impact in the journal: one for each workspace, environment and check, replaced when a new one is made.

They are paths and names of tests, so they are kept at the level `full` only. What looks secret in a name takes the name out as a whole:
half a name selects nothing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from suture_agent.impact.map import Kept, is_sound
from suture_agent.journal.blobs import get, pack, put
from suture_agent.journal.entries import workspace_id
from suture_agent.journal.store import Journal
from suture_agent.redact import redact

MOST_OF_WORKSPACE, MOST = 8, 200
"""Maps that are kept; the oldest make room."""


def write_map(journal: Journal, root: Path, environment: str, check: str, kept: Kept) -> None:
    """Keep a map in the place of the one before; at the level `metadata` nothing is kept."""
    if journal.level != "full":
        return
    blob = pack(msgspec.to_builtins(without_secrets(kept), str_keys=True))
    workspace = workspace_id(root)
    row = (workspace, environment, check, len(kept.map.tests), len(kept.map.files), kept.seconds, kept.created)
    with journal.writing() as connection:
        before = {name for (name,) in connection.execute("SELECT map FROM impacts")}
        connection.execute(
            "INSERT INTO workspaces (id, path) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET path = coalesce(path, excluded.path)",
            (workspace, redact(str(root))[0]),
        )
        connection.execute(
            "INSERT OR REPLACE INTO impacts (workspace, environment, check_name, tests, files, seconds, created, map)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, put(connection, blob)),
        )
        connection.execute(
            "DELETE FROM impacts WHERE workspace = ? AND rowid NOT IN"
            " (SELECT rowid FROM impacts WHERE workspace = ? ORDER BY created DESC LIMIT ?)",
            (workspace, workspace, MOST_OF_WORKSPACE),
        )
        connection.execute("DELETE FROM impacts WHERE rowid NOT IN (SELECT rowid FROM impacts ORDER BY created DESC LIMIT ?)", (MOST,))
        gone = before - {name for (name,) in connection.execute("SELECT map FROM impacts")}
        connection.executemany("DELETE FROM blobs WHERE hash = ?", [(name,) for name in gone])


def read_map(journal: Journal, root: Path, environment: str, check: str) -> Kept | None:
    """The map that was kept last; None where there is none, or the level has become `metadata`."""
    if journal.level != "full":
        return None
    with journal.reading() as connection:
        row = connection.execute(
            "SELECT map FROM impacts WHERE workspace = ? AND environment = ? AND check_name = ?", (workspace_id(root), environment, check)
        ).fetchone()
        found = get(connection, row[0], Kept) if row is not None else None
    return found if found is not None and is_sound(found.map) else None


def without_secrets(kept: Kept) -> Kept:
    """The map without names in which there is something that looks secret; one look at all of them at once, as long as there is none."""
    names = [*kept.map.tests, *(file.path for file in kept.map.files)]
    if not redact("\n".join(names))[1]:
        return kept
    secret = {name for name in names if redact(name)[1]}
    tests = tuple("" if name in secret else name for name in kept.map.tests)
    files = tuple(
        msgspec.structs.replace(file, path=str(number), hash="") if file.path in secret else file
        for number, file in enumerate(kept.map.files)
    )
    return msgspec.structs.replace(kept, map=msgspec.structs.replace(kept.map, tests=tests, files=files))
