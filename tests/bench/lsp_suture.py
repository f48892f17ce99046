"""What the benches of the language server know of suture: its commands, its notifications, its processes; see docs/language-server.md."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
from lsp_client import Client


class NotMeasured(Exception):
    """The server did not do what the measurement is about."""


class Diagnostics:
    """What a server says is wrong, whether it tells it or wants to be asked."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.published = dict[str, list[Any]]()
        """What it told last, of every file."""
        client.heard["textDocument/publishDiagnostics"].append(lambda said: self.published.update({said["uri"]: said["diagnostics"]}))

    async def of(self, uri: str) -> list[Any]:
        """The diagnostics of an open file."""
        if "diagnosticProvider" not in self._client.capabilities:
            return self.published.get(uri, [])
        report = await self._client.call("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        return list(report["items"])


def fix_argument(action: Mapping[str, Any]) -> dict[str, Any] | None:
    """What `suture.fix` wants, from a code action that offers it."""
    command = action.get("command")
    command = command if isinstance(command, dict) else action  # a command in place of a code action has it beside its title
    if command.get("command") == "suture.fix":
        return dict(command["arguments"][0])
    data = action.get("data")
    return {key: data[key] for key in ("root", "problem")} if isinstance(data, dict) and {"root", "problem"} <= set(data) else None


def action_params(uri: str, diagnostic: Mapping[str, Any]) -> dict[str, Any]:
    """The params of `textDocument/codeAction`, asked with the cursor on a diagnostic."""
    return {"textDocument": {"uri": uri}, "range": diagnostic["range"], "context": {"diagnostics": [diagnostic], "triggerKind": 1}}


async def start_fix(client: Client, uri: str, diagnostic: Mapping[str, Any]) -> str:
    """Choose "Fix with agent..." on a diagnostic; the job."""
    actions = await client.call("textDocument/codeAction", action_params(uri, diagnostic)) or []
    found = [argument for action in actions if (argument := fix_argument(action)) is not None]
    if not found:
        raise NotMeasured(f"no code action starts a repair: {actions}")
    said = await client.command("suture.fix", found[0])
    if "job" not in said:
        raise NotMeasured(f"suture.fix: {said}")
    return str(said["job"])


class Status:
    """The server's last word on what it does."""

    def __init__(self, client: Client) -> None:
        self.last: dict[str, Any] = {}
        client.heard["suture/status"].append(self.last.update)

    async def wait(self, repairing: int, seconds: float = 120) -> None:
        """Until so many episodes run."""
        until = time.monotonic() + seconds
        while self.last.get("repairing") != repairing:
            if time.monotonic() > until:
                raise NotMeasured(f"{repairing} episodes were to run: {self.last}")
            await asyncio.sleep(0.02)


async def check(client: Client) -> int:
    """Run the checks; how many findings they have."""
    said = await client.command("suture.check", {}, seconds=600)
    return sum(each["findings"] for each in said["checks"])


def attempts(pid: int) -> list[psutil.Process]:
    """Every process of every attempt under a server."""
    found = list[psutil.Process]()
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name().startswith("suture-attempt") or "suture-attempt-of" in " ".join(process.cmdline()[:1]):
                found += [process, *process.children(recursive=True)]
    return found


def alive(pid: int) -> bool:
    """Whether a process still does something; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1] not in b"ZX"
    except OSError:
        return False
