"""Tools that run something in fresh attempts which see the edits, and those that ask the journal or end the episode."""

from __future__ import annotations

import msgspec

from suture_agent.errors import Submitted, ToolRefused
from suture_agent.tools.arguments import RecallFixes, RunCheck, RunShell, Submit
from suture_agent.tools.bench import SKIPPED_FOLDERS, Workbench, withheld
from suture_sandbox.backend import Command
from suture_sandbox.checks import CheckResult
from suture_sandbox.errors import ConfigurationError, PatchError

LONGEST_COMMAND = 100_000
"""Bytes of a shell command, or of a test's name; Linux takes a little more in one argument."""


async def run_check(bench: Workbench, call: RunCheck) -> str:
    """Run one of the workspace's checks by name on your edits, in a fresh sandbox; `tests` narrows it to those tests."""
    _speakable(*call.tests)
    try:
        check = bench.meter.sandbox.check_named(call.name)
        result = await bench.meter.check(check, bench.snapshot, call.tests)
    except ConfigurationError as error:
        raise ToolRefused(f"{error}. {error.remedy}".strip()) from error
    return describe(result)


async def run_shell(bench: Workbench, call: RunShell) -> str:
    """Run a shell command in a fresh sandbox at the workspace's root. No network. Changed files of the workspace are kept as your edits;
    background processes are not kept.
    """
    _speakable(call.command)
    seconds = bench.meter.harness.budgets.tool_seconds
    command = Command(argv=("/bin/sh", "-c", call.command), seconds=seconds, keep=True)
    completed = await bench.meter.run(bench.snapshot, command)
    changes = {path: content for path, content in completed.changes.items() if not _unkept(bench, path)}
    kept = {path: content for path, content in changes.items() if not bench.privacy.withheld(path)}
    bench.edit(kept)
    if completed.ended == "timeout" and bench.meter.harness.timeout_reply is not msgspec.UNSET:
        return bench.meter.harness.timeout_reply
    ended = f"exit code {completed.exit_code}" if completed.ended == "exited" else f"stopped: {completed.ended}"
    output = (completed.stdout + completed.stderr).decode("utf-8", "replace").strip()
    notes = [f"kept your change of {path}" for path in sorted(kept)] + withheld(len(changes) - len(kept), "kept")
    if not completed.kept_all:
        stopped = completed.ended != "exited"
        notes.append("its changes are not kept" if stopped else "some changes are not kept: links, devices, or too large")
    return "\n".join([output or "(no output)", f"({ended})", *notes])


async def recall(bench: Workbench, call: RecallFixes) -> str:
    """Look up past proven fixes that resemble a failure; give the error's text."""
    fixes = [fix for fix in await bench.recall(call.query) if not bench.privacy.withholds_diff(fix.diff)]
    return "\n\n".join(f"{fix.failure}\nwas fixed by:\n{fix.diff}" for fix in fixes) or "nothing similar was fixed before"


async def submit(bench: Workbench, call: Submit) -> str:  # noqa: ARG001  # every tool has this shape
    """Say that you are done: your edits are then proven against the original tests. Call it once the checks pass."""
    if not bench.patch.edits:
        raise ToolRefused("you have not edited anything yet")
    raise Submitted("submitted")


def describe(result: CheckResult) -> str:
    """A check's result as text for a policy."""
    head = f"{result.check}: {result.status}" + (f" ({result.reason})" if result.reason else "")
    findings = [
        f"{finding.path}:{finding.range.start.line + 1}: {finding.test or finding.code}: {finding.detail or finding.message}"
        for finding in result.findings[:10]
    ]
    more = [f"... and {len(result.findings) - 10} more"] if len(result.findings) > 10 else []
    return "\n".join([head, *findings, *more])


def _speakable(*arguments: str) -> None:
    """Refuse what cannot be an argument of a program."""
    for argument in arguments:
        if "\0" in argument:
            raise ToolRefused("a command cannot hold a null character")
        if len(argument.encode()) > LONGEST_COMMAND:
            raise ToolRefused(f"the command is longer than {LONGEST_COMMAND} bytes; write it to a file with edit_file and run that")


def _unkept(bench: Workbench, path: str) -> bool:
    try:
        bench.snapshot.check_path(path)
    except PatchError:
        return True
    return any(part in SKIPPED_FOLDERS for part in path.split("/"))
