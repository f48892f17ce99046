"""Writing a proven patch into the user's workspace, and its diff beside it. The only place that writes to a workspace.

All files of a patch change or none. What is going to happen is noted in `.suture/applying.json` before anything does, the new contents are
staged beside their targets, then the renames happen. A run that is killed in between is finished, or cleaned up after, by `recover`, which
every command that opens the workspace calls first. One process at a time: a lock on the `.suture` folder, which dies with its holder.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Generator
from pathlib import Path, PurePosixPath

import msgspec

from suture_sandbox.errors import ConfigurationError, PatchError, UnreadableFile
from suture_sandbox.files import read_plain
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot

FOLDER = ".suture"
_INTENT = "applying.json"


class _Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    target: str
    staged: str
    """Path of the staged content; an empty file for a deletion. It is gone once the change is made."""
    expects: str | None
    """SHA-256 of the content that is replaced; None for a new file."""
    deletes: bool
    mode: int


class _Intent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    changes: tuple[_Change, ...]
    folders: tuple[str, ...] = ()
    """Folders that are made for new files, outermost first."""
    ready: bool
    """Whether everything is staged: then it is finished, else what there is of it is removed."""


def apply(root: Path, patch: Patch) -> None:
    """Change the workspace's files as the patch says; where one is not what the patch expects, raise PatchError and change nothing.

    A full disk is raised as the OSError that it is: it says nothing about the patch.
    """
    try:
        with _alone(root):
            _recover(root)
            patch.apply(Snapshot(root))
            intent = _staged(root, patch)
            edited = _edited(root, intent)
            if edited:
                _drop(root, intent)
                raise PatchError(f"{edited[0]} was edited just now", remedy="run again")
            try:
                _finish(root, intent)
            except OSError:
                _undo(root, patch, intent)
                raise
    except OSError as error:
        if is_full(error):
            raise
        raise PatchError(
            f"cannot write to the workspace: {error}", remedy="make room or make the files writable, then run again"
        ) from error


def is_full(error: OSError) -> bool:
    """Whether a disk, or a user's share of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def recover(root: Path) -> bool:
    """Finish an `apply` that was interrupted; True when there was one that had all its files staged.

    Raises ConfigurationError where it cannot be finished without loss: the user has edited one of its files since.
    """
    if not any((root / FOLDER).glob(f"*{_INTENT}*")):
        return False
    try:
        with _alone(root):
            return _recover(root)
    except OSError as error:
        raise ConfigurationError(
            f"cannot finish the patch that an interrupted run began to write: {error}", remedy="make the files writable, then run again"
        ) from error


def write_diff(root: Path, name: str, patch: Patch) -> str:
    """Write `.suture/patches/NAME.diff` and return its path relative to the workspace."""
    folder = _own(own_folder(root) / "patches")
    _write_durably(folder / f"{name}.diff", patch.diff().encode())
    return f"{FOLDER}/patches/{name}.diff"


def own_folder(root: Path) -> Path:
    """The workspace's `.suture` folder, made when it is missing, which git ignores; refused when it is a link."""
    folder = _own(root / FOLDER)
    ignored = folder / ".gitignore"
    try:
        with ignored.open("x", encoding="utf-8") as file:
            file.write("*\n")
    except FileExistsError:
        pass
    except OSError:  # an empty one would ignore nothing, for ever
        ignored.unlink(missing_ok=True)
        raise
    return folder


def _own(folder: Path) -> Path:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        kind = "a symbolic link" if folder.is_symlink() else "not a folder"
        raise ConfigurationError(f"{folder} is {kind}", remedy="remove it; suture writes its patches there")
    folder.mkdir(exist_ok=True)
    return folder


