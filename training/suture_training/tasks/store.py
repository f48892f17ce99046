"""A task set on disk.

::

    DIR/set.json                      what it is: identity, filters, counts, split, what it was made with
    DIR/tasks.jsonl                   one task a line
    DIR/workspaces/SHA256.tar.zst     each healthy workspace once; see `archive`
    DIR/environments/IDENTITY.json    the named fields of each environment
    DIR/candidates.jsonl              what was tried and what became of it: a run that was killed goes on from there

Every line is written whole and is on the disk before the next one is begun. A last line without its end is from a writer that was killed:
it counts for nothing, and the next writer cuts it off. One writer at a time, held by a lock that dies with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Collection, Generator, Iterator
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec

from suture_sandbox.capture.files import write_atomically
from suture_sandbox.environment import EnvironmentFields
from suture_sandbox.errors import ConfigurationError, InfrastructureError
from suture_sandbox.identity import identity_of
from suture_training.tasks.archive import Files, pack, workspace_hash
from suture_training.tasks.info import FORMAT, SetInfo, Tried
from suture_training.tasks.task import Split, Task

T = TypeVar("T")

TASKS, CANDIDATES, INFO, LOCK = "tasks.jsonl", "candidates.jsonl", "set.json", ".lock"


class TaskSet:
    """A task set, as it is read."""

    def __init__(self, folder: Path, info: SetInfo) -> None:
        self.folder = folder
        self.info = info

    @classmethod
    def read(cls, folder: Path) -> TaskSet:
        """Open a set. Raises ConfigurationError that names file and line."""
        path = folder / INFO
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{folder} is no task set: {path.name} cannot be read ({error.strerror})", remedy="make one: suture tasks make"
            ) from error
        info = _decoded(content, SetInfo, str(path))
        if info.version != FORMAT:
            raise ConfigurationError(f"{path}: format {info.version}; this suture reads {FORMAT}", remedy="use the suture that made it")
        return cls(folder, info)

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks, in the order in which they were made."""
        return tuple(self.iterate())

    def iterate(self) -> Iterator[Task]:
        """The tasks one by one, in constant memory. Raises ConfigurationError that names file and line."""
        yield from _lines(self.folder / TASKS, Task)

    def split(self, name: Split) -> tuple[Task, ...]:
        """The tasks of one split."""
        return tuple(task for task in self.tasks if task.split == name)

    def tried(self) -> Iterator[Tried]:
        """What became of every candidate."""
        yield from _lines(self.folder / CANDIDATES, Tried)

    @property
    def identity(self) -> str:
        """Hash over the tasks as they are now."""
        return identity_of_tasks(self.iterate())

    def archive(self, workspace: str) -> Path:
        """Where a healthy workspace lies."""
        return self.folder / "workspaces" / f"{workspace}.tar.zst"

    def environment(self, identity: str) -> EnvironmentFields:
        """The named fields of an environment. Raises ConfigurationError where they are missing, or are not that environment's."""
        path = self.folder / "environments" / f"{identity}.json"
        try:
            fields = _decoded(path.read_bytes(), EnvironmentFields, str(path))
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be read: {error.strerror}", remedy="take it from where the set comes from") from error
        if identity_of(fields) != identity:
            raise ConfigurationError(f"{path} holds another environment than its name says", remedy="take it from where the set comes from")
        return fields


def identity_of_tasks(tasks: Iterator[Task]) -> str:
    """SHA-256 over what the tasks are: text, mend, target, environment and split. Not over how long they took, nor over their order."""
    return identity_of(
        sorted(
            [
                task.id,
                task.environment,
                task.split,
                identity_of(sorted((edit.path, edit.text) for edit in task.gold)),
                identity_of(sorted(finding.signature for finding in task.findings)),
            ]
            for task in tasks
        )
    )


