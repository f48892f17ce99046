"""`suture fix`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from suture_server.cli.common import Output, options, run_async, workspace_root

if TYPE_CHECKING:
    from suture_agent.batch import Summary
    from suture_agent.events import Event
    from suture_agent.workspace import Workspace
    from suture_server.cli.live import Live


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says."""

    root: Path
    apply: bool
    diff: bool
    chosen: dict[str, Any]
    """The other options, by name."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Those that are written where the person says."""
        return tuple(path for name in ("report", "sarif") if (path := self.chosen[name]) is not None)


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended."""

    code: int
    written: Mapping[str, bytes | None]
    """What it wrote into the workspace: path -> content."""


class NewFile(click.ParamType[Path]):
    """A file that is to be written at the end; that it can be is seen to at once, not after an hour of work."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401  # click's signature
        """Its absolute path."""
        path = Path(value).absolute()
        if path.is_dir():
            self.fail(f"{value} is a folder; name a file in it", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"the folder {path.parent} does not exist; make it, or name another one", param, ctx)
        if not os.access(path.parent, os.W_OK):
            self.fail(f"nothing can be written to the folder {path.parent}", param, ctx)
        return path


class Duration(click.ParamType[int]):
    """A time such as `90s`, `10m` or `1h`, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401  # click's signature
        """Parse it; a bare number is seconds."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+)([smh]?)", str(value).strip())
        if found is None or int(found[1]) == 0:
            self.fail(f"{value!r} is not a time such as 90s, 10m or 1h", param, ctx)
        return int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


@click.command()
@click.argument("path", required=False)
@click.option("--apply", "apply_", is_flag=True, help="Write the proven patches into the workspace.")
@click.option("--diff", is_flag=True, help="Print nothing but the proven patches on stdout, as unified diffs.")
@click.option("--check", "checks", multiple=True, metavar="NAME", help="Repair only what this check reports; may be given several times.")
@click.option("--path", "globs", multiple=True, metavar="GLOB", help="Repair only findings in matching files; may be given several times.")
@click.option(
    "--policy", metavar="NAME|URL|scripted:FILE", help="Who repairs: embedded, embedded:MODEL, vllm, a URL with /v1, scripted:FILE."
)
@click.option(
    "--pipeline",
    type=click.Choice(["full", "simplified"]),
    help="simplified: one episode a problem; full: root causes first, past fixes, retries; up to hours unless --budget says less.",
)
@click.option("--harness", "preset", type=click.Choice(["agent", "direct", "line"]), help="Instead of the preset that fits the policy.")
@click.option("--backend", type=click.Choice(["local", "docker"]), help="What isolates.")
@click.option(
    "--budget", type=Duration(), metavar="TIME", help="Wall time a problem, such as 90s or 10m (default 10m, with --pipeline full 320m)."
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=1, metavar="N", help="Problems in work at once (1); more pays with a server such as vLLM."
)
@click.option("--resume", is_flag=True, help="Prove again what an interrupted run had proven, instead of asking the policy again.")
@click.option("--watch", is_flag=True, help="Go on: run again whenever a file of the workspace changes, until it is interrupted.")
@click.option(
    "--report", type=NewFile(), metavar="FILE.html", help="Write one HTML page: what failed, what was fixed, verdicts, diffs, seconds."
)
@click.option("--sarif", type=NewFile(), metavar="FILE", help="Write what was found as SARIF 2.1.0, with the proven fixes.")
@options
def fix(path: str | None, apply_: bool, diff: bool, output: Output, **chosen: Any) -> int:  # noqa: ANN401  # click's signature
    r"""Repair what fails, and show only what the sandbox has proven.

    The proven patches are written to .suture/patches/ of the workspace. Nothing else is changed unless --apply is given.

    \b
    Examples:
      suture fix
      suture fix ~/src/shop --check tests --diff
      suture fix --apply --budget 2m
      suture fix --report suture.html --sarif suture.sarif
      suture fix --watch --apply
      suture fix --policy http://gpu-host:8000/v1#Qwen/Qwen3-32B --jobs 4
    """
    asked = Asked(root=workspace_root(path), apply=apply_, diff=diff, chosen=chosen)
    return run_async(_watched(asked, output) if chosen["watch"] else _ended(asked, output))


async def _ended(asked: Asked, output: Output) -> int:
    return (await _once(asked, output)).code


