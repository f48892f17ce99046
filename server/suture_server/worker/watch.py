"""Noticing what changes on the disk outside of the editor: checkouts, formatters, lock files, installed packages.

Folders are watched one by one (inotify has no way to leave some out), without those of caches, environments and git's objects. Where there
are more than the kernel or `MOST_FOLDERS` allow, the rest goes unwatched and a note says so. What it deliberately is not: exact. An event
says that something may have changed; who gets it looks.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from suture_agent.tools.bench import SKIPPED_FOLDERS
from suture_server.worker.inotify import Inotify

MOST_FOLDERS = 4000
MOST_HEADS = 100
"""Folders of branches among them."""
QUIET_SECONDS = 0.15
"""Changes that come together are told together."""
LONGEST_SECONDS = 1.0
"""And are told after this long even while more come."""
GIT_FILES = frozenset({"HEAD", "ORIG_HEAD", "packed-refs"})
ENVIRONMENT_FILES = frozenset(
    {
        *("suture.toml", "suture.lock", "pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "pytest.ini", "mypy.ini", ".mypy.ini"),
        *(
            "ruff.toml",
            ".ruff.toml",
            "pyrightconfig.json",
            ".flake8",
            "uv.lock",
            "poetry.lock",
            "pdm.lock",
            "pylock.toml",
            "pylock.suture.toml",
            "pyvenv.cfg",
        ),
    }
)
"""Names that the environment or the checks follow from; requirements*.txt too."""
INSTALLED_SECONDS = 1.0
"""Packages that are installed come one after the other; they are told once none has come for so long."""
_INSTALLED = (".dist-info", ".egg-info", ".egg-link", ".pth")
"""How the names end of what says that a package is installed."""
MOST_NAMED = 1000
"""Files of a new folder that are told one by one."""
_FULL = frozenset({errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""What the kernel says when it watches no more."""

Told = Callable[[tuple[str, ...], bool, bool], None]


