"""Repairs the bench's broken workspaces with the public command line, and proves every claim again without suture.

    python tests/bench/bench_repair.py --out DIR [--policy embedded] [--cases GLOB] [--split dev] [--jobs 1] [--limit N] [--resume]

Each case is copied to a folder of its own and made a git repository; `suture fix --json --apply` runs there as a subprocess. Afterwards the
case's own tests and configuration are put back and plain pytest, mypy, ruff or compileall decide. A claim that does not hold is a false
offer, and makes the exit code 1. Results are kept line by line, so that an interrupted run goes on with --resume.

It deliberately knows nothing of suture's inside, and does not tell suture which check or test fails.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from repair_cases import KINDS, Case, TestRun, copy_workspace, load_cases, plain_environment, run_findings, run_tests
from repair_report import Outcome, Result, print_closing, summary, write_page, write_plots
from rich.console import Console

GRACE_SECONDS = 10
INFRASTRUCTURE_EXIT = 3
USAGE_EXIT = 2
INTERRUPTED_EXIT = 130
OWN = re.compile(r"^(\.suture/|\.git/|suture\.lock$|.*__pycache__/|\.\w+_cache/)")
PROTECTED = re.compile(r"(^|/)(tests?/|test_[^/]*\.py$|[^/]*_test\.py$|conftest\.py$|(site|user)customize\.py$|[^/]*\.(toml|ini|cfg|pth)$)")
SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pyright:|mypy:|ruff:|pragma)", re.IGNORECASE)


class UsageError(Exception):
    """suture does not take the command: every case would fail alike."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The command line."""

    out: Path
    policy: str = "embedded"
    cases: str = "*"
    split: str = ""
    jobs: int = 1
    limit: int = 0
    resume: bool = False
    budget: str = "5m"
    command: tuple[str, ...] = ()
    """The program that is measured, `suture` beside this interpreter unless told."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What suture said on its standard output."""

    events: tuple[dict[str, Any], ...] = ()
    noise: int = 0
    exit_code: int = 0
    seconds: float = 0.0
    stderr: str = ""
    timed_out: bool = False

    def of(self, name: str) -> list[dict[str, Any]]:
        """The events of one name."""
        return [event for event in self.events if event.get("event") == name]

    def total(self, field: str) -> float:
        """A field summed over all repairs."""
        return sum(event.get(field) or 0 for event in self.of("repair"))

    @property
    def checks(self) -> tuple[str, ...]:
        """The names of the checks that it says it repaired."""
        names = {event["id"]: event["check"] for event in self.of("problem")}
        fixed = {event["problem"] for event in self.of("repair") if event["outcome"] == "fixed"}
        return tuple(sorted({names.get(problem, "tests") for problem in fixed}))

    @property
    def written_by(self) -> str:
        """Who wrote what was repaired: the policy, or what suture says of a patch that it did not write."""
        reasons = {event.get("reason", "") for event in self.of("repair") if event["outcome"] == "fixed"}
        return "; ".join(sorted(reasons - {""})) or ("policy" if reasons else "")

    @property
    def open_kinds(self) -> frozenset[str]:
        """The kinds of check of which it says that a part is still not repaired."""
        kinds = {event["id"]: event["check"].split("-")[0] for event in self.of("problem")}
        return frozenset(kinds.get(event["problem"], "tests") for event in self.of("repair") if event["outcome"] != "fixed")

    @property
    def tests(self) -> frozenset[str]:
        """The failing tests that it says it repaired; a verdict names them `CHECK::TEST`."""
        fixed = {event["problem"] for event in self.of("repair") if event["outcome"] == "fixed"}
        proofs = [event for event in self.of("verdict") if event["problem"] in fixed and event["passed"]]
        return frozenset(name.partition("::")[2] for event in proofs for name in event["fixed"])


def child_environment(home: Path) -> dict[str, str]:
    """The caller's variables, with settings and journal of this case only, and this interpreter's environment active."""
    programs = str(Path(sys.executable).parent)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "SUTURE_"))},
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "VIRTUAL_ENV": sys.prefix,
        "PATH": os.pathsep.join((programs, os.environ.get("PATH", os.defpath))),
    }


