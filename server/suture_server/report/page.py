"""The page of a batch run: one HTML file that holds everything, in which nothing runs and nothing is fetched.

Its policy (Content-Security-Policy) allows the one style that it names by its hash. What a workspace, a tool or a policy wrote is escaped,
and secrets are taken out as they are for the journal: such pages are passed on.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources

from suture_agent.redact import redact
from suture_sandbox.checks import CheckResult
from suture_sandbox.verdict import Verdict
from suture_server import __version__
from suture_server.markup import code, diff, plain
from suture_server.report import plots
from suture_server.report.gathered import Item, Run

OUTCOMES = {"fixed": "fixed", "unfixed": "not fixed", "infrastructure": "could not be tried", "cancelled": "cancelled"}
MOST_FINDINGS = 20
MOST_NAMED = 200

POLICY = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"


def page(run: Run) -> str:
    """The whole document."""
    style = _style()
    allowed = POLICY.format(base64.b64encode(hashlib.sha256(style.encode()).digest()).decode())
    title = f"suture fix: {plain(run.workspace)}"
    parts = (_head(run), _checks(run.checks), _plots(run.items), _problems(run.items), _dropped(run))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        + "\n".join(each for each in parts if each)
        + "\n</body>\n</html>\n"
    )


@functools.cache
def _style() -> str:
    return resources.files("suture_server.report").joinpath("style.css").read_text(encoding="utf-8")


def _head(run: Run) -> str:
    facts = {
        "workspace": run.workspace,
        "when": datetime.fromtimestamp(run.began, tz=UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "took": f"{run.seconds:.1f} s",
        "policy": run.policy,
        "environment": run.environment,
        "harness": run.harness,
        "patches": "" if not run.count("fixed") else "applied to the workspace" if run.applied else "in .suture/patches/ of the workspace",
        "suture": __version__,
    }
    listed = "".join(f"<dt>{name}</dt><dd>{_said(value)}</dd>" for name, value in facts.items() if value)
    stopped = "<p><strong>The run was interrupted.</strong> This is what was finished by then.</p>\n" if run.interrupted else ""
    return f"<h1>{_headline(run)}</h1>\n{stopped}<dl>{listed}</dl>"


def _headline(run: Run) -> str:
    total = len(run.items)
    if total:
        return f"{run.count('fixed')} of {total} {'problem' if total == 1 else 'problems'} fixed"
    if run.interrupted:
        return "Nothing was finished"
    return "All checks pass" if all(each.passed for each in run.checks) else "Nothing that could be worked on"


def _checks(checks: Sequence[CheckResult]) -> str:
    if not checks:
        return ""
    rows = "".join(
        f"<tr><td>{plain(each.check)}</td><td>{plain(each.status)}{f': {_said(each.reason)}' if each.reason else ''}</td>"
        f'<td class="n">{len(each.findings)}</td><td class="n">{each.seconds:.1f}</td></tr>'
        for each in checks
    )
    head = '<tr><th>check</th><th>as found</th><th class="n">findings</th><th class="n">seconds</th></tr>'
    return f"<h2>Checks</h2>\n<table>{head}{rows}</table>"


def _plots(items: Sequence[Item]) -> str:
    """How the problems ended, and where the time went."""
    if not items:
        return ""
    counts = {name: (said, sum(each.done.outcome == name for each in items)) for name, said in OUTCOMES.items()}
    ended = plots.shares("How the problems ended", counts)
    rows = [plots.Row(name=_redacted(each.name), parts=_seconds(each)) for each in items]
    spent = plots.bars("Seconds of each problem", rows, "s")
    if spent:
        more = f", the longest {plots.MOST_ROWS} of {len(items)}" if len(items) > plots.MOST_ROWS else ""
        spent = f"<h2>Where the time went{more}</h2>\n{_key({'policy': 'policy', 'sandbox': 'sandbox', 'rest': 'the rest'})}\n{spent}"
    return f"<h2>How it went</h2>\n{_key({name: said for name, (said, count) in counts.items() if count})}\n{ended}\n{spent}"


def _seconds(item: Item) -> dict[str, float]:
    done = item.done
    known = done.seconds_policy + done.seconds_sandbox
    return {"policy": done.seconds_policy, "sandbox": done.seconds_sandbox, "rest": max(0.0, done.seconds - known)}


def _key(kinds: Mapping[str, str]) -> str:
    named = (f'<span class="key {kind}"></span>{plain(said)}' for kind, said in kinds.items())
    return f'<p class="soft">{"".join(named)}</p>'


def _problems(items: Sequence[Item]) -> str:
    return "\n".join(("<h2>Problems</h2>", *map(_problem, items))) if items else ""


def _problem(item: Item) -> str:
    done = item.done
    reason = f": {_said(done.reason)}" if done.reason else ""
    spent = f"{done.seconds:.1f} s (policy {done.seconds_policy:.1f}, sandbox {done.seconds_sandbox:.1f})"
    asked = f"{done.steps} {'request' if done.steps == 1 else 'requests'}, {done.prompt_tokens} tokens in, {done.completion_tokens} out"
    return (
        f'<article class="{done.outcome}">\n<h3>{f"{plain(item.check)}: " if item.check else ""}{_said(item.name)}</h3>\n'
        f'<p><strong>{OUTCOMES[done.outcome]}</strong>{reason} <span class="soft">{spent}; {asked}</span></p>\n'
        f"{_findings(item)}{_proof(item)}{_refused(item)}{_patch(item)}</article>"
    )


def _findings(item: Item) -> str:
    listed = [
        f"<li><code>{_said(each.path)}:{each.range.start.line + 1}</code>{f' <code>{_said(each.code)}</code>' if each.code else ''}"
        f"{code(_redacted(each.message))}</li>"
        for each in item.findings[:MOST_FINDINGS]
    ]
    left = len(item.findings) - MOST_FINDINGS
    more = f"<li>and {left} more</li>" if left > 0 else ""
    return f"<ul>{''.join(listed)}{more}</ul>\n" if listed else ""


def _proof(item: Item) -> str:
    if item.done.outcome != "fixed" or not item.verdicts:
        return ""
    verdict = item.verdicts[-1]
    lists = {"gone": verdict.fixed, "flaky, not counted": verdict.flaky}
    listed = "".join(f"<li>{name}: {_codes(each)}</li>" for name, each in lists.items() if each)
    held = ", ".join(f"{plain(each.check)} passes" for each in verdict.after if each.passed)
    proven = f"Proven in {verdict.reruns} fresh runs: nothing that passed fails, the guard is silent{f', {held}' if held else ''}."
    return f"<p>{proven} <span class='soft'>The proof took {verdict.seconds:.1f} s.</span></p>\n<ul>{listed}</ul>\n"


def _refused(item: Item) -> str:
    """The last that was proposed, where it did not hold."""
    verdict = item.verdicts[-1] if item.verdicts else None
    if verdict is None or verdict.passed:
        return ""
    return f"<p>The last proposal was refused: {_said(verdict.reason)}{_why(verdict)}</p>\n"


def _why(verdict: Verdict) -> str:
    """What the reason does not say already."""
    said = [*verdict.broken, *(f"{each.path}: {each.message}" for each in verdict.guard if each.message not in verdict.reason)]
    return f": {_codes(said)}" if said else ""


def _patch(item: Item) -> str:
    return f"{diff(_redacted(item.diff))}\n" if item.diff else ""


def _dropped(run: Run) -> str:
    if not run.dropped:
        return ""
    listed = "".join(f"<li>{plain(each.check)} <code>{plain(each.id)}</code>: {_said(each.reason)}</li>" for each in run.dropped)
    return f"<h2>Not worked on</h2>\n<ul>{listed}</ul>"


def _codes(names: Iterable[str]) -> str:
    every = list(names)
    left = len(every) - MOST_NAMED
    return ", ".join(f"<code>{_said(each)}</code>" for each in every[:MOST_NAMED]) + (f" and {left} more" if left > 0 else "")


def _said(text: str) -> str:
    return plain(_redacted(text))


def _redacted(text: str) -> str:
    return redact(text)[0]
