"""Handing back what a command changed in the workspace (`Command.keep`).

Inside, a small Python program (`INSIDE`, run isolated and without site packages) lists the workspace, runs the command, lists it again and
writes what differs to an inherited memory file. Outside, `read_changes` takes that as hostile input: paths are checked, sizes are bounded,
nothing is ever written to disk. Deliberately left out: links, devices, secrets, what is excluded, git's and suture's own folders, and
caches that tools make.
"""

from __future__ import annotations

from collections.abc import Sequence

from suture_sandbox.errors import PatchError
from suture_sandbox.globs import is_excluded
from suture_sandbox.local.masks import is_secret
from suture_sandbox.snapshot import Snapshot

MAX_FILES = 64
MAX_BYTES = 8 << 20

LEFT_OUT = (".git", ".suture", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "node_modules")

# Frames: one letter (F file, D deleted, ! something could not be handed back, E end), then path and content, each behind its length in 8
# bytes.
INSIDE = f"""
import os, stat, sys
LEFT_OUT, FILES, BYTES = {set(LEFT_OUT)!r}, {MAX_FILES}, {MAX_BYTES}
root, out, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
os.set_inheritable(out, False)
def listing():
    found, waiting = {{}}, [""]
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(os.path.join(root, folder)))
        except OSError:
            continue
        if folder and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            path = os.path.join(folder, entry.name)
            if entry.name in LEFT_OUT:
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
                continue
            try:
                s = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            found[path] = (s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns)
    return found
def frame(kind, path=b"", content=b""):
    os.write(out, kind + len(path).to_bytes(8, "big") + path + len(content).to_bytes(8, "big"))
    while content:
        content = content[os.write(out, content):]
def content_of(path):
    fd = os.open(os.path.join(root, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(fd, "rb") as file:
        return file.read(BYTES + 1)
before = listing()
try:
    pid = os.posix_spawnp(command[0], command, os.environ, setsigdef=[13, 25])
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
except OSError as error:
    print(f"{{command[0]}}: {{error.strerror}}", file=sys.stderr)
    code = 127
after, files, size = listing(), 0, 0
for path in sorted(before.keys() | after.keys()):
    if before.get(path) == after.get(path):
        continue
    gone, state = path not in after, after.get(path)
    name = os.fsencode(path)
    files += 1
    try:
        if files > FILES or not (gone or stat.S_ISREG(state[0])):
            frame(b"!")
        elif gone:
            frame(b"D", name)
        else:
            content = content_of(path)
            fits = size + len(content) <= BYTES
            size += len(content) if fits else 0
            frame(b"F", name, content) if fits else frame(b"!")
    except OSError:
        frame(b"!")
frame(b"E")
os._exit(code if code >= 0 else 128 - code)
"""


def read_changes(data: bytes, snapshot: Snapshot, excluded: Sequence[str] = ()) -> tuple[dict[str, bytes | None], bool]:
    """The changes that the attempt reported and whether they are all; never raises, whatever the attempt wrote."""
    changes: dict[str, bytes | None] = {}
    whole = True
    offset = 0
    while offset < len(data):
        kind = data[offset : offset + 1]
        name, offset = _field(data, offset + 1)
        content, offset = _field(data, offset)
        if name is None or content is None:
            return changes, False
        if kind == b"E":
            return changes, whole
        path = _checked(name, snapshot, excluded) if kind in (b"F", b"D") else None
        if path is None or len(changes) >= MAX_FILES:
            whole = whole and kind in (b"F", b"D") and _is_left_out(name, excluded)
        elif snapshot.read(path) != (new := content if kind == b"F" else None):
            changes[path] = new
    return changes, False


def _field(data: bytes, offset: int) -> tuple[bytes | None, int]:
    start = offset + 8
    length = int.from_bytes(data[offset:start], "big")
    if start > len(data) or length > len(data) - start:
        return None, len(data)
    return data[start : start + length], start + length


def _checked(name: bytes, snapshot: Snapshot, excluded: Sequence[str]) -> str | None:
    try:
        path = name.decode()
        snapshot.check_path(path)
    except (UnicodeDecodeError, PatchError, ValueError, OSError):
        return None
    return None if _is_left_out(name, excluded) else path


def _is_left_out(name: bytes, excluded: Sequence[str]) -> bool:
    path = name.decode(errors="replace")
    return is_secret(path) or is_excluded(path, excluded) or any(part in LEFT_OUT for part in path.split("/"))
