"""What a command sees in strict mode: the workspace copied into the container's memory, without any right to mount."""

from __future__ import annotations

import os
import stat

from suture_sandbox.docker.inside.request import Request


class TooLarge(Exception):
    """The workspace has more files or bytes than are copied."""


class Copy:
    """One copy; links stay links, pipes and devices are left out, and so is what is to appear empty."""

    def __init__(self, request: Request) -> None:
        self._root = request.root
        self._hidden = {path for path, _ in request.files} | {*request.empty_folders, *request.deleted}
        self._files = request.most_files
        self._bytes = request.most_bytes

    def make(self, source: int) -> None:
        """Copy what lies in the folder behind a descriptor; raises TooLarge, or OSError for what may not be read."""
        self._folder(source, "")

    def _folder(self, source: int, relative: str) -> None:
        with os.scandir(source) as entries:
            listed = list(entries)
        for entry in listed:
            path = relative + entry.name
            self._files -= 1
            if self._files < 0 or self._bytes < 0:
                raise TooLarge
            if entry.is_symlink():
                os.symlink(os.readlink(entry.name, dir_fd=source), f"{self._root}/{path}")
            elif path in self._hidden:
                continue
            elif entry.is_dir(follow_symlinks=False):
                self._inner(entry.name, source, path)
            elif entry.is_file(follow_symlinks=False):
                self._file(entry.name, source, path)

    def _inner(self, name: str, source: int, path: str) -> None:
        os.mkdir(f"{self._root}/{path}")
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source)
        try:
            self._folder(inner, f"{path}/")
            self._like(os.fstat(inner), path)
        finally:
            os.close(inner)

    def _file(self, name: str, source: int, path: str) -> None:
        reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=source)
        try:
            status = os.fstat(reading)
            self._bytes -= status.st_size
            if self._bytes < 0:
                raise TooLarge
            writing = os.open(f"{self._root}/{path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                offset = 0
                while sent := os.sendfile(writing, reading, offset, 1 << 24):
                    offset += sent
            finally:
                os.close(writing)
        finally:
            os.close(reading)
        self._like(status, path)

    def _like(self, status: os.stat_result, path: str) -> None:
        """Permissions and times as they were: tools compare those with what they have cached."""
        place = f"{self._root}/{path}"
        os.chmod(place, stat.S_IMODE(status.st_mode) & 0o777)
        os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
