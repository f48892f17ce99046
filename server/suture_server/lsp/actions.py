"""Code actions: one entry a problem, last in the list, never preferred, and with an edit only where it is proven.

Everything here is answered from memory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lsprotocol import types

from suture_sandbox.findings import Finding
from suture_sandbox.text import Range
from suture_server.lsp import convert
from suture_server.lsp.documents import Document
from suture_server.lsp.findings import Problem, Tracked
from suture_server.lsp.offers import Offer
from suture_server.lsp.protocol import json_object
from suture_server.lsp.root import Root

QUICK_FIX = str(types.CodeActionKind.QuickFix.value)
FIX_FILE = "source.suture.fixFile"
FIX_WORKSPACE = "source.suture.fixWorkspace"
KINDS = (QUICK_FIX, FIX_FILE, FIX_WORKSPACE)
"""Not below `source.fixAll`: editors run that on save, and nobody wants an agent started by saving."""

TOOLS = {
    "pyright": "pyright",
    "basedpyright": "pyright",
    "pylance": "pyright",
    "mypy": "mypy",
    "dmypy": "mypy",
    "ruff": "ruff",
    "flake8": "flake8",
    "pytest": "pytest",
    "unittest": "unittest",
}
"""Source of another server's diagnostic, in small letters -> the tool whose check shows the same."""
MOST_FOREIGN = 3
"""Entries for other servers' diagnostics in one list."""

_SCOPE = re.compile(r"(\s*)(?:(class)|(?:async\s+)?def)\s+(\w+)")
_QUOTED = re.compile(r"#.*|\"{3}|'{3}|\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?")
_CONTINUES = (")", "]", "}", "#")
"""Beginnings of lines whose indentation says nothing."""
_LONGEST_DECORATORS = 50


def code_actions(root: Root, path: str, document: Document, params: types.CodeActionParams) -> list[types.CodeAction | types.Command]:
    """The actions for a place in a document."""
    wanted = params.context.only
    can = root.client.can
    actions: list[types.CodeAction] = []
    if _wants(wanted, QUICK_FIX):
        actions += _quick_fixes(root, path, document, params)
    if wanted is not None or params.range.start == params.range.end:
        actions += [each for kind in (FIX_FILE, FIX_WORKSPACE) if _wants_exactly(wanted, kind) for each in _fix_all(root, path, kind)]
    if not can.code_action_literals:
        return [action.command for action in actions if action.command is not None and action.disabled is None]
    return [action for action in actions if can.disabled or action.disabled is None]


def offers_among(root: Root, found: Sequence[types.CodeAction | types.Command]) -> list[Offer]:
    """The offers that a list of actions shows, ready to be taken."""
    commands = [each.command if isinstance(each, types.CodeAction) else each for each in found]
    given = [json_object(each.arguments[0]) for each in commands if each is not None and each.arguments]
    offers = [root.offers.get(str(each["offer"])) for each in given if "offer" in each]
    return [offer for offer in offers if offer is not None and not offer.seen]


def resolve(root: Root, action: types.CodeAction) -> types.CodeAction:
    """Give an action its edit, if its offer still stands."""
    offer = root.offers.get(str(json_object(action.data).get("offer")))
    if offer is not None and root.offers.fits(offer):
        action.edit = root.offers.edit(offer)
    return action


def _quick_fixes(root: Root, path: str, document: Document, params: types.CodeActionParams) -> list[types.CodeAction]:
    given = params.context.diagnostics
    problems = _problems_at(root, path, document, params)
    actions = [_for_problem(root, problem, _about(problem, given)) for problem in problems]
    if not root.unable():
        return actions + _for_others(root, path, document, given, problems)
    return actions


