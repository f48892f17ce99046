"""Which of several answers became the patch. The journal keeps the answers and the patch, not which of them it was.

The preset `direct` draws several answers and proves them one by one; the patch is one of them spliced into the file, under the unit's own
head, with imports completed. So the functions that the patch changed are compared with those of each answer, as syntax trees.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from suture_agent.direct.answers import code_in, without_remark
from suture_agent.direct.asking import REMARK
from suture_agent.direct.units import definitions, parse
from suture_agent.journal.stored import StoredEdit, StoredPatch


def winner(answers: Sequence[str], prefill: str, patch: StoredPatch) -> int | None:
    """Index of the first answer whose code the patched text has and the text before it had not; None where there is none."""
    codes = [without_remark(code_in(answer, prefill), REMARK) for answer in answers]
    for edit in patch.edits:
        changed = set(_functions(edit.after)) - set(_functions(edit.before))
        for number, code in enumerate(codes):
            if changed.intersection(_functions(code)) if changed else _stands(code, edit):
                return number
    return None


def _functions(text: str | None) -> Iterator[str]:
    """The functions of a text, each as its syntax tree written out."""
    tree = parse(text) if text else None
    if tree is not None:
        yield from (ast.dump(node) for _, node in definitions(tree) if not isinstance(node, ast.ClassDef))


def _stands(code: str, edit: StoredEdit) -> bool:
    """Whether code without functions is in the patched text, white space aside, and was not before."""
    wanted = "".join(code.split())
    before, after = ("".join((text or "").split()) for text in (edit.before, edit.after))
    return bool(wanted) and wanted in after and wanted not in before