class Watch:
    """Watches one workspace; `told(paths, head, environment)` is called from a thread of its own."""

    def __init__(self, root: Path, told: Told, packages: Sequence[Path] = ()) -> None:
        """`packages`: the site-packages folders of the environment, wherever they lie."""
        self._root = str(root)
        self._packages = frozenset(map(str, packages))
        self._inside = len(self._root.rstrip("/")) + 1
        self._told = told
        self._inotify: Inotify | None = None
        self._thread: threading.Thread | None = None
        self._events: queue.SimpleQueue[tuple[str, bool] | None] = queue.SimpleQueue()
        self._paths: set[str] = set()
        self._head = False
        self._installed = False
        self.note = ""
        """What is not watched, for a log."""

    @property
    def watching(self) -> bool:
        """Whether changes are told."""
        return self._thread is not None

    def start(self) -> None:
        """Watch the folders there are; never raises: a workspace that cannot be watched is checked on save all the same."""
        try:
            self._inotify = Inotify(lambda path, new_folder: self._events.put((path, new_folder)))
            self._inotify.add(self._root)
        except OSError as error:
            self.note = f"changes outside the editor are not noticed: {error}"
            self._close()
            return
        self._add_all(self._inotify)
        self._thread = threading.Thread(target=self._run, args=(self._inotify,), name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; idempotent."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._events.put(None)
            thread.join()
        self._close()

    def _close(self) -> None:
        inotify, self._inotify = self._inotify, None
        if inotify is not None:
            inotify.close()

    def _run(self, inotify: Inotify) -> None:
        """Gather what changes, and tell it once it is quiet."""
        since = 0.0
        while True:
            waiting = bool(self._paths or self._head)
            try:
                event = self._events.get(timeout=QUIET_SECONDS if waiting else INSTALLED_SECONDS if self._installed else None)
            except queue.Empty:
                if waiting:
                    self._tell()
                else:
                    self._installed = False
                    self._told((), False, True)
                continue
            if event is None:
                return
            since = since if waiting else time.monotonic()
            path, new_folder = event
            self._note(inotify, path, new_folder=new_folder)
            if time.monotonic() - since > LONGEST_SECONDS:
                self._tell()

    def _note(self, inotify: Inotify, path: str, *, new_folder: bool) -> None:
        if not path:  # events were lost: whoever hears of it looks at everything
            self._head = True
            self._add_all(inotify)
            return
        folder, _, name = path.rpartition("/")
        if folder in self._packages:
            self._installed |= name.endswith(_INSTALLED)
            return
        parts = path[self._inside :].split("/")
        if parts[0] == ".git" and len(parts) > 1:
            self._head |= parts[-1] in GIT_FILES or (parts[1:3] == ["refs", "heads"] and not parts[-1].endswith(".lock"))
            if new_folder and parts[1] == "refs":
                self._add_apart(inotify)
        elif SKIPPED_FOLDERS.isdisjoint(parts):
            self._paths.add(_shown("/".join(parts)))
            if new_folder:
                self._paths.update(self._files(self._add_tree(inotify, path)))
        elif parts[-1] == "pyvenv.cfg":
            self._paths.add(_shown("/".join(parts)))
        elif new_folder and len(parts) == 1:
            self._add_apart(inotify)
            if os.path.exists(f"{path}/pyvenv.cfg"):  # noqa: PTH110  # the path is text already
                self._paths.add(f"{parts[0]}/pyvenv.cfg")

    def _files(self, folders: list[str]) -> list[str]:
        """The files in new folders: what was made in them before they were watched."""
        found: list[str] = []
        for folder in folders:
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                found += [_shown(each.path[self._inside :]) for each in entries if not each.is_dir(follow_symlinks=False)]
            if len(found) > MOST_NAMED:
                break
        return found[:MOST_NAMED]

    def _add_all(self, inotify: Inotify) -> None:
        self._add_tree(inotify, self._root)
        self._add_apart(inotify)

    def _add_apart(self, inotify: Inotify) -> None:
        """What is of interest in skipped folders: HEAD, branches, and what an environment is made of."""
        for name in (".venv", "venv", ".git", ".git/refs"):
            if os.path.isdir(f"{self._root}/{name}"):  # noqa: PTH112  # the path is text already
                self._add(inotify, f"{self._root}/{name}")
        self._add_tree(inotify, f"{self._root}/.git/refs/heads", most=MOST_HEADS)
        for folder in self._packages:
            self._add(inotify, folder)

    def _add_tree(self, inotify: Inotify, folder: str, most: int = MOST_FOLDERS) -> list[str]:
        """Watch a folder and those below it; returns them."""
        added: list[str] = []
        for each in _folders(folder):
            if len(added) >= most or not self._add(inotify, each):
                break
            added.append(each)
        return added

    def _add(self, inotify: Inotify, folder: str) -> bool:
        """Watch a folder; False where no more can be watched."""
        if len(inotify) >= MOST_FOLDERS:
            self.note = f"more than {MOST_FOLDERS} folders: changes outside the editor are noticed in the first of them only"
            return False
        try:
            inotify.add(folder)
        except OSError as error:
            if error.errno in _FULL:
                self.note = f"changes outside the editor are noticed in {len(inotify)} folders only: {error.strerror}"
                return False
        return True

    def _tell(self) -> None:
        paths, head = tuple(sorted(self._paths)), self._head
        self._paths, self._head = set(), False
        if paths or head:
            self._told(paths, head, any(decides_environment(path) for path in paths))


def decides_environment(path: str) -> bool:
    """Whether the environment or the checks may follow from a file."""
    name = path.rpartition("/")[2]
    return name in ENVIRONMENT_FILES or (name.startswith("requirements") and name.endswith(".txt"))


def _folders(root: str) -> Iterator[str]:
    """The folder and those below it, nearest first, without links and what is skipped."""
    queue = [root]
    for folder in queue:
        yield folder
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            queue += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False) and entry.name not in SKIPPED_FOLDERS]


def _shown(path: str) -> str:
    """A path as messages can hold it."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