def _problems_at(root: Root, path: str, document: Document, params: types.CodeActionParams) -> list[Problem]:
    """The problems that show on these lines, that the client names, or that the test around the cursor is about."""
    findings, known = root.checking.findings, root.checking.findings.problems
    marks = [each.mark for each in findings.between(path, params.range.start.line, params.range.end.line)]
    marks += [str(_mark_of(each)) for each in params.context.diagnostics if each.source == convert.SOURCE]
    test = test_around(document, params.range.start.line)
    if test:
        marks += [each.mark for each in findings.at(path) if _is_of(each.finding, path, test)]
    return [known[mark] for mark in dict.fromkeys(marks) if mark in known]


def _for_problem(root: Root, problem: Problem, diagnostics: Sequence[types.Diagnostic]) -> types.CodeAction:
    """The one entry of a problem: its proven edit, or the offer to look for one, or why neither can be had."""
    offer = root.offers.of(problem.mark)
    if offer is not None:
        return _for_offer(root, offer, diagnostics)
    title = f"Fix with agent ({problem.check})"
    job = root.jobs.of(problem.mark)
    if job is not None and not job.background:
        return _action(root, title, diagnostics, disabled=f"an agent is at work: {job.said()}")
    unable = root.unable()
    if unable:
        return _action(root, title, diagnostics, disabled=unable)
    arguments = {"root": convert.uri_of(root.path), "problem": problem.mark}
    return _action(root, title, diagnostics, command=types.Command(title=title, command="suture.fix", arguments=[arguments]))


def _for_offer(root: Root, offer: Offer, diagnostics: Sequence[types.Diagnostic]) -> types.CodeAction:
    """A proven edit. The command after it tells that it was applied; clients that do not run it are understood from the text.

    A client that could leave an edit of several files half applied gets the command that applies it: that one looks at what came of it.
    """
    title = offer.told.title
    if not root.offers.fits(offer):
        return _action(root, title, diagnostics, disabled="the text has changed, and the fix is being proven again")
    can = root.client.can
    by_command = not can.code_action_literals or (can.apply_edit and not root.offers.applied_whole(offer.patch))
    try:
        edit = None if can.resolves_edits and can.data and not by_command else root.offers.edit(offer)
    except convert.Unsendable as error:
        return _action(root, title, diagnostics, disabled=str(error))
    if by_command:
        arguments = {"offer": offer.id, "tell": True}
        return _action(root, title, diagnostics, command=types.Command(title=title, command="suture.accept", arguments=[arguments]))
    action = _action(root, title, diagnostics)
    action.edit = edit
    action.data = {"offer": offer.id, "root": convert.uri_of(root.path)} if can.data else None
    if can.apply_edit:  # ALE, which cannot, runs the command of an action that has one and leaves out the edit
        action.command = types.Command(title=title, command="suture.accepted", arguments=[{"offer": offer.id}])
    return action


def _for_others(
    root: Root, path: str, document: Document, given: Sequence[types.Diagnostic], problems: Sequence[Problem]
) -> list[types.CodeAction]:
    """Entries for other servers' diagnostics that none of our problems is about."""
    ours = {each.start.line for problem in problems for each in problem.findings if each.finding.path == path}
    actions: list[types.CodeAction] = []
    for diagnostic in given:
        if diagnostic.source in (None, convert.SOURCE) or diagnostic.range.start.line in ours or len(actions) == MOST_FOREIGN:
            continue
        judge = judged_by(root, diagnostic)
        if judge is None:
            continue
        check, reproduces = judge
        how = check if reproduces else f"judged by {check}: no check here shows this"
        arguments = {"uri": document.uri, "range": _plain_range(diagnostic.range), "diagnostic": _plain(diagnostic)}
        title = f"Fix with agent ({diagnostic.source}; {how})"
        command = types.Command(title=title, command="suture.fix", arguments=[arguments])
        actions.append(_action(root, title, [diagnostic], command=command))
    return actions


def judged_by(root: Root, diagnostic: types.Diagnostic) -> tuple[str, bool] | None:
    """The check that shows another server's diagnostic too, and True; else the project's best check, and False."""
    source = (diagnostic.source or "").lower()
    tool = next((tool for name, tool in TOOLS.items() if source.startswith(name)), "")
    for check in root.checks:
        if tool and check.tool == tool:
            return check.name, True
    for kind in ("tests", "types", "build", "lint"):
        for check in root.checks:
            if check.kind == kind:
                return check.name, False
    return None


