"""A person's own fix as the answer that the policy should have given: in the form of its preset, to the prompt that it was given.

A correction is known as texts, an answer is a message: `direct` writes one unit anew, `line` replaces a piece of one line, `agent` calls
edit_file. What cannot be said in that form in one message (several files, changes beside the unit that was asked for) is left out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec

from suture_agent.direct.answers import code_in
from suture_agent.direct.units import Unit, definitions, parse, splice, unit_at, unit_named
from suture_agent.episodes.line import replaced
from suture_agent.errors import ToolRefused
from suture_agent.journal.stored import StoredEdit, StoredPatch
from suture_agent.policies import Message, ToolCall
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import lines_with_ends, split_lines
from suture_training.data.conversation import FENCE, Conversation
from suture_training.data.preferences import edits_in
from suture_training.data.rows import LeftOut

_LINE = re.compile(r"\s*(\d{1,5}) ?:")
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_NOWHERE = Path("/workspace")


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What the person would have answered, in the place of the policy's message `at`."""

    at: int
    answer: Message


def correction_of(talk: Conversation, offered: StoredPatch, own: StoredPatch) -> Correction:
    """The person's fix as an answer. Raises LeftOut where it cannot be one."""
    if own.redacted or offered.redacted:
        raise LeftOut("the correction holds a secret")
    if own.edits == offered.edits:
        raise LeftOut("the correction is what was offered")
    if len(own.edits) != 1:
        raise LeftOut("the correction is in several files")
    edit = own.edits[0]
    if talk.tools:
        return _as_call(talk, edit)
    answer = talk.messages[-1].content
    text = _as_unit(answer, edit) if FENCE in answer else _as_line(talk, answer, offered, edit)
    return Correction(at=len(talk.messages) - 1, answer=Message(role="assistant", content=text))


def _as_call(talk: Conversation, edit: StoredEdit) -> Correction:
    """One call of edit_file in the place of the policy's first edit, when the text was still as the person's fix found it."""
    places = edits_in(talk)
    if not places or edit.after is None or edit.before == "":
        raise LeftOut("the correction is no edit of a text")
    search, replace = smallest_replacement(edit.before, edit.after)
    first = talk.messages[places[0]]
    arguments = json.dumps({"path": edit.path, "search": search, "replace": replace}, ensure_ascii=False)
    call = ToolCall(id=first.tool_calls[0].id, name="edit_file", arguments=arguments)
    return Correction(at=places[0], answer=Message(role="assistant", tool_calls=(call,)))


def smallest_replacement(before: str | None, after: str) -> tuple[str, str]:
    """The fewest whole lines that occur once and turn one text into the other when they are replaced; `("", after)` makes a file."""
    if before is None:
        return "", after
    old, new = lines_with_ends(before), lines_with_ends(after)
    start = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    most = min(len(old), len(new)) - start
    end = next((n for n in range(most) if old[-1 - n] != new[-1 - n]), most)
    first, last, grown = start, len(old) - end, len(new) - len(old)
    while first > 0 or last < len(old):
        search, replace = "".join(old[first:last]), "".join(new[first : last + grown])
        if search and before.count(search) == 1 and before.replace(search, replace, 1) == after:
            return search, replace
        first, last = max(0, first - 1), min(len(old), last + 1)
    return before, after


def _as_unit(answer: str, edit: StoredEdit) -> str:
    """The unit that the policy wrote anew, as the person wrote it."""
    tree, before = parse(code_in(answer, "")), parse(edit.before or "")
    if tree is None or before is None or edit.before is None or edit.after is None:
        raise LeftOut("the correction is no edit of the unit that was asked for")
    asked = {name.rpartition(".")[2] for name, _ in definitions(tree)}
    for name, _ in reversed(definitions(before)):
        old = unit_named(edit.path, edit.before, name) if name.rpartition(".")[2] in asked else None
        new = unit_named(edit.path, edit.after, name) if old is not None else None
        if old is not None and new is not None and splice(edit.before, old, new.source) == edit.after:
            return f"{FENCE}python\n{new.source}{FENCE}"
    raise LeftOut("the correction is no edit of the unit that was asked for")


def _as_line(talk: Conversation, answer: str, offered: StoredPatch, edit: StoredEdit) -> str:
    """`NUMBER: OLD => NEW`, where the person too changed one line of the unit that was shown."""
    found, theirs, own = _LINE.match(answer), _only_line(offered.edits[0]), _only_line(edit)
    if found is None or theirs is None or own is None or offered.edits[0].path != edit.path:
        raise LeftOut("the correction is no edit of one line")
    start = theirs - int(found[1]) + 1
    unit = unit_at(edit.path, edit.before or "", own)
    if unit is None or unit.start != start:
        raise LeftOut("the correction is no edit of the unit that was asked for")
    text = line_answer(unit, edit, own)
    shown = f"\n{own - start + 1} {split_lines(unit.source)[own - start]}"
    if text is None or shown not in f"\n{talk.messages[1].content}":
        raise LeftOut("the correction is no edit of one line")
    return text


def line_answer(unit: Unit, edit: StoredEdit, line: int) -> str | None:
    """An edit of one line of a unit as an answer of the preset `line`; None where no piece of the line can be named alone."""
    old, new = (split_lines(text or "")[line].strip() for text in (edit.before, edit.after))
    before, after = _WORD.findall(old), _WORD.findall(new)
    shortest = min(len(before), len(after))
    first = next((n for n in range(shortest) if before[n] != after[n]), shortest)
    last = next((n for n in range(shortest - first) if before[-1 - n] != after[-1 - n]), shortest - first)
    snapshot = Snapshot(_NOWHERE, {edit.path: (edit.before or "").encode()})
    while True:
        words, others = before[first : len(before) - last], after[first : len(after) - last]
        answer = f"{line - unit.start + 1}: {''.join(words)} => {''.join(others)}"
        try:
            patch = replaced(snapshot, unit, answer)
        except ToolRefused:
            patch = None
        if patch is not None and [each.after for each in patch.edits] == [(edit.after or "").encode()]:
            return answer
        if not first and not last:
            return None
        first, last = max(0, first - 1), max(0, last - 1)


def _only_line(edit: StoredEdit) -> int | None:
    """The zero-based line that an edit changes, where it changes one and adds or removes none."""
    old, new = split_lines(edit.before or ""), split_lines(edit.after or "")
    changed = [n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b]
    return changed[0] if len(old) == len(new) and len(changed) == 1 else None