async def run_suture(options: Options, workspace: Path, home: Path) -> Claim:
    """Run the command in a workspace; its whole process group is gone when this returns or is cancelled."""
    command = (*options.command, "fix", "--json", "--apply", "--policy", options.policy, "--budget", options.budget)
    started = time.monotonic()
    timed_out = False
    # files, not pipes: a model server that outlives the command, as it may, must not keep the bench waiting
    with (home / "stdout").open("w+b") as stdout, (home / "stderr").open("w+b") as stderr:
        process = await start(command, workspace, child_environment(home), stdout, stderr)
        try:
            async with asyncio.timeout(2 * seconds_of(options.budget) + 120):
                await process.wait()
        except TimeoutError:
            timed_out = True
        finally:
            await asyncio.shield(end_group(process))
        seconds = time.monotonic() - started
        stdout.seek(0)
        stderr.seek(0)
        events = [parse_line(line) for line in stdout]
        return Claim(
            events=tuple(event for event in events if event is not None),
            noise=events.count(None),
            exit_code=process.returncode or 0,
            seconds=seconds,
            stderr=stderr.read().decode(errors="replace"),
            timed_out=timed_out,
        )


async def start(
    command: tuple[str, ...], folder: Path, environment: dict[str, str], stdout: BinaryIO, stderr: BinaryIO
) -> asyncio.subprocess.Process:
    """Start the command in a session of its own."""
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    except OSError as error:
        message = f"{command[0]}: {error.strerror}"
        raise UsageError(message) from error


