"""What an attempt sees of the machine: the arguments of bubblewrap that are the same for every command on one workspace.

An allow-list. The new root is an empty memory file system; into it go the system's programs, a made-up minimal /etc, the toolchain, and the
workspace as a copy-on-write overlay at its own path. Whatever is not listed here does not exist inside: no $HOME, no /run, no /sys, no
other user, no host process. Everything that can be written (overlay, /tmp, HOME) lies on that one memory file system, so that one number
says how much was written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from suture_sandbox.environment import Environment
from suture_sandbox.errors import ConfigurationError

HOME = "/home/suture"
SHARED_MEMORY_MIB = 64
"""Size of /dev/shm inside."""

USER = 1000
"""The user inside."""
ZYGOTE_MIB = 64
"""What a zygote may write."""
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = (
    *("/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki/tls/certs", "/etc/pki/ca-trust"),
    *("/etc/ca-certificates", "/etc/mime.types", "/etc/protocols", "/etc/services"),
)
_RESERVED = ("/proc", "/dev", "/etc", "/sys", "/bin", "/sbin", "/lib", "/lib64")

ETC_FILES: Mapping[str, bytes] = {
    "/etc/passwd": f"suture:x:{USER}:{USER}:suture:{HOME}:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n".encode(),
    "/etc/group": f"suture:x:{USER}:\nnogroup:x:65534:\n".encode(),
    "/etc/hosts": b"127.0.0.1 localhost suture\n::1 localhost\n",
    "/etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
}
"""Made-up files: nothing of the host's users and networks shows."""


def isolation() -> list[str]:
    """Namespaces, privileges and the ties to the parent."""
    return [*_namespaces(USER), "--as-pid-1", "--cap-drop", "ALL"]


def isolation_of_zygote() -> list[str]:
    """The same for a process that makes attempts of its own: it keeps the capabilities of its namespace, which is not the host's."""
    return [*_namespaces(0), "--cap-add", "ALL"]


def _namespaces(user: int) -> list[str]:
    # --unshare-user beside --unshare-all: the latter alone goes on without a user namespace where it cannot have one
    namespaces = ["--unshare-user", "--unshare-all", "--hostname", "suture", "--uid", str(user), "--gid", str(user)]
    return [*namespaces, "--die-with-parent", "--new-session", "--clearenv"]


def mounts(root: Path, environment: Environment) -> list[str]:
    """Everything that is mounted, parents before children, so that a workspace below /tmp, $HOME or /usr works."""
    return [*_machine(root), *_workspace(root, environment, ("--overlay-src", str(root), "--tmp-overlay", str(root)))]


def mounts_of_zygote(root: Path, environment: Environment, scratch: str) -> list[str]:
    """The same with the workspace read-only, and a folder for what attempts mount."""
    own = ["--dir", scratch, "--size", str(ZYGOTE_MIB << 20), "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108  # inside the sandbox
    return [*_machine(root), *own, *_workspace(root, environment, ("--ro-bind", str(root), str(root)))]


def _machine(root: Path) -> list[str]:
    check_root(root)
    system = [argument for path in _SYSTEM for argument in _system(path)]
    etc = [argument for path in _ETC if Path(path).exists() for argument in ("--ro-bind", path, path)]
    shared_memory = ["--perms", "1777", "--size", str(SHARED_MEMORY_MIB << 20), "--tmpfs", "/dev/shm"]  # noqa: S108  # inside the sandbox
    devices = ["--proc", "/proc", "--dev", "/dev", *shared_memory, "--remount-ro", "/dev"]
    scratch = ["--perms", "1777", "--dir", "/tmp", "--perms", "1777", "--dir", "/var/tmp", "--perms", "0700", "--dir", HOME]  # noqa: S108  # inside the sandbox
    return [*system, *etc, *_local_time(), *devices, *scratch]


def check_root(root: Path) -> None:
    """Raise ConfigurationError for a workspace that cannot be laid over itself."""
    text = str(root)
    if not root.is_absolute() or text == "/" or any(text == path or text.startswith(f"{path}/") for path in _RESERVED):
        raise ConfigurationError(
            f"{root} cannot be a workspace: the sandbox needs that place itself", remedy="open the project's own folder"
        )


def readable() -> list[str]:
    """What may be read beside the workspace, the toolchain and what can be written."""
    return [*_SYSTEM, "/etc", "/proc", "/dev"]


def writable(root: Path) -> list[str]:
    """What may be written; files of /proc, such as a process's own name and its open report, and devices too."""
    return [str(root), "/tmp", "/var/tmp", HOME, "/proc", "/dev"]  # noqa: S108  # inside the sandbox


def variables(environment: Environment, extra: Mapping[str, str]) -> list[str]:
    """The variables inside: these, and PWD, and nothing of the host's."""
    search_path = ":".join(environment.runtime.search_path) or "/usr/bin:/bin"
    inside = {"PATH": search_path, "HOME": HOME, "TMPDIR": "/tmp", **environment.runtime.variables, **extra}  # noqa: S108  # inside
    return [argument for name, value in inside.items() for argument in ("--setenv", name, value)]


def _system(path: str) -> Iterator[str]:
    if os.path.islink(path):  # noqa: PTH114  # a link must stay a link
        yield from ("--symlink", os.readlink(path), path)  # noqa: PTH115  # the same
    elif os.path.isdir(path):  # noqa: PTH112  # the same
        yield from ("--ro-bind", path, path)


def _local_time() -> list[str]:
    path = Path("/etc/localtime")
    if path.is_symlink():
        target = os.path.realpath(path)
        return ["--symlink", target, str(path)] if target.startswith("/usr/") else []
    return ["--ro-bind", str(path), str(path)] if path.is_file() else []


def _workspace(root: Path, environment: Environment, how: tuple[str, ...]) -> Iterator[str]:
    binds = {Path(path): ("--ro-bind", path, path) for path in toolchain(environment)}
    for _, arguments in sorted({**binds, root: how}.items(), key=lambda item: item[0].parts):
        yield from arguments


def toolchain(environment: Environment) -> list[str]:
    """The environment's read-only paths that exist and are not part of the system's folders anyway."""
    wanted = {os.path.normpath(path) for path in environment.runtime.readonly}
    return sorted(path for path in wanted if os.path.exists(path) and not _is_system(path))  # noqa: PTH110  # paths are str here


def _is_system(path: str) -> bool:
    return path == "/" or any(path == folder or path.startswith(f"{folder}/") for folder in _SYSTEM)
