"""Offers: proven patches that a person may take, for as long as they fit the text that they were proven on.

An offer is ready only while every file of it is, to the byte, what its patch expects. When one of them changes, the offer is set aside
until the patch has been moved onto the present text and proven there again; where that fails it is gone, and says why.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec
from lsprotocol import types

from suture_sandbox.patch import FileEdit, Patch
from suture_server.lsp import convert, landing
from suture_server.lsp.hunks import hunks_of, part_of
from suture_server.lsp.worker_client import UNTRUSTED, WorkerRefused
from suture_server.worker import wire

if TYPE_CHECKING:
    from suture_server.lsp.root import Root

logger = logging.getLogger(__name__)

State = Literal["ready", "moved", "proving", "applying", "accepted", "rejected", "expired", "withdrawn"]
OPEN: frozenset[State] = frozenset({"ready", "moved", "proving"})
MOVED = "its files have changed, and it is being proven again: try in a moment"
QUIET_SECONDS = 1.5
"""A text that an offer is about must rest for this long before the patch is proven on it again."""


RETRY_SECONDS = 5.0
"""And for this long where the machine failed."""


class Offer:
    """A proven patch and what became of it."""

    def __init__(self, offer: wire.Offer) -> None:
        self.told = offer
        self.state: State = "ready"
        self.reason = ""
        self.seen = False
        self.unshown = False
        """Whether a person who asked for it has not been asked about it yet."""

    @property
    def id(self) -> str:
        """As in the journal."""
        return self.told.id

    @property
    def patch(self) -> Patch:
        """Against the text that it was proven on last."""
        return self.told.patch


class Offers:
    """The offers of one workspace."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._all: dict[str, Offer] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking = asyncio.Lock()

    def get(self, identifier: str) -> Offer | None:
        """An offer by its identifier, whatever became of it."""
        return self._all.get(identifier)

    def standing(self) -> list[Offer]:
        """Those that can still be decided, oldest first."""
        return [offer for offer in self._all.values() if offer.state in OPEN]

    def of(self, mark: str) -> Offer | None:
        """The one that stands for a problem."""
        return next((offer for offer in self._all.values() if offer.told.mark == mark and offer.state in OPEN), None)

    def touching(self, path: str) -> list[Offer]:
        """Those that stand and change a file."""
        return [offer for offer in self.standing() if path in offer.patch.paths]

    async def add(self, told: wire.Offer, *, show: bool, moved: bool = False) -> Offer:
        """Take a new offer, which the journal has already; one that stood for the same problem makes room for it.

        `moved`: something changed while it was made, so that it must be proven on what there is now before anybody sees it.
        """
        older = self.of(told.mark)
        if older is not None and older.id != told.id:
            await self._close(older, "withdrawn", "a newer offer took its place")
        offer = self._all[told.id] = Offer(told)
        offer.unshown = show
        if moved:
            self._set_aside(offer)
        elif self.fits(offer):
            self._ready(offer)
        return offer

    def fits(self, offer: Offer) -> bool:
        """Whether a ready offer can be applied as things are now, on the disk too; one that cannot is set aside."""
        if offer.state == "ready" and not self._fits(offer):
            self._set_aside(offer)
        return offer.state == "ready"

    def edit(self, offer: Offer, patch: Patch | None = None) -> types.WorkspaceEdit:
        """The workspace edit of a ready offer, or of a part of its patch. Raises convert.Unsendable."""
        root = self._root
        return convert.workspace_edit(
            offer.patch if patch is None else patch,
            root.path,
            root.buffers.documents,
            root.client.can,
            label=offer.told.title,
            description="; ".join(offer.told.proven),
        )

    def applied_whole(self, patch: Patch) -> bool:
        """Whether the client promises that a patch's edit is applied to all of its files or to none."""
        return landing.whole(patch.edits, self._root.client.can.failure_handling)

    async def accept(self, offer: Offer, files: Sequence[str] = (), hunks: Collection[str] | None = None) -> tuple[bool, str]:
        """Apply an offer through the client, or some of its files or changes.

        Whether it was applied, and why not; the decision is durable on return.
        """
        if not self._root.session.trusted:
            return False, UNTRUSTED  # the journal is the worker's, and that one does not run
        if offer.state in ("moved", "proving"):
            return False, MOVED
        if offer.state != "ready":
            return False, offer.reason or f"the offer is {offer.state}"
        if not self.fits(offer):
            return False, MOVED
        chosen = _chosen(offer.patch, files, hunks)
        if isinstance(chosen, str):
            return False, chosen
        try:
            edit = self.edit(offer, chosen)
        except convert.Unsendable as error:
            return False, f"{error}; suture fix --apply can"
        offer.state = "applying"
        applied, why = await self._root.client.apply(edit, "Fix with agent")
        if not self.applied_whole(chosen):
            came = await landing.landed(chosen.edits, self._root.buffers, applied=applied, why=why)
            applied, why = came.applied, f"{came.why}{await self._take_back(came.part)}"
        if not applied:
            offer.state = "ready"
            self.text_changed(offer.patch.paths)
            return False, why
        await self.accepted(offer, chosen)
        return True, ""

    async def taken(self, offer: Offer) -> None:
        """The client says that the edit of a code action was applied. Some say so even where they did not: the texts decide.

        A file that is not open and is not changed on the disk may have been changed in the editor: it is looked at when it is saved.
        """
        buffers, edits = self._root.buffers, offer.patch.edits
        came = await landing.landed(edits, buffers, applied=True, why="")
        if offer.state not in OPEN:
            return
        if not came.applied:
            self._root.client.show(f"Not applied: {came.why}", types.MessageType.Warning)
        elif all(landing.has(edit, buffers.present(edit.path)) for edit in edits):
            await self.accepted(offer)

    async def accepted(self, offer: Offer, part: Patch | None = None, *, source: Literal["told", "inferred"] = "told") -> None:
        """A person took it, or a part of it; once only."""
        if offer.state in ("accepted", "rejected"):
            return
        taken = offer.patch if part is None else part
        some = taken != offer.patch
        kept = {edit.path: edit.before for edit in offer.patch.edits} | {edit.path: edit.after for edit in taken.edits} if some else {}
        offer.state = "accepted"
        self._root.decisions.follow(offer, taken)
        await self._root.record(offer, "accepted_with_edits" if some else "accepted", source, texts=kept)
        self._tell(offer, "accepted")

    async def reject(self, offer: Offer, reason: str = "") -> None:
        """A person does not want it."""
        if offer.state not in OPEN:
            return
        offer.state = "rejected"
        self._root.decisions.turned_down(offer)
        await self._root.record(offer, "rejected", "told", reason=reason)
        self._tell(offer, "rejected", reason)

    async def see(self, offer: Offer) -> None:
        """A person looks at it; the first time counts."""
        if not offer.seen:
            offer.seen = True
            try:
                await self._root.worker.ask(wire.Done, lambda number: wire.Seen(id=number, offer=offer.id))
            except WorkerRefused as error:
                logger.info("not recorded as seen: %s", error)

    def text_changed(self, paths: Iterable[str]) -> None:
        """Texts are others now: set aside what no longer fits, take back what fits again, notice what was applied by other means."""
        for offer in {offer.id: offer for path in paths for offer in self.touching(path)}.values():
            if self._fits(offer):
                if offer.state == "moved":
                    self._cancel_timer(offer)
                    self._ready(offer)
            elif self._applied(offer):
                self._later(self.accepted(offer, source="inferred"))
            else:
                self._set_aside(offer)

    def problems_changed(self) -> None:
        """The checks have run: an offer whose failure is gone has nothing to offer any more."""
        known = self._root.checking.findings.problems
        for offer in self.standing():
            if offer.told.mark not in known and offer.state == "ready":
                self._later(self._mended(offer))
            elif offer.state == "moved" and offer.id not in self._timers:
                self._set_aside(offer)

    def stop(self) -> None:
        """End what is going on; the offers stay in the journal as they are."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for task in self._tasks:
            task.cancel()

    def _fits(self, offer: Offer) -> bool:
        """Whether the files are what the patch expects."""
        present = self._root.buffers.present
        return all(present(edit.path) == edit.before for edit in offer.patch.edits)

    async def _take_back(self, part: Sequence[FileEdit]) -> str:
        """Have the client undo what it applied of a fix that it did not apply in whole; says how that went."""
        root, left = self._root, [edit.path for edit in part]
        for back in map(landing.backwards, part):
            if back.before is None or back.after is None or root.buffers.present(back.path) != back.before:
                continue
            edit = convert.workspace_edit(Patch((back,)), root.path, root.buffers.documents, root.client.can)
            applied, why = await root.client.apply(edit, "Fix with agent, taken back")
            if (await landing.landed((back,), root.buffers, applied=applied, why=why)).applied:
                left.remove(back.path)
        return f"; undo that in {', '.join(left)}" if left else "; that was taken back" if part else ""

    def _applied(self, offer: Offer) -> bool:
        present = self._root.buffers.present
        return all(present(edit.path) == edit.after for edit in offer.patch.edits)

    def _set_aside(self, offer: Offer, rest: float = QUIET_SECONDS) -> None:
        """Not to be had until it is proven again, once the text rests."""
        self._cancel_timer(offer)
        offer.state = "moved"
        loop = asyncio.get_running_loop()
        self._timers[offer.id] = loop.call_later(rest, lambda: self._later(self._prove_again(offer)))

    def _cancel_timer(self, offer: Offer) -> None:
        timer = self._timers.pop(offer.id, None)
        if timer is not None:
            timer.cancel()

    async def _prove_again(self, offer: Offer) -> None:
        self._timers.pop(offer.id, None)
        if offer.state != "moved":
            return
        offer.state = "proving"
        root = self._root
        try:
            generation = await root.checking.sync()
            done = await root.worker.ask(
                wire.Repaired,
                lambda number: wire.Prove(
                    id=number, offer=offer.id, job="", generation=generation, mark=offer.told.mark, patch=offer.patch
                ),
            )
        except WorkerRefused as error:
            self._unproven(offer, str(error))
            return
        if offer.state != "proving":
            return  # the text changed once more, or a person decided
        if done.offer is not None:
            offer.told = _renewed(done.offer, offer.told)
            offer.state = "ready"
            if self.fits(offer):
                self._ready(offer)
        elif done.outcome == "infrastructure":
            self._unproven(offer, done.reason)
        elif done.outcome == "gone":
            await self._mended(offer)
        elif done.outcome == "conflict":
            await self._close(offer, "expired", done.reason)
        else:
            await self._close(offer, "withdrawn", done.reason)

    def _unproven(self, offer: Offer, reason: str) -> None:
        """The machine failed, which says nothing about the patch: it is tried again later, or when the checks can run again."""
        if offer.state == "proving":
            logger.info("an offer was not proven again: %s", reason)
            offer.state = "moved"
            if not self._root.unable():
                self._set_aside(offer, RETRY_SECONDS)

    async def _mended(self, offer: Offer) -> None:
        """The failure went away without it: by what the person wrote, which then says what they wanted instead."""
        if offer.state in OPEN:
            self._root.decisions.turned_down(offer)
            await self._close(offer, "expired", "the failure is gone")

    async def _close(self, offer: Offer, state: Literal["expired", "withdrawn"], reason: str) -> None:
        self._cancel_timer(offer)
        offer.state, offer.reason = state, reason
        await self._root.record(offer, state, "inferred", reason=reason)
        self._tell(offer, state, reason)

    def _tell(self, offer: Offer, state: str, reason: str = "") -> None:
        root = self._root
        if root.client.options.offers:
            told = {"state": state, "reason": reason, "offer": described(offer, root)}
            root.client.notify("suture/offer", told)
        elif state in ("withdrawn", "expired"):
            root.client.log(f"an offer is {state}: {offer.told.title} ({reason})")
        root.tell_status()

    def _ready(self, offer: Offer) -> None:
        """It can be had: say so, and put it to the person the first time."""
        offer.state = "ready"
        self._tell(offer, "ready")
        unshown, offer.unshown = offer.unshown, False
        if unshown and not self._root.client.options.offers:
            self._later(self._ask(offer))

    async def _ask(self, offer: Offer) -> None:
        """Put the offer to a person whose editor knows nothing of offers; one question at a time."""
        async with self._asking:
            choices: tuple[str, ...] = ("Apply", "Show diff", "Dismiss")
            while offer.state in OPEN:
                await self.see(offer)
                chosen = await self._root.client.choose(f"{offer.told.title} ({', '.join(offer.patch.paths)})", *choices)
                if chosen == "Show diff":
                    await self._root.show_text(f"{offer.id}.diff", offer.patch.diff())
                    choices = ("Apply", "Dismiss")
                    continue
                if chosen == "Apply":
                    applied, why = await self.accept(offer)
                    if not applied:
                        self._root.client.show(f"Not applied: {why}", types.MessageType.Warning)
                elif chosen == "Dismiss":
                    await self.reject(offer)
                return

    def _later(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _chosen(patch: Patch, files: Sequence[str], hunks: Collection[str] | None) -> Patch | str:
    """The part of a patch that a person wants, all of it where nothing is named; or why it cannot be had."""
    if not files and hunks is None:
        return patch
    every = hunks_of(patch)
    if set(hunks or ()) - {each.id for each in every}:
        return "the fix has changed since it was looked at: look at it again"
    chosen = part_of(patch, {each.id for each in every if each.path in files or each.id in (hunks or ())})
    return chosen if chosen.edits else "no change was chosen"


def _renewed(new: wire.Offer, old: wire.Offer) -> wire.Offer:
    """The offer as it was proven again, with the episode that it came from."""
    return msgspec.structs.replace(new, episode=new.episode or old.episode, policy=old.policy)


def described(offer: Offer, root: Root) -> dict[str, object]:
    """An offer as `suture/offer` and `suture.offers` tell it (docs/language-server.md)."""
    told = offer.told
    files: list[dict[str, object]] = []
    for edit in told.patch.edits:
        kind = "create" if edit.before is None else "delete" if edit.after is None else "change"
        added, removed = Patch((edit,)).counts
        files.append({"uri": convert.uri_of(root.path / edit.path), "path": edit.path, "kind": kind, "added": added, "removed": removed})
    findings = [{"path": each.path, "range": each.range, "code": each.code, "message": convert.message_of(each)} for each in told.findings]
    return {
        "id": told.id,
        "root": convert.uri_of(root.path),
        "problem": told.mark,
        "check": told.check,
        "title": told.title,
        "proven": list(told.proven),
        "state": offer.state,
        "findings": findings,
        "files": files,
        "diff": told.patch.diff(),
        "policy": told.policy,
        "seconds": round(told.seconds, 3),
        "episode": told.episode,
    }
