"""An attempt as the agent is asked for it: what to lay over the workspace, what to hide, what to run, how far it may go.

The agent's answer to a `Command`; everything is sent, nothing is written to the host's disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import msgspec

from suture_sandbox.backend import Command
from suture_sandbox.docker.inside.request import Breeding, Request
from suture_sandbox.environment import Environment
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.local import keep
from suture_sandbox.local.bytecode import bytecode_of
from suture_sandbox.local.layout import HOME, SHARED_MEMORY_MIB
from suture_sandbox.local.masks import Masks, is_masked
from suture_sandbox.local.output import STOP_FACTOR
from suture_sandbox.snapshot import Snapshot

SOURCE = "/run/suture-workspace"
"""Where a container of strict mode has the workspace, read-only."""
COPIED_FILES = 20_000
COPIED_MIB = 128
"""What is copied into memory at most, in strict mode."""

_MIB = 1 << 20
_REPORT_FACTOR = 8  # a report may be this much larger than what is kept of the output


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One request with its blobs, as they are sent."""

    request: Request
    blobs: tuple[bytes, ...]
    seconds: int


class _Files:
    """Paths with their contents, each content once."""

    def __init__(self) -> None:
        self.placed: list[tuple[str, int]] = []
        self.blobs: list[bytes] = [b""]

    def empty(self, path: str) -> None:
        self.placed.append((path, 0))

    def put(self, path: str, content: bytes) -> None:
        self.placed.append((path, self.add(content)))

    def add(self, content: bytes) -> int:
        self.blobs.append(content)
        return len(self.blobs) - 1


def order(
    snapshot: Snapshot,
    environment: Environment,
    command: Command,
    masks: Masks,
    *,
    strict: bool,
    seccomp: bytes | None,
    module: str = "",
    scout: bool = False,
) -> Order:
    """The whole order; raises PatchError for an overlay path that is not one, SandboxFailed for a folder outside.

    `module` is what a zygote has loaded, which the attempt is to be forked from; `scout` as in the request.
    """
    root, limits = str(snapshot.root), environment.limits
    files, deleted = _files(snapshot, environment, masks)
    stdin = files.add(command.stdin) if command.stdin else 0
    filtered = -1 if seccomp is None else files.add(seccomp)
    folder = _folder(snapshot.root, command)
    _refuse_nul(command)
    seconds = limits.seconds if command.seconds is None else min(command.seconds, limits.seconds)
    request = Request(
        strict=strict,
        root=root,
        source=SOURCE if strict else root,
        home=HOME,
        argv=list(command.argv),
        folder=folder,
        variables={**variables(environment), **command.variables, "PWD": folder},
        python=environment.runtime.python,
        files=files.placed,
        deleted=deleted,
        empty_folders=list(masks.folders),
        seconds=seconds,
        cpu_seconds=limits.cpu_seconds,
        disk_mib=limits.disk_mib,
        open_files=limits.open_files,
        shared_memory=SHARED_MEMORY_MIB * _MIB,
        flood=limits.output_mib * STOP_FACTOR * _MIB,
        report=any("{report}" in argument for argument in command.argv),
        report_bytes=limits.output_mib * _REPORT_FACTOR * _MIB,
        keep=keep.INSIDE if command.keep else "",
        changes_bytes=2 * keep.MAX_BYTES,
        nice=command.nice,
        module=module,
        prefixes=prefixes(environment),
        scout=scout,
        most_files=COPIED_FILES,
        most_bytes=COPIED_MIB * _MIB,
        seccomp=filtered,
        stdin=stdin,
        blobs=len(files.blobs),
    )
    return Order(request=request, blobs=tuple(files.blobs), seconds=seconds)


def breeding(environment: Environment, root: Path, module: str, names: Sequence[str]) -> Breeding:
    """The zygote to ask for."""
    return Breeding(
        module=module,
        names=list(names),
        root=str(root),
        prefixes=prefixes(environment),
        python=environment.runtime.python,
        variables={**variables(environment), "PWD": HOME},
        home=HOME,
        shared_memory=SHARED_MEMORY_MIB * _MIB,
    )


def prefixes(environment: Environment) -> list[str]:
    """Folders below which an image's modules lie; a workspace lies in none of them."""
    return [str(PurePosixPath(environment.runtime.python).parents[1]), "/usr"]


def variables(environment: Environment) -> dict[str, str]:
    """What is set inside: these and nothing of the host's or the image's."""
    search_path = ":".join(environment.runtime.search_path) or "/usr/bin:/bin"
    return {"PATH": search_path, "HOME": HOME, "TMPDIR": "/tmp", **environment.runtime.variables}  # noqa: S108  # inside


def _files(snapshot: Snapshot, environment: Environment, masks: Masks) -> tuple[_Files, list[str]]:
    """Edits, what is to appear empty, and bytecode that Python could take for an edited file's; and what was deleted."""
    files = _Files()
    deleted: list[str] = []
    for path, content in snapshot.overlay.items():
        snapshot.check_path(path)
        if any(path.startswith(f"{folder}/") for folder in masks.folders):
            continue  # the whole folder appears empty
        if content is None:
            deleted.append(path)
            continue
        if is_masked(path, environment.unmasked, environment.excluded):
            files.empty(path)
        else:
            files.put(path, content)
        for cached in bytecode_of(snapshot.root / path, len(content)) if path.endswith(".py") else ():
            files.empty(str(cached))
    for path in masks.files:
        if path not in snapshot.overlay:
            files.empty(path)
        for cached in bytecode_of(snapshot.root / path) if path.endswith(".py") else ():
            files.empty(str(cached))
    return files, deleted


def _folder(root: Path, command: Command) -> str:
    pure = PurePosixPath(command.folder)
    if pure.is_absolute() or ".." in pure.parts:
        raise SandboxFailed(f"{command.folder!r} is not a folder inside the workspace")
    return str(root / pure)


def _refuse_nul(command: Command) -> None:
    if any("\0" in text for text in (*command.argv, *command.variables, *command.variables.values())):
        raise SandboxFailed("the command has a NUL in an argument or a variable")