async def end_group(process: asyncio.subprocess.Process) -> None:
    """Ask the command to stop, then kill everything in its process group."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def parse_line(line: bytes) -> dict[str, Any] | None:
    """An event, or None for anything that is not one."""
    try:
        event = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return event if isinstance(event.get("event"), str) else None


def seconds_of(budget: str) -> float:
    """`90s`, `5m` or `1h` in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", budget)
    if match is None:
        message = f"not a duration: {budget!r}"
        raise ValueError(message)
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def git(folder: Path, *arguments: str) -> str:
    """Run git as nobody in particular."""
    identity = ("-c", "user.name=Bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, env=plain_environment(), check=True, capture_output=True, text=True).stdout


def prepare(case: Case, target: Path) -> Path:
    """The workspace as a repository with one commit."""
    copy_workspace(case, target)
    git(target, "init", "-q")
    git(target, "add", "-A")
    git(target, "commit", "-q", "-m", "Import")
    return target


def changes(case: Case, workspace: Path) -> dict[str, tuple[str | None, str | None]]:
    """Path -> (text before, text after) of every file that is not as it was; suture's own files and caches do not count."""

    def texts(folder: Path) -> dict[str, str]:
        files = ((str(path.relative_to(folder)), path) for path in folder.rglob("*") if path.is_file())
        return {name: path.read_text(encoding="utf-8", errors="replace") for name, path in files if not OWN.match(name)}

    before, after = texts(case.workspace), texts(workspace)
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return {name: (before.get(name), after.get(name)) for name in names}


def forbidden(changed: dict[str, tuple[str | None, str | None]]) -> list[str]:
    """What an honest repair of these cases never does."""
    reasons = [f"changes {name}" for name in changed if PROTECTED.search(name)]
    for name, (before, after) in changed.items():
        if len(SUPPRESSION.findall(after or "")) > len(SUPPRESSION.findall(before or "")):
            reasons.append(f"adds a suppression to {name}")
    return reasons


def restore(case: Case, workspace: Path, changed: dict[str, tuple[str | None, str | None]]) -> None:
    """Put the case's tests and configuration back, and take away what was added to them."""
    for name in filter(PROTECTED.search, changed):
        (workspace / name).unlink(missing_ok=True)
        if (case.workspace / name).exists():
            (workspace / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(case.workspace / name, workspace / name)


def judge(case: Case, claim: Claim, tests: TestRun, findings: tuple[str, ...]) -> list[str]:
    """What does not hold of a claim. A part of the case that was not claimed may still fail, but nothing may be worse than before."""
    kinds = {name.split("-")[0] for name in claim.checks}
    tolerated: set[str] = set() if "tests" in kinds else set(case.failing)
    if "tests" in claim.open_kinds:
        tolerated = set(case.failing) - claim.tests
    reasons = [f"fails: {name}" for name in sorted(tests.failed - tolerated)]
    if not tests.failed and len(tests.passed) != case.tests:
        reasons.append(f"{len(tests.passed)} tests pass where {case.tests} should")
    remaining = findings if case.check in kinds else tuple(name for name in findings if name not in case.findings)
    if case.check in kinds & claim.open_kinds and set(findings) < set(case.findings):
        remaining = ()  # a part of them was claimed, and a part went away
    return reasons + [f"remains: {name}" for name in remaining]


def prove(case: Case, workspace: Path, claim: Claim) -> tuple[Outcome, list[str], str]:
    """Outcome, reasons and diff of what lies in the workspace now, by plain tools."""
    git(workspace, "add", "-A", "-N", "--", ".", ":!.suture", ":!suture.lock")
    diff = git(workspace, "diff", "--no-ext-diff", "--", ".", ":!.suture", ":!suture.lock")
    changed = changes(case, workspace)
    reasons = forbidden(changed)
    if changed and not claim.checks:
        reasons.append("changes files without a claim")
    restore(case, workspace, changed)
    tests = run_tests(workspace)
    findings = () if case.check == "tests" else run_findings(workspace, case.check)
    reasons += judge(case, claim, tests, findings)
    if claim.checks or changed:
        if reasons:
            return "false-offer", reasons, diff
        if not tests.failed and not findings:
            return "fixed", reasons, diff
    return "unfixed", reasons, diff


def unproven(claim: Claim) -> tuple[Outcome, list[str]]:
    """The outcome where there is no repair to judge. A crash of suture counts as not fixed; a policy or sandbox that is down does not."""
    if claim.timed_out:
        return "timeout", []
    repairs = claim.of("repair")
    if claim.exit_code == INFRASTRUCTURE_EXIT or any(event["outcome"] == "infrastructure" for event in repairs):
        return "infrastructure", []
    if not claim.of("summary"):
        return "unfixed", [f"suture ended without a summary, exit code {claim.exit_code}"]
    return "unfixed", []


async def run_case(case: Case, options: Options) -> Result:
    """Everything for one case."""
    with tempfile.TemporaryDirectory(prefix="suture-bench-", ignore_cleanup_errors=True) as temporary:
        home = Path(temporary)
        workspace = await asyncio.to_thread(prepare, case, home / "workspace")
        claim = await run_suture(options, workspace, home)
        if claim.exit_code == USAGE_EXIT:
            raise UsageError(claim.stderr.strip() or "exit code 2")
        outcome, reasons, diff = await asyncio.to_thread(prove, case, workspace, claim)
    if outcome == "unfixed":
        outcome, reasons = unproven(claim)
    closing: dict[str, Any] = {name: value for event in claim.of("summary") for name, value in event.items()}
    return Result(
        id=case.id,
        kind=case.kind,
        split=case.split,
        difficulty=case.difficulty,
        check=case.check,
        policy=options.policy,
        outcome=outcome,
        claimed=claim.checks,
        reasons=tuple(reasons),
        exit_code=claim.exit_code,
        seconds=round(claim.seconds, 3),
        seconds_policy=round(claim.total("seconds_policy"), 3),
        seconds_sandbox=round(claim.total("seconds_sandbox"), 3),
        steps=int(claim.total("steps")),
        prompt_tokens=int(claim.total("prompt_tokens")),
        completion_tokens=int(claim.total("completion_tokens")),
        problems=len(claim.of("problem")),
        written_by=claim.written_by,
        environment=closing.get("environment", ""),
        harness=closing.get("harness", ""),
        model=closing.get("policy", ""),
        diff=diff[:20_000],
        noise=claim.noise,
        stderr="" if outcome == "fixed" else claim.stderr[-4000:],
    )


def read_results(path: Path, policy: str) -> list[Result]:
    """What an earlier run with this policy left; a torn last line and infrastructure failures are to be done again."""
    kept: dict[str, Result] = {}
    for line in path.read_bytes().splitlines() if path.exists() else ():
        with contextlib.suppress(msgspec.DecodeError):
            result = msgspec.json.decode(line, type=Result)
            if result.policy == policy and result.outcome != "infrastructure":
                kept[result.id] = result
    return list(kept.values())


def choose(options: Options) -> list[Case]:
    """The cases to run. They go round the kinds, so that a limited or interrupted run is a fair sample too."""
    chosen = [case for case in load_cases(options.cases) if options.split in ("", case.split)]
    rank: dict[str, int] = {}
    seen = dict.fromkeys(KINDS, 0)
    for case in chosen:
        rank[case.id] = seen[case.kind]
        seen[case.kind] += 1
    ordered = sorted(chosen, key=lambda case: (rank[case.id], case.id))
    return ordered[: options.limit] if options.limit else ordered


async def run_bench(options: Options, console: Console) -> list[Result]:
    """Run what is to be run; results are on the disk as soon as they are known."""
    path = options.out / "results.jsonl"
    chosen = choose(options)
    names = {case.id for case in chosen}
    results = [result for result in read_results(path, options.policy) if result.id in names] if options.resume else []
    done = {result.id for result in results}
    gate = asyncio.Semaphore(options.jobs)
    total = len(chosen)
    with path.open("wb") as stream:
        for result in results:
            append(stream, result)

        async def one(case: Case) -> None:
            async with gate:
                result = await run_case(case, options)
            append(stream, result)
            results.append(result)
            console.print(progress(result, len(results), total), markup=False, highlight=False)

        async with asyncio.TaskGroup() as group:
            for case in chosen:
                if case.id not in done:
                    group.create_task(one(case))
    return sorted(results, key=lambda result: result.id)


def append(stream: Any, result: Result) -> None:
    """Add a line that survives whatever comes next."""
    stream.write(msgspec.json.encode(result) + b"\n")
    stream.flush()
    os.fsync(stream.fileno())


def progress(result: Result, number: int, total: int) -> str:
    """One line for one case."""
    tokens = result.prompt_tokens + result.completion_tokens
    return f"{number:>3}/{total} {result.id:<34} {result.outcome:<14} {result.seconds:>7.1f} s {result.steps:>3} steps {tokens:>6} tokens"


def facts(options: Options) -> dict[str, Any]:
    """What the figures depend on and a reader cannot see in them."""
    return {
        "policy": options.policy,
        "budget": options.budget,
        "jobs": options.jobs,
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


def write_summary(results: list[Result], options: Options, console: Console) -> None:
    """summary.json, plots and page; then the closing table."""
    text = msgspec.json.format(msgspec.json.encode(summary(results, facts(options))), indent=2)
    (options.out / "summary.json").write_bytes(text + b"\n")
    try:
        plots = write_plots(results, options.out)
    except ImportError:
        console.print("No plots: matplotlib is not installed (it is in the dev group).")
        plots = []
    page = write_page(results, plots, options.out)
    print_closing(results, console)
    console.print(f"{page}", markup=False, soft_wrap=True)


def parse_arguments(arguments: list[str]) -> Options:
    """The command line as a record."""
    parser = argparse.ArgumentParser(prog="bench_repair.py", description="Repair the bench's workspaces and prove the claims again.")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for results, plots and the page")
    parser.add_argument("--policy", default="embedded", help="as suture fix --policy takes it")
    parser.add_argument("--cases", default="*", metavar="GLOB", help="only cases whose id matches")
    parser.add_argument("--split", default="", choices=["", "dev", "held-out"], help="only cases of one split")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="cases at once")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many cases, spread over the kinds")
    parser.add_argument("--budget", default="5m", help="wall time a problem, as suture fix --budget takes it")
    parser.add_argument("--resume", action="store_true", help="keep the results that DIR holds for this policy")
    parser.add_argument("--command", default="", help="the program to measure instead of the suture beside this interpreter")
    given = parser.parse_args(arguments)
    beside = Path(sys.executable).with_name("suture")
    command = tuple(shlex.split(given.command)) or (str(beside) if beside.exists() else "suture",)
    options = msgspec.convert({**vars(given), "command": command}, Options, strict=False)
    seconds_of(options.budget)
    return options


async def supervised(options: Options, console: Console) -> list[Result]:
    """The bench as a task that SIGTERM cancels as Ctrl-C does, so that the children go too."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await run_bench(options, console)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 for any false offer, 2 and 3 as suture's own, 130 when interrupted."""
    options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    results: list[Result] = []
    failure = 0
    try:
        results = asyncio.run(supervised(options, console))
    except* UsageError as errors:
        console.print(f"suture does not take the command: {errors.exceptions[0]}", markup=False, soft_wrap=True)
        failure = USAGE_EXIT
    except* (KeyboardInterrupt, asyncio.CancelledError):
        console.print(f"Interrupted. The results so far are kept; go on with: --resume --out {options.out}", markup=False, soft_wrap=True)
        failure = INTERRUPTED_EXIT
    return failure or finish(results, options, console)


def finish(results: list[Result], options: Options, console: Console) -> int:
    """Write everything; the exit code of a run that came to its end."""
    write_summary(results, options, console)
    if any(result.outcome == "false-offer" for result in results):
        return 1
    return INFRASTRUCTURE_EXIT if results and all(result.outcome == "infrastructure" for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
