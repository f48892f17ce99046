"""The commands of docs/language-server.md. Each takes one object and answers with one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from suture_server.lsp import actions, convert
from suture_server.lsp.documents import Document
from suture_server.lsp.findings import Problem
from suture_server.lsp.hunks import Hunk, hunks_of, part_of
from suture_server.lsp.offers import Offer, described
from suture_server.lsp.root import Root
from suture_server.lsp.session import Session
from suture_server.lsp.worker_client import UNTRUSTED, WorkerRefused
from suture_server.worker import wire

MOST_EPISODES = 100

Handler = Callable[[Session, dict[str, Any]], Awaitable[Any]]


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """The argument of a command; which of these it needs, each command says."""

    uri: str = ""
    root: str = ""
    problem: str = ""
    offer: str = ""
    job: str | None = None
    episode: str = ""
    reason: str = ""
    files: tuple[str, ...] = ()
    tell: bool = False
    hunks: tuple[str, ...] | None = None
    range: dict[str, Any] | None = None
    diagnostic: dict[str, Any] | None = None


async def check(session: Session, argument: dict[str, Any]) -> dict[str, Any]:
    """Run the checks; answers once they are done."""
    roots = _roots(session, _given(argument))
    if not session.trusted:
        return {"checks": [], "refused": UNTRUSTED}
    refused: list[str] = []
    for root in roots:
        try:
            await root.check()
        except WorkerRefused as error:
            refused.append(str(error))
    checks = [
        {
            "root": convert.uri_of(root.path),
            "name": each.name,
            "status": "infrastructure"
            if each.name in root.checking.broken
            else "passed"
            if each.name in root.checking.passed
            else "failed",
            "findings": root.checking.findings.count(each.name),
        }
        for root in roots
        for each in root.checks
    ]
    return {"checks": checks, **({"refused": "; ".join(refused)} if refused else {})}


async def fix(session: Session, argument: dict[str, Any]) -> dict[str, Any]:
    """Start an episode, or join the one that runs for the same problem."""
    given = _given(argument)
    root = _one_root(session, given)
    if unable := root.unable():
        return {"refused": unable}
    if given.diagnostic is not None:
        return _fix_foreign(session, root, given, given.diagnostic)
    problem = root.checking.findings.problems.get(given.problem)
    if problem is None:
        return {"refused": "the failure is not there any more"}
    if (offer := root.offers.of(problem.mark)) is not None:
        return {"offer": offer.id, "state": offer.state}
    job, state = root.jobs.start(problem.mark, wire.Wanted(mark=problem.mark), f"Fix with agent ({problem.check})")
    return {"job": job.id, "state": state}


def _fix_foreign(session: Session, root: Root, given: Given, diagnostic: dict[str, Any]) -> dict[str, Any]:
    """Another server's diagnostic: the problem that says the same, else one of its own that the project's checks decide."""
    document = session.documents.get(given.uri)
    finding = actions.foreign_finding(root, given.uri, diagnostic, document) if document is not None else None
    if finding is None:
        return {"refused": "the document is not open, or no check of the workspace could decide"}
    mark = f"{finding.path}:{finding.range.start.line}:{finding.code}:{finding.message}"
    job, state = root.jobs.start(mark, wire.Wanted(finding=finding), f"Fix with agent ({diagnostic.get('source') or finding.check})")
    return {"job": job.id, "state": state}


async def fix_all(session: Session, argument: dict[str, Any]) -> dict[str, Any]:
    """Start one episode a problem; each is decided on its own.

    The checks run first where they have not run yet, and for a place, such as a test in an editor's own list, where nothing is known of it.
    """
    given = _given(argument)
    root = _one_root(session, given)
    if unable := root.unable():
        return {"jobs": [], "offers": [], "refused": unable}
    problems = _wanted(session, root, given)
    if not problems and (given.range is not None or root.checking.checked < 0):
        try:
            await root.check()
        except WorkerRefused as error:
            return {"jobs": [], "offers": [], "refused": str(error)}
        if not (problems := _wanted(session, root, given)) and given.range is not None:
            return {"jobs": [], "offers": [], "refused": "no check of the workspace shows a failure there"}
    offers = {each.mark: root.offers.of(each.mark) for each in problems}
    missing = [each for each in problems if offers[each.mark] is None]
    started = [root.jobs.start(each.mark, wire.Wanted(mark=each.mark), f"Fix with agent ({each.check})")[0].id for each in missing]
    return {"jobs": started, "offers": [each.id for each in offers.values() if each is not None]}


def _wanted(session: Session, root: Root, given: Given) -> list[Problem]:
    """The problems of a workspace, of a folder or a file in it, or of a place in a file."""
    placed = session.place(given.uri) if given.uri else None
    if placed is None or convert.path_of(given.uri) == str(root.path):
        return list(root.checking.findings.problems.values())
    path = placed[1]
    if given.range is None:
        return actions.problems_below(root, path)
    document = session.documents.get(given.uri) or _unopened(root, path)
    where = session.structured(given.range, types.Range)
    return actions.problems_in_lines(root, path, document, where.start.line, where.end.line)


def _unopened(root: Root, path: str) -> Document:
    """A document as it lies on the disk."""
    text = (root.buffers.on_disk(path) or b"").decode("utf-8-sig", "replace")
    return Document(convert.uri_of(root.path / path), "python", 0, text)


async def cancel(session: Session, argument: dict[str, Any]) -> dict[str, Any]:
    """Cancel one job or all; they are dead when this answers."""
    given = _given(argument)
    return {"cancelled": sum(await asyncio.gather(*(root.jobs.cancel(given.job) for root in session.roots)))}


async def offers(session: Session, argument: dict[str, Any]) -> list[dict[str, Any]]:
    """The offers that stand."""
    told = [described(offer, root) for root in _roots(session, _given(argument)) for offer in root.offers.standing()]
    return msgspec.to_builtins(told)  # type: ignore[no-any-return]  # a list of objects


async def diff(session: Session, argument: dict[str, Any]) -> dict[str, Any]:
    """An offer's texts before and after, with the single changes between them; after only some of these where they are named."""
    given = _given(argument)
    root, offer = _offer(session, given)
    every = hunks_of(offer.patch)
    taken = {each.id for each in every if given.hunks is None or each.id in given.hunks}
    part = part_of(offer.patch, taken)
    after = {edit.path: edit.after for edit in part.edits}
    files = [
        {
            "uri": convert.uri_of(root.path / edit.path),
            "path": edit.path,
            "before": _text(edit.before),
            "after": _text(after.get(edit.path, edit.before)),
            "hunks": _described([each for each in every if each.path == edit.path], taken),
        }
        for edit in offer.patch.edits
    ]
    return {"files": files, "diff": part.diff()}


