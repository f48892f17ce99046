"""An open workspace in the worker: settings, sandbox, policy and journal, opened and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from suture_agent.adapters.policy import Held
from suture_agent.apply import recover
from suture_agent.harness import Harness
from suture_agent.impact.maps import Maps
from suture_agent.pipelines.judge import close_both
from suture_agent.policies import PolicyIdentity
from suture_agent.record import Recorder
from suture_agent.workspace import Workspace, journal_path, open_journal, open_workspace
from suture_sandbox.lockfile import sentences
from suture_server.worker import wire

MOST_SIDE_BY_SIDE = 4


class OpenedWorkspace:
    """What is open."""

    def __init__(self, workspace: Workspace, recorder: Recorder, files: ExitStack, note: Callable[[str], None], *, first: bool) -> None:
        self.workspace = workspace
        self.recorder = recorder
        self.policy = workspace.policy(note)
        self.judge = workspace.judge(self.policy)
        self.maps = Maps(workspace.sandbox, recorder)
        self._files = files
        self._first = first

    def told(self) -> wire.Opened:
        """What the language server needs to know of it."""
        workspace, settings = self.workspace, self.workspace.settings
        environment = workspace.sandbox.environment
        editor = msgspec.convert(settings.editor, wire.Behaviour, from_attributes=True)
        return wire.Opened(
            checks=tuple(wire.CheckInfo(name=each.name, kind=each.kind, tool=each.tool) for each in environment.checks),
            environment=environment.identity,
            drift=tuple(sentences(workspace.drift)),
            notes=workspace.notes,
            missing=workspace.missing,
            level=settings.journal.level,
            journal=str(journal_path(settings)),
            policy=settings.policy.spec,
            parallel=editor.episodes or min(self.policy.capability.parallel, MOST_SIDE_BY_SIDE),
            behaviour=editor,
            first=self._first,
        )

    async def held(self) -> tuple[Held, Harness]:
        """The policy made ready for one episode, with the adapter that is in use now, the judge too, and the harness; raises PolicyError.

        Whoever gets it calls `policy.release` afterwards.
        """
        held = await self.policy.hold()
        harness = self.workspace.harness_of(held.policy, held.identity)
        return held, harness if self.judge is None else msgspec.structs.replace(harness, judge=await self.judge.start())

    def proving(self) -> Harness:
        """The harness as far as a proof is concerned, without a policy that answers."""
        return self.workspace.harness_of(self.policy, PolicyIdentity(name=""))

    async def close(self) -> None:
        """Close all of it."""
        try:
            await close_both(self.judge, self.policy)
            await self.workspace.close()
        finally:
            await asyncio.to_thread(self._files.close)


async def open_here(root: Path, overrides: Mapping[str, Any], note: Callable[[str], None]) -> OpenedWorkspace:
    """Open a workspace with its journal. Raises what `open_workspace` and the journal raise."""
    if await asyncio.to_thread(recover, root):
        note("finished writing a patch that an interrupted run had begun")
    workspace = await open_workspace(root, overrides=overrides, progress=note)
    files = ExitStack()
    try:
        first = workspace.settings.journal.level != "off" and not journal_path(workspace.settings).exists()
        recorder = files.enter_context(open_journal(workspace))
        return OpenedWorkspace(workspace, recorder, files, note, first=first)
    except BaseException:
        files.close()
        await workspace.close()
        raise
