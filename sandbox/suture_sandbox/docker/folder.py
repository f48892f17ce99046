"""The folder on the host that leads into the containers: one below it a container, with the agent's archive and the socket.

It is made with the first container and removed with the backend; what a killed suture left is removed by its guardian, or by the next
suture that starts.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import tempfile
import zipfile
from itertools import count
from pathlib import Path

import suture_sandbox.docker.inside
from suture_sandbox.docker import owner
from suture_sandbox.local.layout import HOME

PREFIX = "suture-docker-"

_PACKAGE = "suture_sandbox/docker/inside"
_PROGRAM = "suture_sandbox/local/warm/program.py"
_MAIN = b"""
import sys
from suture_sandbox.docker.inside.main import main
main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
"""


class Folder:
    """The folder of one backend."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        (self.path / "owner").write_text(owner.mine())
        self._numbers = count()
        self._archive = archive()

    def place(self, user: tuple[int, int]) -> tuple[Path, socket.socket]:
        """A folder for one container, and the socket in it that its agent will connect to.

        Others cannot reach either, since the folder above is this user's alone; the container's user, who may be another, can.
        """
        folder = self.path / str(next(self._numbers))
        folder.mkdir()
        (folder / "agent.zip").write_bytes(self._archive)
        (folder / "passwd").write_text(
            f"suture:x:{user[0]}:{user[1]}:suture:{HOME}:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
        )
        (folder / "group").write_text(f"suture:x:{user[1]}:\nnogroup:x:65534:\n")
        for path in folder.iterdir():
            path.chmod(0o644)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / "socket"))
        (folder / "socket").chmod(0o666)
        folder.chmod(0o711)
        listener.listen(1)
        listener.setblocking(False)
        return folder, listener

    def remove(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.path, ignore_errors=True)


def archive() -> bytes:
    """The agent as a zip archive that an interpreter can run, the same bytes every time."""
    content = io.BytesIO()
    package = Path(suture_sandbox.docker.inside.__file__).parent
    parts = {"__main__.py": _MAIN} | {f"suture_sandbox/{name}__init__.py": b"" for name in ("", "docker/", "local/", "local/warm/")}
    parts |= {f"{_PACKAGE}/{path.name}": path.read_bytes() for path in sorted(package.glob("*.py"))}
    parts[_PROGRAM] = (package.parents[2] / _PROGRAM).read_bytes()
    with zipfile.ZipFile(content, "w") as file:
        for name, text in parts.items():
            file.writestr(zipfile.ZipInfo(name), text)
    return content.getvalue()


def reap() -> None:
    """Remove the folders of owners that are gone, where they are this user's."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if folder.lstat().st_uid == os.geteuid() and owner.is_dead((folder / "owner").read_text()):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