async def _watched(asked: Asked, output: Output) -> int:
    """Run again and again, until it is interrupted. A workspace that cannot be worked on for a moment is told, and looked at again."""
    from suture_agent.errors import AgentFloorError
    from suture_sandbox.errors import SandboxFloorError
    from suture_server.cli.boundary import explain
    from suture_server.cli.watching import Changes
    from suture_server.report.leaving import staged

    async with Changes(asked.root, [*asked.files, *map(staged, asked.files)]) as changes:
        while True:
            ours: Mapping[str, bytes | None] = {}
            try:
                ours = (await _once(asked, output)).written
            except (AgentFloorError, SandboxFloorError) as error:
                explain(error)
            output.note("waiting for a change; Ctrl-C ends this")
            await changes.wait(ours)
            asked = msgspec.structs.replace(asked, chosen={**asked.chosen, "resume": True})


async def _once(asked: Asked, output: Output) -> Ended:
    from suture_agent.apply import recover
    from suture_agent.workspace import open_workspace
    from suture_server.cli.check import note_missing
    from suture_server.cli.live import Live

    if recover(asked.root):
        output.note("finished writing a patch that an interrupted run had begun")
    workspace = await open_workspace(asked.root, overrides=_overrides(asked.chosen), progress=output.note)
    note_missing(workspace, output)
    live = Live(output, asked.root, only_diff=asked.diff, named=asked.chosen["jobs"] > 1)
    try:
        workspace.refuse_drift()
        for name in asked.chosen["checks"]:
            workspace.sandbox.check_named(name)
        summary, left = await _fixed(asked, workspace, live, output)
    finally:
        await workspace.close()
    _close(workspace, summary, asked, output, live)
    code = 3 if summary.infrastructure or not left else 1 if summary.unfixed or _left_over(summary, asked) else 0
    patches = [done.patch for done in summary.repairs if asked.apply and done.outcome == "fixed" and done.patch is not None]
    return Ended(code=code, written={edit.path: edit.after for patch in patches for edit in patch.edits})


async def _fixed(asked: Asked, workspace: Workspace, live: Live, output: Output) -> tuple[Summary, bool]:
    """Do the work and leave the files that were asked for, also where it is interrupted; whether they could be written."""
    from suture_agent.batch import Options, fix_workspace
    from suture_agent.pipelines.judge import close_both
    from suture_agent.workspace import open_journal
    from suture_server.report.leaving import Leaving

    options = Options(
        checks=asked.chosen["checks"],
        paths=asked.chosen["globs"],
        apply=asked.apply,
        resume=asked.chosen["resume"],
        jobs=asked.chosen["jobs"],
        reproduced=workspace.settings.verdict.reproduced,
    )
    leaving = Leaving(workspace, applied=asked.apply, report=asked.chosen["report"], sarif=asked.chosen["sarif"], say=output.warn)

    def heard(event: Event) -> None:
        leaving.event(event)
        live.event(event)

    with open_journal(workspace) as recorder, live:
        policy = workspace.policy(output.note)
        judge = workspace.judge(policy)
        try:
            summary = await fix_workspace(
                workspace.snapshot,
                workspace.sandbox.serving("batch"),
                policy,
                recorder,
                heard,
                options,
                harness_of=workspace.harness_of,
                recall=recorder.recall,
                judge=judge,
            )
        except BaseException:
            leaving.ended(None)
            raise
        finally:
            await close_both(judge, policy)
    return summary, leaving.ended(summary)


def _overrides(chosen: dict[str, Any]) -> dict[str, object]:
    """Command-line options as settings."""
    keys = {
        "policy": "policy.spec",
        "pipeline": "harness.pipeline",
        "preset": "harness.preset",
        "backend": "sandbox.backend",
        "budget": "harness.seconds",
    }
    return {key: chosen[name] for name, key in keys.items() if chosen[name] is not None}


def _left_over(summary: Summary, asked: Asked) -> bool:
    """Whether a check in question still fails although no problem was worked on: dropped as flaky, or without findings to work on."""
    checks = asked.chosen["checks"]
    failing = [result for result in summary.results if not result.passed and (not checks or result.check in checks)]
    return bool(failing) and summary.problems == 0 and not asked.chosen["globs"]


def _close(workspace: Workspace, summary: Summary, asked: Asked, output: Output, live: Live) -> None:
    output.line(
        {
            "event": "summary",
            "problems": summary.problems,
            "fixed": summary.fixed,
            "unfixed": summary.unfixed,
            "infrastructure": summary.infrastructure,
            "dropped": summary.dropped,
            "flaky": summary.flaky,
            "environment": workspace.sandbox.environment.identity,
            "harness": summary.harness,
            "policy": summary.policy,
            "adapter": summary.adapter,
            "seconds": round(summary.seconds, 3),
        }
    )
    for path in asked.files:
        output.note(f"wrote {path}")
    live.close(summary, applied=asked.apply)