def foreign_finding(root: Root, uri: str, diagnostic: dict[str, Any], document: Document) -> Finding | None:
    """Another server's diagnostic, as a command carries it, as a finding of the check that decides about it."""
    given = root.session.structured(diagnostic, types.Diagnostic)
    placed = root.session.place(uri)
    judge = judged_by(root, given)
    if placed is None or judge is None:
        return None
    encoding = root.client.can.encoding
    where = Range(document.utf16(given.range.start, encoding), document.utf16(given.range.end, encoding))
    code = str(given.code) if given.code is not None else ""
    return Finding(check=judge[0], path=placed[1], range=where, code=code, message=given.message)


def _fix_all(root: Root, path: str, kind: str) -> list[types.CodeAction]:
    """`Fix all in file` or `in workspace`, where there is something to fix."""
    problems = problems_of(root, path if kind == FIX_FILE else None)
    if not problems:
        return []
    where = "file" if kind == FIX_FILE else "workspace"
    title = f"Fix all in {where} with agent ({len(problems)} {'problem' if len(problems) == 1 else 'problems'})"
    arguments = {"uri": convert.uri_of(root.path / path)} if kind == FIX_FILE else {"root": convert.uri_of(root.path)}
    unable = root.unable()
    command = None if unable else types.Command(title=title, command="suture.fixAll", arguments=[arguments])
    return [_action(root, title, (), kind=kind, command=command, disabled=unable)]


def problems_of(root: Root, path: str | None) -> list[Problem]:
    """The problems of a file, or of the whole workspace, that have no offer yet."""
    known = root.checking.findings.problems.values()
    return [each for each in known if (path is None or path in each.paths) and root.offers.of(each.mark) is None]


def problems_below(root: Root, path: str) -> list[Problem]:
    """The problems of a file, or of the files below a folder."""
    known = root.checking.findings.problems.values()
    return [each for each in known if any(one == path or one.startswith(f"{path}/") for one in each.paths)]


def problems_in_lines(root: Root, path: str, document: Document, first: int, last: int) -> list[Problem]:
    """The problems that show on some lines, or of the tests that the scope around the first of them is or has: a test, or a class."""
    findings, known = root.checking.findings, root.checking.findings.problems
    scope = scope_around(document, first)
    marks = [each.mark for each in findings.between(path, first, last)]
    marks += [each.mark for each in findings.at(path) if scope and _is_within(each.finding, path, scope)]
    return [known[mark] for mark in dict.fromkeys(marks) if mark in known]


def _action(
    root: Root,
    title: str,
    diagnostics: Sequence[types.Diagnostic],
    *,
    kind: str = QUICK_FIX,
    command: types.Command | None = None,
    disabled: str = "",
) -> types.CodeAction:
    return types.CodeAction(
        title=title,
        kind=types.CodeActionKind.QuickFix if kind == QUICK_FIX else kind,
        diagnostics=list(diagnostics) or None,
        command=command,
        disabled=types.CodeActionDisabled(reason=disabled) if disabled else None,
        tags=[types.CodeActionTag.LlmGenerated] if root.client.can.llm_tag else None,
    )


def _about(problem: Problem, given: Sequence[types.Diagnostic]) -> list[types.Diagnostic]:
    """Those of the client's diagnostics that a problem is about: ours by their mark, others by line and code or message."""
    return [each for each in given if _mark_of(each) == problem.mark or any(_says_the_same(each, one) for one in problem.findings)]


def _mark_of(diagnostic: types.Diagnostic) -> object:
    return json_object(diagnostic.data).get("mark")


