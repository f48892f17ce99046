"""Root's own workspaces, warm: as a user that is borrowed for it, who owns nothing on the machine.

There must be no zygote that is the host's root: what it imports could write to the kernel's own settings. So it is started as a user whom
nobody else is, with the workspace shown as that user's (`borrow_program`). What comes of it is less than a cold attempt of root's is, not
more: that one is root without any right. Where the kernel or the file system has no such mounts there is no zygote, as before.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from suture_sandbox.environment import Environment
from suture_sandbox.local.layout import toolchain

_FIRST = 1_700_000_000
"""Users from here on are nobody's: far above what systems, containers and directories give out."""


def command(root: Path, environment: Environment, bwrap: str) -> tuple[str, ...]:
    """What to start in bubblewrap's place, before its path and arguments; raises OSError where the workspace cannot be looked at."""
    state = root.stat()
    user = _FIRST + os.getpid()
    task = {
        "root": str(root),
        "owner": [state.st_uid, state.st_gid],
        "user": [user, user],
        "needed": [str(Path(bwrap).parent), *toolchain(environment)],
        "parent": os.getpid(),
    }
    return (sys.executable, "-I", "-S", str(Path(__file__).with_name("borrow_program.py")), json.dumps(task))
