"""Candidates made by rule: small edits that mend common mistakes, in the manner of template-based program repair.

The operators follow the fix patterns that Liu et al. collected ("TBar: Revisiting Template-based Automated Program Repair", ISSTA 2019) and
Python's own habits (await, iterators used twice, mutable defaults, removed standard names). They complement a small policy, which
often repeats a function unchanged. Like its answers they are proposals only: each goes through the same verdict.

Every operator is a plain generator from a scene to new sources; edits replace a node's own characters, so that the rest keeps its form.
One file a kind of mistake; one line each in `OPERATORS`.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Mapping, Sequence

import msgspec

from suture_agent.direct.templates import (
    calls,
    checked,
    classes,
    containers,
    control,
    definitions,
    flow,
    habits,
    lint,
    managers,
    missing,
    names,
    operands,
    operators,
    removed,
    tasks,
    texts,
    times,
    told,
    values,
)
from suture_agent.direct.templates.scene import Around, Found, Scene
from suture_agent.direct.templates.syntax import syntax
from suture_agent.direct.units import Unit, parse

__all__ = ["OPERATORS", "Around", "Edit", "Scene", "edits"]

MOST_CANDIDATES = 800
MOST_OF_ONE = 300
"""Candidates of one operator: a long expression has many thousands."""


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate: the unit's new source."""

    rule: str
    source: str
    line: int
    """Zero-based line in the unit that it is about."""
    weight: float
    """How likely such an edit is, against the others."""


OPERATORS: Mapping[str, Callable[[Scene], Found]] = {
    "compare": operators.compare,
    "chains": operators.chains,
    "arithmetic": operators.arithmetic,
    "bits": operators.bits,
    "logic": operators.logic,
    "numbers": operators.numbers,
    "bounds": operators.bounds,
    "steps": operators.steps,
    "cuts": operators.cuts,
    "extremes": operators.extremes,
    "ordering": operators.ordering,
    "places": operators.places,
    "patterns": operators.patterns,
    "groups": texts.groups,
    "flags": texts.flags,
    "encodings": texts.encodings,
    "opened": texts.opened,
    "shapes": texts.shapes,
    "zones": times.zones,
    "tokens": times.tokens,
    "grouping": values.grouping,
    "starts": values.starts,
    "limits": values.limits,
    "sameness": values.sameness,
    "presence": values.presence,
    "shares": values.shares,
    "noted": values.noted,
    "together": values.together,
    "bounded": values.bounded,
    "units": values.units,
    "handed-out": containers.handed_out,
    "deep": containers.deep,
    "first-time": containers.first_time,
    "hashable": containers.hashable,
    "sorting": containers.sorting,
    "heaps": containers.heaps,
    "concurrent": tasks.concurrent,
    "told-done": tasks.told_done,
    "caught": tasks.caught,
    "names": names.names,
    "removed": removed.removed,
    "forgotten": removed.forgotten,
    "moved": removed.moved,
    "variables": names.variables,
    "members": names.members,
    "everywhere": names.everywhere,
    "functions": names.functions,
    "tables": names.tables,
    "fields": names.fields,
    "shadowed": names.shadowed,
    "calls": calls.calls,
    "arguments": calls.arguments,
    "copies": calls.copies,
    "results": calls.results,
    "rewritten": calls.rewritten,
    "lookups": calls.lookups,
    "loops": calls.loops,
    "conversions": calls.conversions,
    "formats": calls.formats,
    "waiting": tasks.waiting,
    "coroutines": tasks.coroutines,
    "blocks": tasks.blocks,
    "regular": calls.regular,
    "exceptions": control.exceptions,
    "converted": control.converted,
    "statements": control.statements,
    "cleanup": control.cleanup,
    "guards": control.guards,
    "base-cases": control.base_cases,
    "checks-before": control.checks_before,
    "defaults": control.defaults,
    "leaving": control.leaving,
    "binding": control.binding,
    "words": control.words,
    "afterwards": control.afterwards,
    "signature": definitions.signature,
    "inherited": definitions.inherited,
    "overridden": definitions.overridden,
    "compared": definitions.compared,
    "end-of-with": definitions.leaving,
    "closures": definitions.closures,
    "shared": definitions.shared,
    "own-class": definitions.own_class,
    "kept": definitions.kept,
    "options": definitions.options,
    "undefined": told.undefined,
    "attributes": told.attributes,
    "called": told.called,
    "keywords": told.keywords,
    "positional": told.positional,
    "parameters": told.parameters,
    "keys": told.keys,
    "imports": told.imports,
    "modules": told.modules,
    "operands": operands.operands,
    "relative": told.relative,
    "returned": checked.returned,
    "given": checked.given,
    "annotated": checked.annotated,
    "renamed": checked.renamed,
    "generated": checked.generated,
    "unreturned": checked.unreturned,
    "untyped": checked.untyped,
    "supertype": checked.supertype,
    "items": checked.items,
    "superfluous": checked.superfluous,
    "missing-values": checked.missing_values,
    "habits": habits.habits,
    "bases": classes.bases,
    "misnamed": classes.misnamed,
    "extended": classes.extended,
    "upwards": classes.upwards,
    "owed": classes.owed,
    "decorated": managers.decorated,
    "records": classes.records,
    "managed": managers.managed,
    "elements": flow.elements,
    "too-early": flow.too_early,
    "handlers": flow.handlers,
    "raises-now": flow.raises_now,
    "frozen-keys": flow.frozen_keys,
    "in-place": flow.in_place,
    "left-over": missing.left_over,
    "counted": missing.counted,
    "stored": missing.stored,
    "remembered": missing.remembered,
    "stopped": missing.stopped,
    "mirrored": missing.mirrored,
    "clauses": missing.clauses,
    "in-order": missing.in_order,
    "walked": tasks.walked,
    "held": tasks.held,
    "lint": lint.lint,
}
"""Name -> operator."""


