"""Starts of recorded problems: what it takes to work on a failure again, as the pipeline `simplified` begins (`pipelines.start`)."""

from __future__ import annotations

from suture_agent.errors import JournalError
from suture_agent.journal.blobs import get
from suture_agent.journal.queries import NoSuchRecord
from suture_agent.journal.store import Journal
from suture_agent.journal.stored import StoredStart
from suture_agent.pipelines.start import Start
from suture_sandbox.checks import CheckResult
from suture_sandbox.findings import Finding


def read_start(journal: Journal, prefix: str, *, environment: str = "") -> Start:
    """The start of a problem whose identifier begins with `prefix`, as it was recorded last, in any or in one environment.

    What was recalled for it is not kept: the journal may have learnt, or lost, a fix since. Raises JournalError where no start was kept
    (level `metadata`, an older suture), or where secrets were taken out of it.
    """
    with journal.reading() as connection:
        rows = connection.execute(
            "SELECT id, environment, check_name, findings, start, results FROM problems"
            " WHERE id >= ? AND id < ? AND (? = '' OR environment = ?) ORDER BY key DESC",
            (prefix, prefix + "~", environment, environment),
        ).fetchall()
        if len({row[0] for row in rows}) != 1:
            said = "is the beginning of several problems" if rows else "begins no problem in the journal"
            raise NoSuchRecord(f"{prefix} {said}", remedy="suture journal list -v shows them")
        problem, identity, check, findings, stored, results = rows[0]
        if stored is None or findings is None or results is None:
            raise JournalError(f"the start of problem {problem} was not kept", remedy="set journal.level = 'full', and let it fail again")
        kept = get(connection, stored, StoredStart)
        if kept.redacted:
            raise JournalError(
                f"the start of problem {problem} cannot be used: secrets were taken out of it, or it has a file that is no text",
                remedy="work on the failure in its workspace",
            )
        return Start(
            problem=problem,
            check=check,
            findings=get(connection, findings, tuple[Finding, ...]),
            results=get(connection, results, tuple[CheckResult, ...]),
            texts={path: None if text is None else text.encode() for path, text in kept.texts.items()},
            environment=identity,
            flaky=kept.flaky,
            reproducible=kept.reproducible,
        )