def _described(hunks: Sequence[Hunk], taken: Collection[str]) -> list[dict[str, Any]]:
    """The changes of one file, with the lines that each has before it and after those that are taken."""
    told: list[dict[str, Any]] = []
    shift = 0
    for hunk in hunks:
        lines = len(hunk.added) if hunk.id in taken else len(hunk.removed)
        told.append(
            {
                "id": hunk.id,
                "taken": hunk.id in taken,
                "before": {"start": hunk.start, "end": hunk.end},
                "after": {"start": hunk.start + shift, "end": hunk.start + shift + lines},
                "removed": "".join(hunk.removed),
                "added": "".join(hunk.added),
            }
        )
        shift += lines - len(hunk.removed)
    return told


async def seen(session: Session, argument: dict[str, Any]) -> None:
    """The person looks at an offer."""
    root, offer = _offer(session, _given(argument))
    await root.offers.see(offer)


async def accept(session: Session, argument: dict[str, Any]) -> dict[str, Any]:
    """Apply an offer, or some of its files or changes."""
    given = _given(argument)
    root, offer = _offer(session, given)
    unknown = [path for path in given.files if path not in offer.patch.paths]
    if unknown:
        raise _invalid(f"the offer does not change {', '.join(unknown)}")
    applied, why = await root.whole(root.offers.accept(offer, given.files, given.hunks))
    if given.tell and not applied:
        root.client.show(f"Not applied: {why}", types.MessageType.Warning)
    return {"applied": applied, **({"reason": why} if why else {})}