def edits(
    unit: Unit,
    *,
    raised: Sequence[str] = (),
    lines: frozenset[int] = frozenset(),
    said: str = "",
    pointed: int | None = None,
    around: Around | None = None,
    most: int = MOST_CANDIDATES,
) -> tuple[Edit, ...]:
    """Candidates for a unit, most likely first. `lines`: the unit's lines that ran in the failing tests; others count less."""
    tree = parse(unit.source)
    if tree is None:
        broken = {
            source: Edit(rule="syntax", source=source, line=line, weight=weight) for source, line, weight in syntax(unit.source, pointed)
        }
        return tuple(sorted(broken.values(), key=lambda edit: -edit.weight)[:most])
    if not tree.body:
        return ()
    scene = Scene(unit=unit, source=unit.source, tree=tree, raised=tuple(raised), said=said, pointed=pointed, around=around or Around())
    refusing = _refusals(tree)
    head = scene.body[0].lineno - 1 if scene.body else 0
    found: dict[str, Edit] = {}
    for rule, operator in OPERATORS.items():
        for source, line, weight in itertools.islice(operator(scene), MOST_OF_ONE):
            ran = (1.0 if not lines or line in lines or line < head else 0.4) * (0.6 if line in refusing else 1.0)
            if source != unit.source and (source not in found or found[source].weight < weight * ran):
                found[source] = Edit(rule=rule, source=source, line=line, weight=weight * ran)
    ranked = sorted(found.values(), key=lambda edit: -edit.weight)
    valid: list[Edit] = []
    for edit in ranked:
        if len(valid) == most:
            break
        if parse(edit.source) is not None:
            valid.append(edit)
    return tuple(valid)


def _refusals(tree: ast.Module) -> set[int]:
    """Lines of conditions that only raise: a refusal says where a mistake is noticed, and seldom is one."""
    branches = [node for node in ast.walk(tree) if isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise) and not node.orelse]
    return {node.lineno - 1 for node in branches}
