"""What the commands of `suture journal` share: the journal that the settings name, and how a moment is told."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from suture_server.cli.common import Output
from suture_server.cli.journal_view import short

if TYPE_CHECKING:
    from suture_agent.journal.store import Journal
    from suture_agent.settings import Settings


class When(click.ParamType[float]):
    """A day such as 2026-05-01 (its beginning, local time), or an age such as 30d or 12h."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  # click's signature
        """Seconds since 1970."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            if age := re.fullmatch(r"(\d{1,5})([dh])", text):
                hours = int(age[1]) * (24 if age[2] == "d" else 1)
                return (dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)).timestamp()
            return dt.datetime.fromisoformat(text).astimezone().timestamp()
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is neither a day such as 2026-05-01 nor an age such as 30d or 12h", param, ctx)


@contextmanager
def opened(output: Output) -> Generator[Journal | None, None, None]:
    """The journal that the settings name, or None where nothing was recorded yet; looking at it does not make it."""
    from suture_agent.journal.store import Journal
    from suture_agent.workspace import journal_path

    chosen = settings()
    path = journal_path(chosen)
    if not path.exists() and not path.is_symlink():
        off = ", and the settings switch it off" if chosen.journal.level == "off" else ""
        output.note(f"nothing is recorded yet: there is no {short(path)}{off}")
        output.line({"event": "summary", "episodes": 0})
        yield None
        return
    kept = Journal.open(path)
    try:
        yield kept
    finally:
        kept.close()


def settings() -> Settings:
    """The settings that hold where the command runs."""
    import os

    from suture_agent.places import user_configuration
    from suture_agent.settings import load
    from suture_server.cli.common import workspace_root

    return load(workspace_root(None), user_file=user_configuration(), environ=os.environ).settings
