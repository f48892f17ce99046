"""Writing a proven patch into the user's workspace, and its diff beside it. The only place that writes to a workspace.

All files of a patch change or none: new contents are staged beside their targets, the list of renames is written to
`.suture/applying.json`, then the renames happen. A run that is killed in between is finished by `recover`, which every command that opens
the workspace calls first.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from suture_sandbox.errors import ConfigurationError, PatchError
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot

FOLDER = ".suture"
_INTENT = "applying.json"


class _Rename(msgspec.Struct, frozen=True):
    staged: str
    """Path of the staged content; empty for a deletion."""
    target: str


def apply(root: Path, patch: Patch) -> None:
    """Change the workspace's files as the patch says; where one is not what the patch expects, raise PatchError and change nothing."""
    snapshot = Snapshot(root)
    patch.apply(snapshot)
    folder = own_folder(root)
    renames: list[_Rename] = []
    try:
        renames += (_stage(root, edit) for edit in patch.edits)
        _write_durably(folder / _INTENT, msgspec.json.encode(renames))
    except OSError as error:
        for rename in renames:
            if rename.staged:
                (root / rename.staged).unlink(missing_ok=True)
        raise PatchError(
            f"cannot write to the workspace: {error}", remedy="make room or make the files writable, then run again"
        ) from error
    _finish(root, renames)


def recover(root: Path) -> bool:
    """Finish an `apply` that was interrupted; True when there was one."""
    intent = root / FOLDER / _INTENT
    try:
        renames = msgspec.json.decode(intent.read_bytes(), type=list[_Rename])
    except FileNotFoundError:
        return False
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(f"{intent} is damaged: {error}", remedy=f"look at the files it names, then delete {intent}") from error
    _check_intent(root, renames)
    _finish(root, renames)
    return True


def write_diff(root: Path, name: str, patch: Patch) -> str:
    """Write `.suture/patches/NAME.diff` and return its path relative to the workspace."""
    folder = own_folder(root) / "patches"
    folder.mkdir(exist_ok=True)
    _write_durably(folder / f"{name}.diff", patch.diff().encode())
    return f"{FOLDER}/patches/{name}.diff"


def own_folder(root: Path) -> Path:
    """The workspace's `.suture` folder, made when it is missing, which git ignores; refused when it is a link."""
    folder = root / FOLDER
    if folder.is_symlink():
        raise ConfigurationError(f"{folder} is a symbolic link", remedy="remove it; suture writes its patches there")
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return folder


def _stage(root: Path, edit: FileEdit) -> _Rename:
    """Write the new content beside its target, with the target's mode."""
    if edit.after is None:
        return _Rename("", edit.path)
    target = root / edit.path
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_name(f".{target.name}.suture-{secrets.token_hex(4)}")
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        try:
            file.write(edit.after)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        except OSError:
            staged.unlink(missing_ok=True)
            raise
    return _Rename(staged.relative_to(root).as_posix(), edit.path)


def _finish(root: Path, renames: list[_Rename]) -> None:
    for rename in renames:
        if not rename.staged:
            (root / rename.target).unlink(missing_ok=True)
        elif (root / rename.staged).exists():
            (root / rename.staged).replace(root / rename.target)
    (root / FOLDER / _INTENT).unlink(missing_ok=True)


def _check_intent(root: Path, renames: list[_Rename]) -> None:
    """An intent is a file in the workspace, so it may be forged: only renames that `apply` itself would make are carried out."""
    snapshot = Snapshot(root)
    for path in _paths(renames):
        snapshot.check_path(path)
    for rename in renames:
        staged, target = Path(rename.staged), Path(rename.target)
        if rename.staged and not (staged.parent == target.parent and staged.name.startswith(f".{target.name}.suture-")):
            raise ConfigurationError(f"{root / FOLDER / _INTENT} names files that suture did not stage", remedy="delete it")


def _paths(renames: list[_Rename]) -> Iterator[str]:
    for rename in renames:
        yield rename.target
        if rename.staged:
            yield rename.staged


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


def _umask() -> int:
    """The process's umask; it can only be read by setting it."""
    value = os.umask(0o077)
    os.umask(value)
    return value
