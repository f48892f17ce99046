"""Applies patches in children that meet with accidents: one JSON job a line on stdin, one line of exit codes on stdout.

An accident happens right before the n-th change of the file system: `kill` (SIGKILL), `fault` (the operation fails once), `stop` (another
child does the job's `second` patch, or a person edits a file meanwhile, then the first is killed or goes on). A child ends with 0 done,
1 refused, 2 not recovered.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import time
from pathlib import Path

from suture_agent.apply import apply, recover
from suture_sandbox.errors import ConfigurationError, PatchError
from suture_sandbox.patch import FileEdit, Patch

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.link", "os.symlink"}


def main() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        codes = _stopped(job) if job.get("accident") == "stop" else [_code(_child(job))]
        print(json.dumps(codes), flush=True)


def _stopped(job: dict) -> list[int]:
    first = _child(job)
    _, status = os.waitpid(first, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        return [os.waitstatus_to_exitcode(status)]
    if job["then"] == "edit":
        Path(job["root"], job["path"]).write_text(job["text"])
        os.kill(first, signal.SIGCONT)
        return [_code(first)]
    second = _child({"root": job["root"], "work": "apply", "edits": job["second"]})
    time.sleep(0.02)  # long enough to do harm where nothing holds it back
    os.kill(first, signal.SIGKILL if job["then"] == "kill" else signal.SIGCONT)
    return [_code(first), _code(second)]


def _code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _child(job: dict) -> int:
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        code = _work(job)
    finally:
        os._exit(code)


def _work(job: dict) -> int:
    root = Path(job["root"])
    patch = Patch(tuple(FileEdit(path=path, before=_bytes(before), after=_bytes(after)) for path, before, after in job.get("edits", [])))
    if job.get("step"):
        _arrange(job["accident"], job["step"])
    try:
        if job["work"] == "apply":
            apply(root, patch)
        else:
            recover(root)
    except PatchError:
        return 1
    except ConfigurationError:
        return 2
    return 0


def _arrange(accident: str, step: int) -> None:
    seen = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if not writes and event not in CHANGES:
            return
        seen += 1
        if seen != step:
            return
        if accident == "fault":
            raise OSError(errno.EIO, "the disk is worn out")
        os.kill(os.getpid(), signal.SIGKILL if accident == "kill" else signal.SIGSTOP)

    sys.addaudithook(hook)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("latin-1")


if __name__ == "__main__":
    main()