async def accepted(session: Session, argument: dict[str, Any]) -> None:
    """The edit of a code action was applied."""
    root, offer = _offer(session, _given(argument))
    await root.whole(root.offers.taken(offer))


async def reject(session: Session, argument: dict[str, Any]) -> None:
    """The person does not want an offer."""
    given = _given(argument)
    root, offer = _offer(session, given)
    await root.whole(root.offers.reject(offer, given.reason))


async def show_episode(session: Session, argument: dict[str, Any]) -> dict[str, Any]:
    """The transcript of an episode, of an offer's, or of a problem's newest one."""
    given = _given(argument)
    for root in _roots(session, given):
        offer = root.offers.get(given.offer) if given.offer else root.offers.of(given.problem) if given.problem else None
        episode = given.episode or (offer.told.episode if offer is not None else "") or root.jobs.episodes.get(given.problem, "")
        if not episode:
            continue
        try:
            text = await root.show_episode(episode)
        except WorkerRefused as error:
            return {"refused": str(error)}
        return {"title": text.title, "text": text.text}
    return {"refused": "no episode is known for it"}


async def episodes(session: Session, argument: dict[str, Any]) -> list[dict[str, Any]]:
    """The latest episodes, newest first."""
    found: list[dict[str, Any]] = []
    for root in _roots(session, _given(argument)):
        if root.worker.told is None:
            continue  # nothing is opened for this alone
        kept = await root.worker.ask(tuple[wire.Episode, ...], lambda number: wire.Episodes(id=number, limit=MOST_EPISODES))
        found += [{"root": convert.uri_of(root.path), **msgspec.to_builtins(each)} for each in kept]
    return sorted(found, key=lambda each: -each["created"])[:MOST_EPISODES]


async def restart(session: Session, argument: dict[str, Any]) -> None:
    """End the worker process of a workspace, or of all, and start anew."""
    for root in _roots(session, _given(argument)):
        root.worker.forgive()
        await root.reopen()


COMMANDS: Mapping[str, Handler] = {
    "suture.check": check,
    "suture.fix": fix,
    "suture.fixAll": fix_all,
    "suture.cancel": cancel,
    "suture.offers": offers,
    "suture.diff": diff,
    "suture.seen": seen,
    "suture.accept": accept,
    "suture.accepted": accepted,
    "suture.reject": reject,
    "suture.episodes": episodes,
    "suture.showEpisode": show_episode,
    "suture.restart": restart,
}
"""Name -> what it does."""


def _given(argument: dict[str, Any]) -> Given:
    try:
        return msgspec.convert(argument, Given)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error


def _roots(session: Session, given: Given) -> tuple[Root, ...]:
    uri = given.root or given.uri
    if not uri:
        return session.roots
    return (_one_root(session, given),)


def _one_root(session: Session, given: Given) -> Root:
    uri = given.root or given.uri
    root = session.root_of(uri)
    if root is None:
        raise _invalid(f"{uri or 'nothing'} lies in no workspace folder")
    return root


def _offer(session: Session, given: Given) -> tuple[Root, Offer]:
    for root in session.roots:
        offer = root.offers.get(given.offer)
        if offer is not None:
            return root, offer
    raise _invalid(f"there is no offer {given.offer!r}")


def _invalid(text: str) -> JsonRpcInvalidParams:
    return JsonRpcInvalidParams(message=text)


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8-sig", "replace")
