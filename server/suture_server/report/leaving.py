"""Writing what a run leaves: each file as a whole, in one step, so that whoever looks never sees half of one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from suture_server.report.gathered import Gathered
from suture_server.report.page import page
from suture_server.report.sarif import sarif

if TYPE_CHECKING:
    from suture_agent.batch import Summary
    from suture_agent.events import Event
    from suture_agent.workspace import Workspace


class Leaving:
    """The files of one run, where some are wanted."""

    def __init__(self, workspace: Workspace, *, applied: bool, report: Path | None, sarif: Path | None, say: Callable[[str], None]) -> None:
        self._workspace = workspace
        self._applied = applied
        self._report = report
        self._sarif = sarif
        self._say = say
        self._gathered = Gathered(workspace.snapshot.root)

    def event(self, event: Event) -> None:
        """Take one event of the run."""
        if self._report is not None:
            self._gathered.event(event)

    def ended(self, summary: Summary | None) -> bool:
        """Write the files, and say which could not be; False where there is such a one.

        Without a summary the run was interrupted, and only the page can tell of it.
        """
        environment = self._workspace.sandbox.environment.identity
        made: dict[Path, bytes] = {}
        if self._report is not None:
            policy = self._workspace.settings.policy.spec
            run = self._gathered.run(applied=self._applied, environment=environment, policy=policy, summary=summary)
            made[self._report] = page(run).encode("utf-8", "replace")
        if self._sarif is not None and summary is not None:
            log = sarif(summary, self._workspace.snapshot, applied=self._applied, environment=environment)
            made[self._sarif] = msgspec.json.format(msgspec.json.encode(log)) + b"\n"
        written = [self._written(path, content) for path, content in made.items()]
        return all(written)

    def _written(self, path: Path, content: bytes) -> bool:
        try:
            part = staged(path)
            part.write_bytes(content)
            os.replace(part, path)  # noqa: PTH105  # as a rename, whatever lies there
        except OSError as error:
            self._say(f"{path} could not be written: {error.strerror or error}")
            return False
        return True


def staged(path: Path) -> Path:
    """Where a file lies until it is whole."""
    return path.with_name(f".{path.name}.part")