@contextlib.contextmanager
def _alone(root: Path) -> Generator[None, None, None]:
    """Wait until no other process writes to this workspace."""
    descriptor = os.open(own_folder(root), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for left in (root / FOLDER).glob(f".{_INTENT}.*"):  # by a run that was killed while it wrote it
            left.unlink(missing_ok=True)
        yield
    finally:
        os.close(descriptor)


def _staged(root: Path, patch: Patch) -> _Intent:
    """Write the new contents beside their targets, and note that they are complete. Leaves nothing behind when it fails."""
    changes = tuple(_change(edit, _mode(root / edit.path)) for edit in patch.edits)
    intent = _Intent(changes=changes, folders=_missing_folders(root, patch), ready=False)
    try:
        _note(root, intent)
        for edit, change in zip(patch.edits, changes, strict=True):
            _stage(root, edit, change)
        _note(root, msgspec.structs.replace(intent, ready=True))
    except OSError:
        _drop(root, intent)
        raise
    return intent


def _change(edit: FileEdit, mode: int) -> _Change:
    target = PurePosixPath(edit.path)
    staged = str(target.with_name(f".{target.name}.suture-{secrets.token_hex(4)}"))
    return _Change(target=edit.path, staged=staged, expects=edit.expects, deletes=edit.after is None, mode=mode)


def _missing_folders(root: Path, patch: Patch) -> tuple[str, ...]:
    needed = {folder for edit in patch.edits if edit.after is not None for folder in PurePosixPath(edit.path).parents}
    return tuple(str(folder) for folder in sorted(needed) if not (root / folder).exists())


def _stage(root: Path, edit: FileEdit, change: _Change) -> None:
    """Write the new content beside its target, with the target's mode. For a deletion it shows that the folder can be written to."""
    staged = root / change.staged
    staged.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(edit.after or b"")
        file.flush()
        os.fchmod(file.fileno(), change.mode)
        os.fsync(file.fileno())


def _finish(root: Path, intent: _Intent) -> None:
    for change in intent.changes:
        if not (root / change.staged).exists():
            continue
        if change.deletes:
            (root / change.target).unlink(missing_ok=True)
            (root / change.staged).unlink()
        else:
            (root / change.staged).replace(root / change.target)
    (root / FOLDER / _INTENT).unlink(missing_ok=True)


def _undo(root: Path, patch: Patch, intent: _Intent) -> None:
    """Put back what was changed before one change failed. A kill in here is finished by `recover` like any other."""
    left = Snapshot(root)
    made = [edit for edit in patch.edits if left.read(edit.path) == edit.after]
    back = Patch(tuple(FileEdit(path=edit.path, before=edit.after, after=edit.before) for edit in made))
    modes = {change.target: change.mode for change in intent.changes}
    changes = tuple(_change(edit, modes[edit.path]) for edit in back.edits)
    for edit, change in zip(back.edits, changes, strict=True):
        _stage(root, edit, change)
    undoing = _Intent(changes=changes, ready=True)
    _note(root, undoing)
    _finish(root, undoing)
    _drop(root, intent)


def _drop(root: Path, intent: _Intent) -> None:
    """Remove what was staged."""
    for change in intent.changes:
        (root / change.staged).unlink(missing_ok=True)
    for folder in reversed(intent.folders):
        with contextlib.suppress(OSError):  # it was not made yet, or is in use by now
            (root / folder).rmdir()
    (root / FOLDER / _INTENT).unlink(missing_ok=True)


def _recover(root: Path) -> bool:
    intent = _noted(root)
    if intent is None:
        return False
    edited = _edited(root, intent) if intent.ready else []
    if not intent.ready or (edited and not _begun(root, intent)):
        _drop(root, intent)
        return False
    if edited:
        raise ConfigurationError(
            f"a run was killed while it wrote a patch, and {', '.join(edited)} was edited since",
            remedy=f"compare it with the file .{PurePosixPath(edited[0]).name}.suture-* beside it, then delete that file and"
            f" {FOLDER}/{_INTENT}",
        )
    _finish(root, intent)
    return True


def _edited(root: Path, intent: _Intent) -> list[str]:
    """Targets that are still to be changed and do not hold what the patch expects: to write them would lose someone's edit."""
    snapshot = Snapshot(root)
    found: list[str] = []
    for change in intent.changes:
        content = snapshot.read(change.target)
        gone = change.deletes and content is None
        if (root / change.staged).exists() and not gone and change.expects != _hash(content):
            found.append(change.target)
    return found


def _begun(root: Path, intent: _Intent) -> bool:
    """Whether any of the changes is made."""
    return any(not (root / each.staged).exists() or (each.deletes and not (root / each.target).exists()) for each in intent.changes)


def _hash(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def _note(root: Path, intent: _Intent) -> None:
    _write_durably(root / FOLDER / _INTENT, msgspec.json.encode(intent))


def _noted(root: Path) -> _Intent | None:
    """The intent of an interrupted run. It is a file in the workspace, so it may be forged: only what `apply` itself would do is done."""
    path = root / FOLDER / _INTENT
    if not os.path.lexists(path):
        return None
    try:
        intent = msgspec.json.decode(read_plain(path, name="it", follow=False) or b"", type=_Intent)
        _check(root, intent)
    except (PatchError, UnreadableFile, msgspec.DecodeError) as error:
        raise ConfigurationError(f"{path} is damaged: {error}", remedy=f"look at the files it names, then delete {path}") from error
    return intent


def _check(root: Path, intent: _Intent) -> None:
    snapshot = Snapshot(root)
    folders: set[str] = set()
    for change in intent.changes:
        snapshot.check_path(change.target)
        snapshot.check_path(change.staged)
        staged, target = PurePosixPath(change.staged), PurePosixPath(change.target)
        folders.update(map(str, target.parents))
        if staged.parent != target.parent or not staged.name.startswith(f".{target.name}.suture-"):
            raise PatchError("it names files that suture did not stage")
    if not folders.issuperset(intent.folders):
        raise PatchError("it names folders that suture did not make")


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file of suture's own: whole or not at all, also after a power cut."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _mode(path: Path) -> int:
    """A file's mode, or that of a new one: as the umask says, which can only be read by setting it."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask
