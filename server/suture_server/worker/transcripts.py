"""An episode as a person reads it: Markdown made from the journal's record."""

from __future__ import annotations

import re

from suture_agent.journal.queries import Record
from suture_agent.journal.stored import StoredTurns

LONGEST = 6000
"""Characters of one message."""


def markdown(record: Record) -> str:
    """What failed, what was said, the patch, the verdict and what became of it."""
    line = record.line
    head = [
        f"# Episode {line.id}",
        "",
        f"{line.check} · **{line.outcome}**{f': {line.reason}' if line.reason else ''}",
        "",
        f"{line.seconds:.1f} s · {line.steps} requests · {line.policy}",
        "",
        f"environment `{line.environment[:12]}`, harness `{line.harness[:12]}`",
    ]
    said = (_findings(record), _course(record), _conversation(record.conversation), _patch(record), _verdict(record), _offers(record))
    return "\n".join([*head, *(line for part in said for line in part), ""])


def _findings(record: Record) -> list[str]:
    if not record.findings:
        return []
    lines = ["", "## What failed", ""]
    for finding in record.findings:
        place = f"{finding['path']}:{finding['range'][0][0] + 1}"
        said = [_quoted(each) for each in (place, finding.get("test", ""), *finding["message"].splitlines()[:1]) if each.strip()]
        lines.append(f"- {' '.join(said)}")
    return lines


def _course(record: Record) -> list[str]:
    """What the outer loop did, step by step, and what a judge said."""
    if record.course is None:
        return []
    lines = ["", "## Course", ""]
    for number, step in enumerate(record.course.steps, 1):
        shown = f", shown the fix of {_quoted(step.candidate)}" if step.candidate else ""
        lines.append(f"{number}. **{step.outcome}**, attempt {step.attempt + 1}{shown}: {_quoted(step.error)}")
        lines.append(f"   - chosen because {_quoted(step.why)}")
        lines += [f"   - {step.seen or 'ended'}: {_quoted(step.reason)}"] if step.reason else []
    lines += [
        f"- judge **{'accepted' if each.accepted else 'refused'}**{f': {_quoted(each.reason)}' if each.reason else ''}"
        for each in record.course.judged
    ]
    return lines


def _conversation(turns: StoredTurns | None) -> list[str]:
    """Each message once, in the order in which it came up, with the answers where they were given."""
    if turns is None:
        return ["", "The conversation was not kept (journal level `metadata`)."]
    lines, said = ["", "## Conversation"], set[int]()
    for number, turn in enumerate(turns.turns, 1):
        for index in turn.messages:
            if index not in said:
                said.add(index)
                message = turns.messages[index]
                lines += ["", f"### {message.role}", "", *_fenced(message.content)]
        for which, choice in enumerate(turn.choices, 1):
            several = f", answer {which} of {len(turn.choices)}" if len(turn.choices) > 1 else ""
            lines += ["", f"### {turn.by}, request {number}{several}", "", *_fenced(turn.prefill + choice.text)]
            lines += [f"- calls {_quoted(call.name)} with {_quoted(call.arguments[:400])}" for call in choice.tool_calls]
    return lines if turns.turns else [*lines, "", "The policy was not asked."]


def _patch(record: Record) -> list[str]:
    return ["", "## Patch", "", *_fenced(record.diff, "diff")] if record.diff else []


def _verdict(record: Record) -> list[str]:
    if not record.verdict:
        return []
    verdict = record.verdict
    state = f"proven in {verdict['reruns']} runs" if verdict["passed"] else f"refused: {verdict['reason']}"
    listed = [f"- {name}: {', '.join(map(_quoted, verdict[name]))}" for name in ("fixed", "broken", "flaky") if verdict.get(name)]
    return ["", "## Verdict", "", state, "", *listed]


def _offers(record: Record) -> list[str]:
    lines: list[str] = []
    for offer in record.offers:
        lines += ["", f"## Offer {offer.id}", ""]
        lines += [f"- {decision.kind}" for decision in offer.decisions]
        lines += [f"- after {survival.moment}: {survival.kept} of {survival.tokens} tokens are still there" for survival in offer.survivals]
    return lines


def _fenced(text: str, language: str = "") -> list[str]:
    """A code block that its content cannot end."""
    content = text if len(text) <= LONGEST else f"{text[:LONGEST]}\n… {len(text) - LONGEST} characters more"
    fence = "`" * max(3, _longest_run(content) + 1)
    return [f"{fence}{language}", content.rstrip("\n"), fence]


def _quoted(text: str) -> str:
    """Code inside of a line that its content cannot end: nothing that a tool or a policy wrote is read as Markdown."""
    content = " ".join(text.split()) or "-"
    fence = "`" * (_longest_run(content) + 1)
    space = " " if "`" in content else ""
    return f"{fence}{space}{content}{space}{fence}"


def _longest_run(text: str) -> int:
    """Of backticks."""
    return max(map(len, re.findall(r"`+", text)), default=0)