class Writer:
    """The one that adds to a set."""

    def __init__(self, folder: Path, info: SetInfo) -> None:
        self.folder = folder
        self.info = info
        self._names = {task.id for task in _lines(folder / TASKS, Task)}
        tried = {each.key: each for each in _lines(folder / CANDIDATES, Tried)}
        self.decided = {key: each for key, each in tried.items() if not each.task or each.task in self._names}
        """Candidates of earlier runs by their key; one whose task did not get onto the disk any more is tried again."""

    @property
    def count(self) -> int:
        """Tasks so far."""
        return len(self._names)

    def has(self, task: str) -> bool:
        """Whether the set has this task already."""
        return task in self._names

    def note(self, info: SetInfo) -> None:
        """Replace set.json."""
        self.info = info
        _write(self.folder / INFO, _pretty(info))

    def keep(self, task: Task, tried: Tried) -> None:
        """Note a candidate, then add its task; both are on the disk when this returns."""
        self.drop(tried)
        _append(self.folder / TASKS, msgspec.json.encode(task))
        self._names.add(task.id)

    def drop(self, tried: Tried) -> None:
        """Note what became of a candidate."""
        _append(self.folder / CANDIDATES, msgspec.json.encode(tried))
        self.decided[tried.key] = tried

    def workspace(self, files: Files) -> str:
        """Put a healthy workspace into the set, once; its name."""
        name = workspace_hash(files)
        target = self.folder / "workspaces" / f"{name}.tar.zst"
        if not target.exists():
            with _explained(target):
                pack(files, target)
        return name

    def environment(self, fields: EnvironmentFields) -> str:
        """Put an environment's fields into the set; its identity."""
        identity = identity_of(fields)
        _write(self.folder / "environments" / f"{identity}.json", _pretty(fields))
        return identity

    def rewrite(self, change: Callable[[Task], Task | None]) -> None:
        """Replace all tasks, one by one; None leaves one out. The old file stays whole until the new one is."""
        target, temporary = self.folder / TASKS, self.folder / f".{TASKS}.tmp"
        kept: set[str] = set()
        with _explained(target), temporary.open("wb") as opened:
            for task in _lines(target, Task):
                changed = change(task)
                if changed is not None:
                    opened.write(msgspec.json.encode(changed) + b"\n")
                    kept.add(changed.id)
            opened.flush()
            os.fsync(opened.fileno())
        temporary.replace(target)
        self._names = kept

    def prune(self, used: Collection[str], environments: Collection[str]) -> None:
        """Remove workspaces and environments that no task needs."""
        for folder, names in (("workspaces", used), ("environments", environments)):
            for path in (self.folder / folder).iterdir():
                if path.name.partition(".")[0] not in names:
                    path.unlink()


@contextlib.contextmanager
def writing(folder: Path, *, resume: bool) -> Generator[Writer, None, None]:
    """Make a set, or go on with one. Raises ConfigurationError where there is one already, or somebody else is writing it."""
    with _explained(folder):
        for name in ("workspaces", "environments"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(f"another suture is writing {folder}", remedy="wait for it, or name another folder") from error
        exists = (folder / INFO).exists()
        if exists and not resume:
            raise ConfigurationError(f"{folder} holds a task set already", remedy="go on with it: --resume; or name another folder")
        for name in (TASKS, CANDIDATES):
            _mend(folder / name)
        yield Writer(folder, TaskSet.read(folder).info if exists else SetInfo())
    finally:
        os.close(lock)


def _lines(path: Path, kind: type[T]) -> Iterator[T]:
    """The records of a file, one a line; a last line without its end is none."""
    if not path.exists():
        return
    decoder = msgspec.json.Decoder(kind)
    with path.open("rb") as opened:
        for number, line in enumerate(opened, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield decoder.decode(line)
            except msgspec.DecodeError as error:
                raise ConfigurationError(f"{path}:{number}: {error}", remedy="take the set again from where it comes from") from error


def _append(path: Path, line: bytes) -> None:
    with _explained(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            view = memoryview(line + b"\n")
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _mend(path: Path) -> None:
    """Cut off a last line without its end."""
    with _explained(path), contextlib.suppress(FileNotFoundError), path.open("r+b") as opened:
        end = opened.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - (1 << 16))
            opened.seek(start)
            found = opened.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        opened.truncate(end)


def _write(path: Path, content: bytes) -> None:
    with _explained(path):
        write_atomically(path, content, mode=0o644, durable=True)


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _decoded(content: bytes, kind: type[T], name: str) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{name}: {error}", remedy="take the set again from where it comes from") from error


@contextlib.contextmanager
def _explained(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise InfrastructureError(f"cannot write {path}: {error.strerror}", remedy="make the folder writable, with free space") from error
