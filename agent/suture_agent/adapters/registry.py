"""The registry: a folder of adapters, each under its digest, and one file that says which are in use.

::

    adapters/
    ├── entries/<digest>/     adapter_model.safetensors, adapter_config.json, adapter.gguf, record.json, card.md
    ├── in_use.json           what serves, and the history of that
    └── lock                  held by whoever writes

An entry is written beside the others under a name that nobody reads, then renamed into place; what a killed writer left is removed by the
next one, who holds the lock and therefore knows that nobody works on it. Readers take no lock. The digest covers weights and
configuration; record and pointer are the user's own files and are not signed: the registry defends against damage and mix-ups, not against
whoever can write to the user's home.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from suture_agent.adapters import CARD, CONFIG, FORMAT, RECORD, WEIGHTS, Adapter, Draft, File, Score, Use
from suture_agent.adapters.card import card
from suture_agent.adapters.choose import rivals
from suture_agent.adapters.compare import Comparison, against, against_base
from suture_agent.adapters.files import Verified, digest_of, file_of, locked, settle, settle_files, write
from suture_agent.adapters.names import SHORTEST, checked_name, found, is_digest
from suture_agent.errors import AdapterError
from suture_agent.places import data_folder

T = TypeVar("T")

MOST_HISTORY = 1000
_TEMPORARY = (".new-", ".gone-")


class InUse(msgspec.Struct, frozen=True, kw_only=True):
    """The pointer: what serves, and everything that was put to use or taken out of it."""

    current: tuple[Use, ...] = ()
    history: tuple[Use, ...] = ()


class Registry:
    """The adapters of this user. Methods block: they read and write files, and hash weights."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or data_folder() / "adapters"
        self._verified = Verified()

    @property
    def _entries(self) -> Path:
        return self.folder / "entries"

    def entry(self, adapter: Adapter) -> Path:
        """Folder with the adapter's files."""
        return self._entries / adapter.digest

    def all(self) -> tuple[Adapter, ...]:
        """Every adapter whose record can be read, oldest first."""
        return self._scan()[0]

    def damaged(self) -> tuple[AdapterError, ...]:
        """What is wrong with the others."""
        return self._scan()[1]

    def find(self, name: str) -> Adapter:
        """The adapter of that name, digest or beginning of a digest. Raises AdapterError with the nearest name."""
        return found(name, self.all())

    def used(self) -> tuple[Adapter, ...]:
        """The adapters in use."""
        return tuple(self._read(self._entries / use.adapter) for use in self.in_use().current)

    def in_use(self) -> InUse:
        """What the pointer says; nothing is in use where there is none."""
        try:
            return msgspec.json.decode((self.folder / "in_use.json").read_bytes(), type=InUse)
        except FileNotFoundError:
            return InUse()
        except (OSError, msgspec.MsgspecError) as error:
            raise AdapterError(
                f"{self.folder / 'in_use.json'} cannot be read: {error}", remedy="remove it: no adapter is in use then"
            ) from error

    def verify(self, adapter: Adapter) -> Path:
        """The adapter's folder, every file of it hashed (once in this process, as long as it is not touched). Raises AdapterError."""
        self._verified.check(self.entry(adapter), adapter)
        return self.entry(adapter)

    def add(self, draft: Draft, fill: Callable[[Path], None]) -> Adapter:
        """Register an adapter: `fill` writes its files into an empty folder. What is there already with this name and content is returned.

        Interrupted at any point, nothing of it is left that anybody reads. Raises AdapterError.
        """
        checked_name(draft.name)
        for kind, identified in (("environment", draft.environment), ("harness", draft.harness)):
            if not identified.is_true:
                raise AdapterError(
                    f"the fields of the {kind} are not those of its identity",
                    remedy="take them from the run itself: a journal has secrets taken out",
                )
        return self._alone(lambda: self._add(draft, fill))

    def scored(self, adapter: Adapter, score: Score) -> Adapter:
        """Add a score to an adapter's record and card."""

        def work() -> Adapter:
            known = self._read(self.entry(adapter))
            return self._rewritten(msgspec.structs.replace(known, scores=(*known.scores, score)))

        return self._alone(work)

    def use(self, adapter: Adapter, *, override: str = "") -> Use:
        """Let an adapter serve, in the place of those that serve the same workspaces.

        Raises AdapterError with the figures where it does not beat each of them, or its base model where there are none, unless `override`
        says why it should serve all the same; that is recorded.
        """
        return self._alone(lambda: self._use(adapter, override))

    def off(self, name: str) -> Use:
        """Let an adapter serve no longer; what it replaced does not come back by itself. Raises AdapterError where it is not in use."""

        def work() -> Use:
            known = self.in_use()
            digest = self._digest(name, [use.adapter for use in known.current])
            kept = tuple(use for use in known.current if use.adapter != digest)
            if len(kept) == len(known.current):
                raise AdapterError(f"the adapter {name} is not in use", remedy="suture adapter list")
            return self._point(kept, known, Use(adapter=digest, at=time.time(), off=True))

        return self._alone(work)

    def drop(self, name: str) -> str:
        """Remove an adapter, a damaged one too: its digest. Raises AdapterError where it is in use."""

        def work() -> str:
            digest = self._digest(name, [path.name for path in self._entries.iterdir()])
            if any(use.adapter == digest for use in self.in_use().current):
                raise AdapterError(f"the adapter {name} is in use", remedy=f"suture adapter use {name} --off")
            self._remove(digest)
            return digest

        return self._alone(work)

    def _digest(self, name: str, digests: Sequence[str]) -> str:
        """The digest that is meant, even where the entry is damaged or gone."""
        begun = [each for each in digests if is_digest(each) and len(name) >= SHORTEST and each.startswith(name)]
        return begun[0] if len(begun) == 1 else self.find(name).digest

    def _remove(self, digest: str) -> None:
        gone = self._entries / f".gone-{digest}"
        (self._entries / digest).rename(gone)
        settle(self._entries)
        shutil.rmtree(gone)

    def _alone(self, work: Callable[[], T]) -> T:
        """Do it with the lock held, on a registry without what dead writers left. Raises AdapterError for what the disk refuses."""
        try:
            self._entries.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self.folder / "lock"):
                for path in (*self._entries.iterdir(), *self._entries.glob("*/.new-*"), *self.folder.iterdir()):
                    if path.name.startswith(_TEMPORARY):
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
                return work()
        except OSError as error:
            raise AdapterError(
                f"the adapters in {self.folder} cannot be written: {error}", remedy="see the disk's space and the folder's owner"
            ) from error

    def _add(self, draft: Draft, fill: Callable[[Path], None]) -> Adapter:
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=self._entries))
        try:
            fill(fresh)
            files = {path.name: file_of(path) for path in sorted(fresh.iterdir())}
            for name in (WEIGHTS, CONFIG):
                if name not in files:
                    raise AdapterError(
                        f"an adapter needs {name}, and there is none", remedy="name the folder that PEFT's save_pretrained wrote"
                    )
            adapter = _adapter(draft, digest_of(files), files)
            present = self._present(adapter)
            if present is not None:
                return present
            (fresh / RECORD).write_bytes(_record(adapter))
            (fresh / CARD).write_text(card(adapter), encoding="utf-8")
            settle_files(fresh)
            if self.entry(adapter).exists():
                self._remove(adapter.digest)  # damaged, or it would have been found
            fresh.rename(self.entry(adapter))
            settle(self._entries)
            return adapter
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _present(self, adapter: Adapter) -> Adapter | None:
        """The same adapter, where it is here already; AdapterError where its name or its content is here under another."""
        for each in self.all():
            if each.digest == adapter.digest and each.name == adapter.name:
                return each
            if each.digest == adapter.digest:
                raise AdapterError(f"these weights are registered already, as {each.label}", remedy=f"suture adapter show {each.name}")
            if each.name == adapter.name:
                raise AdapterError(f"there is another adapter named {each.label}", remedy="choose another name, or drop that one")
        return None

    def _use(self, adapter: Adapter, override: str) -> Use:
        self.verify(adapter)
        known = self.in_use()
        if any(use.adapter == adapter.digest for use in known.current):
            raise AdapterError(f"the adapter {adapter.label} is in use already", remedy="suture adapter list")
        old = rivals(adapter, self.used())
        compared = [against(adapter, each) for each in old] or [against_base(adapter)]
        if not override and not all(each.better for each in compared):
            raise _unproven(adapter, compared)
        replaced = tuple(each.digest for each in old)
        use = Use(
            adapter=adapter.digest, at=time.time(), replaced=replaced, figures="; ".join(each.text for each in compared), override=override
        )
        return self._point((*(each for each in known.current if each.adapter not in replaced), use), known, use)

    def _point(self, current: tuple[Use, ...], known: InUse, use: Use) -> Use:
        history = (*known.history, use)[-MOST_HISTORY:]
        write(self.folder / "in_use.json", msgspec.json.encode(InUse(current=current, history=history)))
        return use

    def _rewritten(self, adapter: Adapter) -> Adapter:
        write(self.entry(adapter) / RECORD, _record(adapter))
        write(self.entry(adapter) / CARD, card(adapter).encode())
        return adapter

    def _scan(self) -> tuple[tuple[Adapter, ...], tuple[AdapterError, ...]]:
        good: list[Adapter] = []
        bad: list[AdapterError] = []
        for folder in sorted(self._entries.glob("*")) if self._entries.is_dir() else ():
            if is_digest(folder.name):
                try:
                    good.append(self._read(folder))
                except AdapterError as error:
                    bad.append(error)
        return tuple(sorted(good, key=lambda each: (each.created, each.digest))), tuple(bad)

    def _read(self, folder: Path) -> Adapter:
        remedy = (
            f"copy it anew from where it came from, or: suture adapter use {folder.name[:12]} --off; suture adapter drop {folder.name[:12]}"
        )
        try:
            adapter = msgspec.json.decode((folder / RECORD).read_bytes(), type=Adapter)
        except (OSError, msgspec.MsgspecError) as error:
            raise AdapterError(f"the record of the adapter {folder.name[:12]} cannot be read: {error}", remedy=remedy) from error
        if adapter.format > FORMAT:
            raise AdapterError(f"the adapter {adapter.label} was registered by a newer suture", remedy="update suture")
        if adapter.digest != folder.name or not (adapter.environment.is_true and adapter.harness.is_true):
            raise AdapterError(
                f"the record of the adapter {adapter.label} was changed: its digests are not those of what it says", remedy=remedy
            )
        return adapter


def _adapter(draft: Draft, digest: str, files: dict[str, File]) -> Adapter:
    fields = {name: getattr(draft, name) for name in Draft.__struct_fields__}
    return Adapter(**fields, digest=digest, files=files, created=time.time())


def _record(adapter: Adapter) -> bytes:
    return msgspec.json.format(msgspec.json.encode(adapter), indent=1)


def _unproven(adapter: Adapter, compared: list[Comparison]) -> AdapterError:
    figures = "; ".join(each.text for each in compared if not each.better)
    return AdapterError(
        f"the adapter {adapter.label} is not shown to be better: {figures}",
        remedy="evaluate both on a larger held-out set (suture eval run), or say why it should serve: --override REASON",
    )
