"""The kernel's notices of changed files, by watchdog: one descriptor and one thread for all folders.

watchdog's observers make two threads for each folder that is not watched with all that is below it, and cannot leave folders out; what they
stand on, its wrapper of the kernel's interface, can.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from typing import cast

from watchdog.observers.inotify_c import CallbackId, InotifyConstants, InotifyEvent, InotifyFD, Mask, WatchDescriptor

_WANTED = cast(
    "Mask",
    InotifyConstants.IN_MODIFY
    | InotifyConstants.IN_ATTRIB
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_MOVE
    | InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_ONLYDIR,
)
_OURS = CallbackId(1)


class Inotify:
    """Watched folders. `came(path, new_folder)` is called from a thread of its own; with an empty path where the kernel lost count."""

    def __init__(self, came: Callable[[str, bool], None]) -> None:
        self._came = came
        self._lock = threading.Lock()
        self._folders: dict[WatchDescriptor, str] = {}
        self._watched: set[str] = set()
        self._kernel = InotifyFD()
        self._kernel.start()

    def __len__(self) -> int:
        return len(self._folders)

    def add(self, folder: str) -> None:
        """Watch a folder, not those in it. Raises OSError."""
        with self._lock:
            if folder in self._watched:
                return
            number = self._kernel.add_callback(os.fsencode(folder), _WANTED, self, _OURS)
            if number < 0:  # watchdog says nothing of a folder that may not be read
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
            self._folders[number] = folder
            self._watched.add(folder)

    def close(self) -> None:
        """Watch nothing any more; idempotent."""
        self._kernel.stop()
        self._kernel.join(timeout=2)

    def on_event(self, event: InotifyEvent) -> None:
        """Of watchdog: something changed in a folder."""
        folder = self._folders.get(event.wd)
        if folder is None or not event.name:
            return
        path = f"{folder.rstrip('/')}/{os.fsdecode(event.name)}"
        if event.is_directory and event.is_moved_from:
            self._drop(path)
        self._came(path, event.is_directory and (event.is_create or event.is_moved_to))

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """Of watchdog: a folder is gone."""
        self._watched.discard(self._folders.pop(wd, ""))

    def on_queue_overflow(self) -> None:
        """Of watchdog: there were more changes than the kernel keeps."""
        self._came("", False)

    def _drop(self, moved: str) -> None:
        """A folder goes elsewhere, and what it holds is called otherwise there."""
        with self._lock:
            gone = [number for number, folder in self._folders.items() if folder == moved or folder.startswith(f"{moved}/")]
            for number in gone:
                self._watched.discard(self._folders.pop(number))
        self._kernel.remove_callbacks([(number, _OURS) for number in gone])
