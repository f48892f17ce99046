"""Starting the command: the first process of the namespace gives up what it does not need any more, and starts the program, or becomes it.

Limits and filter are put on this process itself, from which the program has them. That lets the program be started without a copy of this
process in between (`posix_spawn`), which is half of what an attempt would cost otherwise.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Collection, Generator

from suture_sandbox.docker.inside import kernel
from suture_sandbox.docker.inside.request import MIB, Request
from suture_sandbox.local.warm import program

_FILE_MARGIN_MIB = 512  # above the limit on disk, which is looked at, so that it is the one that is named
_DEFAULT = (signal.SIGPIPE, signal.SIGXFSZ)  # Python ignores these, and what is ignored would stay so


def give_up(request: Request, filter_program: bytes | None) -> None:
    """Put the limits and the filter on this process and all that it starts, and give up its rights."""
    size = (request.disk_mib + _FILE_MARGIN_MIB) * MIB
    resource.setrlimit(resource.RLIMIT_CPU, (request.cpu_seconds, request.cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (request.open_files, request.open_files))
    if request.nice:
        os.nice(request.nice)
    kernel.give_up_rights()
    if filter_program is not None:
        kernel.filter_calls(filter_program)


def start(request: Request, streams: tuple[int, int, int], report: str, changes: int | None) -> int:
    """Start the command; its process id, or minus the exit code that a shell would give where it cannot be started."""
    argv = [argument.replace("{report}", report) for argument in request.argv]
    if changes is not None:
        os.set_inheritable(changes, True)
        argv = [request.python, "-I", "-S", "-c", request.keep, request.root, str(changes), *argv]
    actions = [(os.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(streams)]
    os.environ["PATH"] = request.variables.get("PATH", os.defpath)  # which is searched
    try:
        os.chdir(request.folder)
    except OSError as error:
        return _refused(streams[2], request.folder, str(error.strerror), 127)
    try:
        with _chosen_first():
            return os.posix_spawnp(argv[0], argv, request.variables, file_actions=actions, setsigdef=_DEFAULT, setsid=True)
    except (FileNotFoundError, NotADirectoryError):
        return _refused(streams[2], request.argv[0], "not found", 127)
    except OSError as error:
        return _refused(streams[2], request.argv[0], str(error.strerror), 126)


def fork(request: Request, streams: tuple[int, int, int], report: str, scout: int | None, kept: Collection[int]) -> int:
    """In a process that has the program loaded: a child that is the program; its process id. Of descriptors it has those in `kept`."""
    with _chosen_first():
        child = os.fork()
    if child:
        return child
    kernel.show(True)  # as every program is to itself
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    stay = {*kept, *streams, scout, 0, 1, 2}
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in stay:
            with contextlib.suppress(OSError):  # the one that lists
                os.close(int(name))
    order = {
        "module": request.module,
        "arguments": [argument.replace("{report}", report) for argument in request.argv[3:]],
        "folder": request.folder,
        "variables": request.variables,
        "prefixes": request.prefixes,
    }
    program.run(order, list(streams), scout)
    os._exit(1)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content`, however large."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


@contextlib.contextmanager
def _chosen_first() -> Generator[None]:
    """Where memory runs out, the command is to be chosen before this process, which has to tell of it."""
    kernel.show(True)
    try:
        place = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        place = -1
    kernel.show(False)
    if place < 0:
        yield
        return
    try:
        os.write(place, b"500")
        yield
        with contextlib.suppress(OSError):
            os.write(place, b"0")
    finally:
        os.close(place)


def _refused(stream: int, what: str, why: str, code: int) -> int:
    os.write(stream, os.fsencode(f"{what}: {why}\n"))
    return -code
