"""An episode as a page: the body of a HTML document, for editors that show one. What it looks like is the editor's.

Everything that a workspace, a tool or a policy wrote is escaped here. No scripts, no styles, no addresses: long parts fold by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from suture_agent.journal.queries import Record
from suture_agent.journal.stored import StoredTurns
from suture_agent.pipelines import OuterStep
from suture_server.markup import code, diff, plain


def page(record: Record) -> str:
    """What failed, what came of it, the patch, the verdict, and what was said."""
    about = (_head(record), _findings(record), _offers(record), _patch(record), _verdict(record))
    parts = (*about, _course(record), _conversation(record.conversation))
    return "\n".join(each for each in parts if each)


def _head(record: Record) -> str:
    line = record.line
    reason = f" <span>{plain(line.reason)}</span>" if line.reason else ""
    made = datetime.fromtimestamp(line.created, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")
    facts = {
        "when": made,
        "took": f"{line.seconds:.1f} s, {line.steps} {'request' if line.steps == 1 else 'requests'}",
        "tokens": f"{line.prompt_tokens} in, {line.completion_tokens} out",
        "policy": line.policy,
        "environment": line.environment[:12],
        "harness": line.harness[:12],
        "episode": line.id,
    }
    listed = "".join(f"<dt>{name}</dt><dd>{plain(value)}</dd>" for name, value in facts.items())
    outcome = f'<p class="outcome {plain(line.outcome)}"><strong>{plain(line.outcome)}</strong>{reason}</p>'
    return f"<h1>Repair of {plain(line.check)}</h1>\n{outcome}\n<dl>{listed}</dl>"


def _findings(record: Record) -> str:
    if not record.findings:
        return ""
    return f"<h2>What failed</h2>\n<ul>{''.join(map(_finding, record.findings))}</ul>"


def _finding(finding: dict[str, object]) -> str:
    """Place, test and the whole message; the message is what a reader looks for."""
    line = finding["range"][0][0] + 1  # type: ignore[index]  # ((line, character), (line, character)), as the journal keeps it
    place = f"<code>{plain(str(finding['path']))}:{line}</code>"
    test = f" <code>{plain(str(finding['test']))}</code>" if finding.get("test") else ""
    return f"<li>{place}{test}{code(str(finding['message']))}</li>"


def _offers(record: Record) -> str:
    lists = [
        [
            *(
                f"<li>{plain(each.kind.replace('_', ' '))}{plain(f': {each.reason}' if each.reason else '')}</li>"
                for each in offer.decisions
            ),
            *(f"<li>after {plain(each.moment)}: {each.kept} of {each.tokens} tokens are still there</li>" for each in offer.survivals),
        ]
        for offer in record.offers
    ]
    shown = [f"<ul>{''.join(each) or '<li>not decided yet</li>'}</ul>" for each in lists]
    return f"<h2>What became of it</h2>\n{''.join(shown)}" if shown else ""


def _patch(record: Record) -> str:
    return f"<h2>Patch</h2>\n{diff(record.diff)}" if record.diff else ""


def _verdict(record: Record) -> str:
    if not record.verdict:
        return ""
    verdict = record.verdict
    state = f"Proven in {verdict['reruns']} runs." if verdict["passed"] else f"Refused: {verdict['reason']}"
    listed = (f"<li>{name}: {_codes(verdict[name])}</li>" for name in ("fixed", "broken", "flaky") if verdict.get(name))
    return f"<h2>Verdict</h2>\n<p>{plain(state)}</p>\n<ul>{''.join(listed)}</ul>"


def _course(record: Record) -> str:
    """What the outer loop did, step by step, and what a judge said."""
    if record.course is None:
        return ""
    steps = "".join(map(_step, record.course.steps))
    judged = "".join(
        f"<li>judge <strong>{'accepted' if each.accepted else 'refused'}</strong> {plain(each.reason)}</li>"
        for each in record.course.judged
    )
    return "<h2>Course</h2>\n" + (f"<ul>{steps}</ul>" if steps else "") + (f"<ul>{judged}</ul>" if judged else "")


def _step(step: OuterStep) -> str:
    shown = f", shown the fix of <code>{plain(step.candidate)}</code>" if step.candidate else ""
    ended = f"<p>{plain(step.seen or 'ended')}: {plain(step.reason)}</p>" if step.reason else ""
    head = f"<strong>{plain(step.outcome)}</strong>, attempt {step.attempt + 1}{shown}: <code>{plain(step.error)}</code>"
    return f"<li>{head}<p>chosen because {plain(step.why)}</p>{ended}</li>"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"<code>{plain(each)}</code>" for each in names)


def _conversation(turns: StoredTurns | None) -> str:
    """Each message once, in the order in which it came up; what the policy was told is folded, what it answered is open."""
    if turns is None:
        return "<h2>Conversation</h2>\n<p>It was not kept (journal level <code>metadata</code>).</p>"
    if not turns.turns:
        return "<h2>Conversation</h2>\n<p>The policy was not asked.</p>"
    parts, said = ["<h2>Conversation</h2>"], set[int]()
    for number, turn in enumerate(turns.turns, 1):
        for index in turn.messages:
            if index not in said:
                said.add(index)
                parts.append(_folded(turns.messages[index].role, code(turns.messages[index].content)))
        for which, choice in enumerate(turn.choices, 1):
            several = f", answer {which} of {len(turn.choices)}" if len(turn.choices) > 1 else ""
            calls = "".join(f"<p>calls <code>{plain(each.name)}</code></p>{code(each.arguments)}" for each in choice.tool_calls)
            text = turn.prefill + choice.text
            parts.append(_folded(f"{turn.by}, request {number}{several}", (code(text) if text else "") + calls, unfolded=True))
    return "\n".join(parts)


def _folded(title: str, content: str, *, unfolded: bool = False) -> str:
    return f"<details{' open' if unfolded else ''}><summary>{plain(title)}</summary>{content}</details>"