def _says_the_same(diagnostic: types.Diagnostic, tracked: Tracked) -> bool:
    finding = tracked.finding
    if diagnostic.range.start.line != tracked.start.line:
        return False
    if diagnostic.source == convert.SOURCE:
        return diagnostic.message == convert.message_of(finding)
    return (diagnostic.code is not None and str(diagnostic.code) == finding.code) or diagnostic.message[:30] == finding.message[:30]


def test_around(document: Document, line: int) -> str:
    """`test_name` or `TestClass::test_name` of the test around a line, from the text alone; empty where there is none."""
    return _test_of(_scopes_around(document, line))


def scope_around(document: Document, line: int) -> str:
    """The test around a line, else the class; empty where there is neither."""
    scopes = _scopes_around(document, line)
    return _test_of(scopes) or "::".join(name for _, name, is_class in scopes if is_class)


def _scopes_around(document: Document, line: int) -> list[tuple[int, str, bool]]:
    """Indentation, name, and whether it is a class, of the scopes around a line, the outermost first."""
    scopes: list[tuple[int, str, bool]] = []
    quote, decorating = "", False
    for number, text in enumerate(document.lines):
        if number > line and (not decorating or number > line + _LONGEST_DECORATORS):
            break
        inside, quote = bool(quote), _quote_after(text, quote)
        bare = text.lstrip()
        if inside or not bare or bare.startswith(_CONTINUES):
            continue
        indent, head = len(text) - len(bare), _SCOPE.match(text)
        decorating = bare[0] == "@" or (decorating and head is None)
        while scopes and scopes[-1][0] >= indent:
            scopes.pop()
        if head is not None:
            scopes.append((indent, head[3], head[2] is not None))
    return scopes


def _quote_after(text: str, quote: str) -> str:
    """The triple quotes that are open behind a line, where `quote` were before it."""
    if not quote and '"""' not in text and "'''" not in text:
        return ""
    at = 0
    while True:
        if quote:
            at = text.find(quote, at)
            if at < 0:
                return quote
            at, quote = at + 3, ""
        found = _QUOTED.search(text, at)
        if found is None:
            return ""
        at = found.end()
        quote = found[0] if found[0] in ('"""', "'''") else ""


def _test_of(scopes: Sequence[tuple[int, str, bool]]) -> str:
    """The test that these scopes are, or are in: classes, and a function whose name begins with `test`."""
    names: list[str] = []
    for _, name, is_class in scopes:
        names.append(name)
        if not is_class:
            return "::".join(names) if name.startswith("test") else ""
    return ""


def _is_of(finding: Finding, path: str, test: str) -> bool:
    """Whether a finding is a failure of that test of that file, whatever its parameters."""
    return finding.test.split("[", 1)[0] == f"{path}::{test}"


def _is_within(finding: Finding, path: str, scope: str) -> bool:
    """Whether it is a failure of that test, or of one in that class."""
    return f"{finding.test.split('[', 1)[0]}::".startswith(f"{path}::{scope}::")


def _wants(only: Sequence[types.CodeActionKind | str] | None, kind: str) -> bool:
    if only is None:
        return True
    asked = [str(each.value) if isinstance(each, types.CodeActionKind) else each for each in only]
    return any(each in ("", kind) or kind.startswith(f"{each}.") for each in asked)


def _wants_exactly(only: Sequence[types.CodeActionKind | str] | None, kind: str) -> bool:
    """As `_wants`; where nothing is asked for in particular, source actions stay in their own menu, as other servers' do."""
    return only is not None and _wants(only, kind)


def _plain_range(given: types.Range) -> dict[str, Any]:
    return {
        "start": {"line": given.start.line, "character": given.start.character},
        "end": {"line": given.end.line, "character": given.end.character},
    }


def _plain(diagnostic: types.Diagnostic) -> dict[str, Any]:
    """What a command carries of a diagnostic."""
    return {
        "range": _plain_range(diagnostic.range),
        "message": diagnostic.message,
        "source": diagnostic.source,
        **({"code": diagnostic.code} if diagnostic.code is not None else {}),
    }
