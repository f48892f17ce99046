"""As whom an attempt runs on the host.

An ordinary user's attempts run as that user, in a user namespace that holds nobody else. Root's attempts run as the owner of the workspace,
if that is another user who can reach the toolchain; else as root without any capability: what it may write is the copy-on-write view, and
what it may read is the allow-list of `layout`, as for everyone.
"""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

from suture_sandbox.environment import Environment
from suture_sandbox.local.layout import toolchain
from suture_sandbox.local.start import Account


def choose(root: Path, environment: Environment, bwrap: str) -> Account | None:
    """The user to switch to; None to stay who we are."""
    if os.geteuid() != 0:
        return None
    try:
        owner = root.stat()
        if owner.st_uid == 0:
            return None
        wanted = Account(owner.st_uid, _group(owner))
        needed = [str(root), bwrap, *toolchain(environment)]
        return wanted if all(_reachable(Path(path), wanted) for path in needed) else None
    except OSError:
        return None


def _group(owner: os.stat_result) -> int:
    try:
        return pwd.getpwuid(owner.st_uid).pw_gid
    except KeyError:
        return owner.st_gid


def _reachable(path: Path, account: Account) -> bool:
    """Whether the permissions of the path and of every folder above it let the account in."""
    return all(_may_enter(place.stat(), account) for place in (path, *path.parents))


def _may_enter(state: os.stat_result, account: Account) -> bool:
    wanted = stat.S_IXOTH if stat.S_ISDIR(state.st_mode) else stat.S_IROTH
    shift = 6 if state.st_uid == account.uid else 3 if state.st_gid == account.gid else 0
    return state.st_mode >> shift & wanted == wanted
