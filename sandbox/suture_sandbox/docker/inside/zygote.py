"""The zygote: the environment's own interpreter with a check's tool loaded, which forks a process for every attempt.

Started by `breeding` in namespaces of its own. It holds what makes the views of attempts, in the container's user namespace, and never
imports anything of the workspace. It answers on one socket:

    -> {"names": [...], "prefixes": [...]}      load these modules      <- {"names": [...]}: all that is loaded now; {"threads": "name"}:
                                                                           that one starts threads; {"problem": "..."}
    -> {"lengths": [...]} with descriptors      fork an attempt         <- over, once it is; the attempt itself speaks with suture
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Collection

from suture_sandbox.docker.inside import kernel, wire
from suture_sandbox.docker.inside.attempt import Attempt
from suture_sandbox.docker.inside.request import parse
from suture_sandbox.docker.inside.view import Ground
from suture_sandbox.local.warm import program

_MESSAGE = 1 << 20


def main(archive: str, control: str, counters: str, ground: str, module: str) -> None:
    """Load `module` (`python -m MODULE` is what will be run), and serve; the rest is what the stem has found out."""
    kernel.show(False)
    kernel.forbid_new_rights()
    channel = socket.socket(fileno=int(control))
    figures = kernel.Counters([(file, key) for file, key in json.loads(counters)])
    _forget(archive)
    refusal: dict[str, str] = {}
    try:
        program.load(module)
        refusal = {"threads": module} if program.threads() > 1 else {}
    except BaseException as error:  # noqa: BLE001  # whatever it is, the other side must hear it
        refusal = {"problem": f"{module}: {error!r}"}
    _serve(channel, figures, Ground(*json.loads(ground)), refusal)


def _forget(archive: str) -> None:
    """Leave no trace of this program where the check's tool looks for modules: a workspace may have some of the same names."""
    sys.argv = ["-c"]
    sys.path[:] = [path for path in sys.path if path not in ("", archive)]
    for path in [path for path in sys.path_importer_cache if path.startswith(archive)]:
        del sys.path_importer_cache[path]
    for name in [name for name in sys.modules if name.partition(".")[0] == "suture_sandbox"]:
        del sys.modules[name]


def _serve(channel: socket.socket, counters: kernel.Counters, ground: Ground, refusal: dict[str, str]) -> None:
    """Until the other side is gone. `refusal`: why no attempt can be forked, which is the answer to whoever asks for a module."""
    own = {channel.fileno(), *(file for file, _ in counters.files)}
    kept: set[int] = set()
    while True:
        text, descriptors = wire.take_over(channel, _MESSAGE)
        if not text:
            return
        order = json.loads(text)
        if "names" in order:
            said = refusal or program.import_all(order["names"], order["prefixes"]) or program.loaded()
            program.settle()
            kept = _open() - own
            channel.send(json.dumps(said).encode())
            continue
        child = kernel.new_namespaces(kernel.OF_ATTEMPTS)
        if child == 0:
            channel.close()
            _attempt(order["lengths"], descriptors, counters, ground, kept)
        for descriptor in descriptors:
            os.close(descriptor)
        _, status = os.waitpid(child, 0)
        channel.send(b"over" if status == 0 else b"lost")


def _attempt(lengths: list[int], descriptors: list[int], counters: kernel.Counters, ground: Ground, kept: Collection[int]) -> None:
    """In the forked process: the attempt; never returns."""
    connection, payload = socket.socket(fileno=descriptors[0]), descriptors[1]
    offset = 0
    pieces: list[bytes] = []
    for length in lengths:
        pieces.append(_read(payload, length, offset))
        offset += length
    os.close(payload)
    Attempt(connection, counters, ground, parse(pieces[0]), pieces[1:], kept).run_and_leave()


def _read(descriptor: int, length: int, offset: int) -> bytes:
    pieces: list[bytes] = []
    while length and (piece := os.pread(descriptor, length, offset)):
        pieces.append(piece)
        offset += len(piece)
        length -= len(piece)
    return b"".join(pieces)


def _open() -> set[int]:
    """The descriptors that are open: what was opened by what is loaded."""
    found: set[int] = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the one that lists
            os.fstat(int(name))
            found.add(int(name))
    return found
