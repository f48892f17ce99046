"""What a zygote is asked for: which commands can be run warm, and one attempt as a message with descriptors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any

from suture_sandbox.backend import Command
from suture_sandbox.environment import Environment
from suture_sandbox.local import layout, overlay
from suture_sandbox.local.limits import resource_limits
from suture_sandbox.local.masks import Masks
from suture_sandbox.local.plan import folder_of, write_all
from suture_sandbox.snapshot import Snapshot

_SCRATCH_MARGIN_MIB = 512
"""So much more than the limit can be written before the kernel refuses it: the watchdog comes first and names the limit."""
_FIXED_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "TZ")
"""Variables that an interpreter looks at once."""


def module_of(command: Command, environment: Environment) -> str:
    """The module of `python -m MODULE`; empty for a command that cannot be run warm."""
    program, *options = command.argv
    if program not in ("python", "python3", environment.runtime.python) or options[:1] != ["-m"] or len(options) < 2:
        return ""
    fixed = any(name.startswith(_FIXED_AT_START) for name in command.variables)
    return options[1] if not fixed and not command.keep and options[1].replace(".", "").isidentifier() else ""


def order(
    snapshot: Snapshot, environment: Environment, command: Command, masks: Masks, calls: bytes | None, files: ExitStack
) -> tuple[dict[str, Any], list[int]]:
    """The message, and descriptors: standard input, the files' bytes, and the report where the command has one."""
    laid = list(overlay.files(snapshot, environment, masks))
    root = str(snapshot.root)
    message: dict[str, Any] = {
        "root": root,
        "home": layout.HOME,
        "user": layout.USER,
        "scratch_mib": environment.limits.disk_mib + _SCRATCH_MARGIN_MIB,
        "shared_memory_mib": layout.SHARED_MEMORY_MIB,
        "toolchain": [path for path in layout.toolchain(environment) if _is_covered(path, root)],
        "prefixes": prefixes(environment),
        "hidden_folders": [f"{root}/{path}" for path in masks.folders],
        "files": [(path, len(content)) for path, content in laid],
        "deleted": overlay.deleted(snapshot),
        "limits": [int(each) for each in resource_limits(environment.limits)],
        "readable": [*layout.readable(), *layout.toolchain(environment)],
        "writable": layout.writable(snapshot.root),
        "filter": (calls or b"").hex(),
        "variables": dict(command.variables),
        "folder": folder_of(snapshot.root, command),
        "module": command.argv[2],
        "arguments": list(command.argv[3:]),
        "report": any("{report}" in argument for argument in command.argv),
        "scout": False,
    }
    fds = [_memory(command.stdin, files), _memory(b"".join(content for _, content in laid), files)]
    if message["report"]:
        fds.append(_memory(b"", files))
    return message, fds


def prefixes(environment: Environment) -> list[str]:
    """Folders of the toolchain, below which modules are the environment's."""
    return [*layout.toolchain(environment), "/usr"]


def shadows(snapshot: Snapshot, environment: Environment, loaded: Iterable[str]) -> str:
    """A name that the workspace gives to a module of its own and the zygote has loaded from elsewhere; empty where there is none."""
    names = set(loaded)
    for name in (*_first_on_path(snapshot.root, environment), *_added(snapshot)):
        if name in names:
            return name
    return ""


def _first_on_path(root: Path, environment: Environment) -> Iterator[str]:
    """Names of modules in the workspace's folders that Python looks into before its own."""
    searched = environment.runtime.variables.get("PYTHONPATH", "").split(":")
    for folder in (str(root), *(each for each in searched if each.startswith(f"{root}/"))):
        try:
            with os.scandir(folder) as entries:
                yield from (entry.name.partition(".")[0] for entry in entries if entry.name.endswith((".py", ".so")) or entry.is_dir())
        except OSError:
            continue


def _added(snapshot: Snapshot) -> Iterator[str]:
    """Names that new files could be imported under, wherever Python looks."""
    for path, content in snapshot.overlay.items():
        if content is not None and path.endswith(".py") and not (snapshot.root / path).exists():
            yield from (part.partition(".")[0] for part in PurePosixPath(path).parts)


def _is_covered(path: str, root: str) -> bool:
    """Whether something is mounted over a place above a path of the toolchain."""
    return any(path.startswith(f"{place}/") for place in (root, "/tmp", "/var/tmp", layout.HOME))  # noqa: S108  # inside the sandbox


def _memory(content: bytes, files: ExitStack) -> int:
    fd = os.memfd_create("suture", os.MFD_CLOEXEC)
    files.callback(os.close, fd)
    write_all(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
