"""`suture fix`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from suture_server.cli.common import Output, options, run_async, workspace_root

if TYPE_CHECKING:
    from suture_agent.batch import Options, Summary
    from suture_agent.workspace import Workspace


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
    "--pipeline", type=click.Choice(["full", "simplified"]), help="simplified: one episode a problem; full: retries with a fresh start."
)
@click.option("--harness", "preset", type=click.Choice(["agent", "direct"]), help="Instead of the preset that fits the policy.")
@click.option("--backend", type=click.Choice(["local"]), help="What isolates.")
@click.option("--budget", type=Duration(), metavar="TIME", help="Wall time a problem, such as 90s or 10m (default 10m).")
@click.option("--resume", is_flag=True, help="Prove again what an interrupted run had proven, instead of asking the policy again.")
@options
def fix(path: str | None, apply_: bool, diff: bool, output: Output, **chosen: Any) -> int:  # noqa: ANN401  # click's signature
    r"""Repair what fails, and show only what the sandbox has proven.

    The proven patches are written to .suture/patches/ of the workspace. Nothing else is changed unless --apply is given.

    \b
    Examples:
      suture fix
      suture fix ~/src/shop --check tests --diff
      suture fix --apply --budget 2m
      suture fix --policy http://gpu-host:8000/v1#Qwen/Qwen3-32B
    """
    return run_async(_fix(path, apply_, diff, output, chosen))


async def _fix(path: str | None, apply_: bool, diff: bool, output: Output, chosen: dict[str, Any]) -> int:  # from click
    from suture_agent.apply import recover
    from suture_agent.batch import Options, fix_workspace
    from suture_agent.workspace import open_journal, open_workspace
    from suture_server.cli.live import Live

    root = workspace_root(path)
    if recover(root):
        output.note("finished writing a patch that an interrupted run had begun")
    overrides = _overrides(chosen)
    workspace = await open_workspace(root, overrides=overrides, progress=output.note)
    live = Live(output, root, only_diff=diff)
    try:
        workspace.refuse_drift()
        for name in chosen["checks"]:
            workspace.sandbox.check_named(name)
        asked = Options(checks=chosen["checks"], paths=chosen["globs"], apply=apply_, resume=chosen["resume"])
        with open_journal(workspace) as recorder, live:
            policy = workspace.policy()
            try:
                summary = await fix_workspace(
                    workspace.snapshot,
                    workspace.sandbox,
                    policy,
                    recorder,
                    live.event,
                    asked,
                    harness_of=workspace.harness_of,
                    recall=recorder.recall,
                )
            finally:
                await policy.close()
    finally:
        await workspace.close()
    _close(workspace, summary, asked, output, live)
    return 3 if summary.infrastructure else 1 if summary.unfixed or _left_over(summary, asked) else 0


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


def _left_over(summary: Summary, asked: Options) -> bool:
    """Whether a check in question still fails although no problem was worked on: dropped as flaky, or without findings to work on."""
    failing = [result for result in summary.results if not result.passed and (not asked.checks or result.check in asked.checks)]
    return bool(failing) and summary.problems == 0 and not asked.paths


def _close(workspace: Workspace, summary: Summary, asked: Options, output: Output, live: Any) -> None:  # noqa: ANN401  # Live is imported late
    output.line(
        {
            "event": "summary",
            "problems": summary.problems,
            "fixed": summary.fixed,
            "unfixed": summary.unfixed,
            "infrastructure": summary.infrastructure,
            "environment": workspace.sandbox.environment.identity,
            "harness": summary.harness,
            "policy": summary.policy,
            "seconds": round(summary.seconds, 3),
        }
    )
    live.close(summary, applied=asked.apply)
