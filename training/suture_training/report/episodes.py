"""Episodes as a reader goes through them: folded, each message once, the patch with its lines marked."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from suture_training.ledger import read_lines
from suture_training.report.page import folded
from suture_training.report.text import seconds, shown
from suture_training.transcript import FILE, Said, Transcript

ROLLOUTS = "rollouts.jsonl"
MOST = 6
"""Of each kind."""
_KINDS = {"+": "added", "-": "removed", "@": "place"}
_HEADS = ("+++", "---")


class _Trace(msgspec.Struct, frozen=True):
    """What is read of a rollout's tokens: which of them the policy wrote."""

    env_mask: tuple[int, ...] = ()


class _Sample(msgspec.Struct, frozen=True):
    """What is read of a rollout in a group."""

    trace: _Trace = _Trace()
    reward: float | None = None
    masked: str = ""
    hacks: tuple[str, ...] = ()
    outcome: str = ""
    reason: str = ""
    answers: tuple[str, ...] = ()
    seconds: float = 0.0


class _Group(msgspec.Struct, frozen=True):
    """A line of `rollouts.jsonl`: what reinforcement learning keeps of a step's rollouts of one task."""

    step: int
    task: str
    samples: tuple[_Sample, ...]


def episodes_of(folder: Path) -> Iterator[Transcript]:
    """The episodes of a run: its transcripts, or its groups of rollouts, of which there are the policy's answers only."""
    if (folder / FILE).exists():
        yield from read_lines(folder / FILE, Transcript)
        return
    for group in read_lines(folder / ROLLOUTS, _Group):
        for number, sample in enumerate(group.samples):
            yield Transcript(
                task=group.task,
                repository="",
                run=number,
                step=group.step,
                reward=sample.reward,
                outcome=sample.outcome,
                reason=sample.masked or sample.reason,
                hacks=sample.hacks,
                said=tuple(Said(role="assistant", text=answer) for answer in sample.answers),
                requests=len(sample.answers),
                completion_tokens=sum(sample.trace.env_mask),
                seconds=sample.seconds,
            )


def best_and_worst(episodes: Iterable[Transcript], most: int = MOST) -> tuple[list[Transcript], list[Transcript]]:
    """The best (highest reward, then fewest requests, latest step) and the worst (hacks first, then lowest reward and most requests).

    Episodes of which nothing can be said are in neither; one of each task, so that a page shows different things. Holds only what it keeps.
    """
    best: dict[str, Transcript] = {}
    worst: dict[str, Transcript] = {}
    for each in episodes:
        if each.reward is None:
            continue
        if each.reward > 0 and (each.task not in best or _goodness(each) > _goodness(best[each.task])):
            best[each.task] = each
        if each.reward <= 0 and (each.task not in worst or _badness(each) > _badness(worst[each.task])):
            worst[each.task] = each
    return sorted(best.values(), key=_goodness, reverse=True)[:most], sorted(worst.values(), key=_badness, reverse=True)[:most]


def drawn(episodes: Sequence[Transcript], count: int, seed: int = 0) -> list[Transcript]:
    """A random sample to be read by a person: the same one every time."""
    return random.Random(seed).sample(list(episodes), min(count, len(episodes)))  # noqa: S311  # a sample, no secret


def listed(episodes: Sequence[Transcript]) -> str:
    """Episodes one below the other."""
    return "\n".join(map(episode, episodes))


def episode(each: Transcript) -> str:
    """One episode."""
    where = f"step {each.step}" if each.step >= 0 else f"run {each.run + 1}"
    hacks = f", refused by the guard: {', '.join(each.hacks)}" if each.hacks else ""
    home = f"{each.repository} · " if each.repository else ""
    remark = f"{home}{where} · {each.outcome}{hacks} · {each.requests} requests, {seconds(each.seconds)}"
    reason = f"<p>{shown(each.reason)}</p>" if each.reason else ""
    patch = f"<h3>Patch</h3>{diff(each.diff)}" if each.diff else ""
    said = "".join(map(_said, each.said)) or "<p>Nothing was asked.</p>"
    return folded(each.task, f"{reason}{patch}<h3>Conversation</h3>{said}", remark)


def diff(text: str) -> str:
    """A unified diff with its lines marked."""
    lines = (f'<span class="{_kind(line)}">{shown(line) or " "}</span>' for line in text.splitlines())
    return f"<pre>{''.join(lines)}</pre>"


def _kind(line: str) -> str:
    return "same" if line.startswith(_HEADS) else _KINDS.get(line[:1], "same")


def _said(said: Said) -> str:
    note = f" · {shown(said.note)}" if said.note else ""
    reasoning = folded("thinking", f"<pre>{shown(said.reasoning)}</pre>") if said.reasoning else ""
    text = f"<pre>{shown(said.text)}</pre>" if said.text else ""
    calls = "".join(f"<pre><b>{shown(name)}</b> {shown(arguments)}</pre>" for name, arguments in said.calls)
    return f'<div class="said {shown(said.role)}"><b>{shown(said.role)}{note}</b>{reasoning}{text}{calls}</div>'


def _goodness(each: Transcript) -> tuple[float, int, int]:
    return each.reward or 0.0, -each.requests, each.step


def _badness(each: Transcript) -> tuple[bool, float, int, int]:
    return bool(each.hacks), -(each.reward or 0.0), each.requests, each.step
