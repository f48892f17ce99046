"""Secrets of a workspace that an attempt must not see: finding them, cheaply and again before every attempt.

What it is: rules over names, and an index of a workspace's folders in which only folders that changed are read again; beside secrets it
finds what `privacy.exclude` names. What it deliberately is not: a search of contents. A secret under an innocent name (or in a file that
git tracks) is visible inside; it cannot leave, because there is no network. Inside virtual environments, and in folders of packages and
caches that are not themselves excluded, nothing is hidden.
"""

from __future__ import annotations

import fnmatch
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import msgspec

from suture_sandbox.errors import UnreadableFile
from suture_sandbox.files import has, read_plain
from suture_sandbox.globs import fits, is_excluded, refused, words_of

SECRET_FILES = (
    *(".env", ".env.*", "*.env", ".envrc", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".netrc", "_netrc", ".pypirc", ".npmrc", ".yarnrc.yml", ".git-credentials"),
    *("credentials", "credentials.json", "credentials*.json", "service-account*.json", "service_account*.json", "client_secret*.json"),
    *("secrets.json", "secrets.y*ml", "secrets.toml", ".htpasswd", ".pgpass", ".my.cnf", ".dockercfg", ".vault-token"),
    *("terraform.tfstate", "terraform.tfstate.*", "*.tfvars", "kubeconfig"),
)
"""Names of files whose content is hidden, whatever the case of their letters."""

HARMLESS_FILES = ("*.example", "*.sample", "*.template", "*.dist", "*.pub")
"""Names that look secret and are made to be shared."""

SECRET_FOLDERS = frozenset({".ssh", ".aws", ".azure", ".gnupg", ".kube", ".docker", ".gcloud", ".suture"})
"""Folders that appear empty inside. `.suture` holds what suture itself writes."""

_NEVER_SEEN = SECRET_FOLDERS | {".git"}
_UNREAD = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache"})
_SECRET = re.compile("|".join(fnmatch.translate(name) for name in SECRET_FILES), re.IGNORECASE)
_HARMLESS = re.compile("|".join(fnmatch.translate(name) for name in HARMLESS_FILES), re.IGNORECASE)
_GIT_SECRET = re.compile(rb"://[^/\s]*@|extraheader|password|oauth|token", re.IGNORECASE)
_LARGEST_GIT_CONFIG = 1 << 20
_UNSETTLED = 50_000_000  # nanoseconds in which a folder may change again without a new time stamp


class Masks(msgspec.Struct, frozen=True):
    """What to hide, relative to the workspace."""

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


class _Folder(msgspec.Struct, frozen=True):
    stamp: int
    children: tuple[str, ...]
    masks: Masks


def is_masked(path: str, unmasked: Sequence[str], excluded: Sequence[str] = ()) -> bool:
    """Whether a path inside a workspace is hidden: by what is excluded, or by its name where nothing lets it be seen."""
    return is_excluded(path, excluded) or (is_secret(path) and not is_unmasked(path, unmasked))


def is_unmasked(path: str, globs: Sequence[str]) -> bool:
    """Whether a glob names the file; what lies in the workspace's root folder, or in a folder of secrets, is named by none."""
    parts = PurePosixPath(path).parts
    if len(parts) < 2 or any(part in _NEVER_SEEN for part in parts[:-1]):
        return False
    return any(fits(parts, words_of(glob)) for glob in globs if not refused_glob(glob))


def refused_glob(glob: str) -> str:
    """Why a glob cannot let secrets be seen; empty where it can."""
    parts = PurePosixPath(glob).parts
    if reason := refused(glob):
        return reason
    if len(parts) < 2 or any(mark in parts[0] for mark in "*?["):
        return "it does not begin with the name of a folder"
    if parts.count("**") > 1:
        return "it has ** more than once"
    return "" if not any(part in _NEVER_SEEN for part in parts[:-1]) else "it names a folder that is always hidden"


def is_secret(path: str) -> bool:
    """Whether a path inside a workspace is hidden from attempts by its name."""
    parts = PurePosixPath(path).parts
    if any(part in SECRET_FOLDERS for part in parts[:-1]):
        return True
    return bool(parts) and _is_secret_name(parts[-1])


def _is_secret_name(name: str) -> bool:
    return _SECRET.match(name) is not None and _HARMLESS.match(name) is None


class SecretIndex:
    """The secrets of one workspace, and what is excluded. Not safe to use from several threads at once; the backend holds a lock."""

    def __init__(self, root: Path, excluded: Sequence[str] = ()) -> None:
        self._root = root
        self._excluded = tuple(excluded)
        self._folders: dict[str, _Folder] = {}
        self._stamps: list[tuple[str, int]] = []
        """Folder -> when it was changed, as `_folders` has them: gone through for every attempt, so nothing else is looked at meanwhile."""
        self._found = Masks()

    def refresh(self, unmasked: Sequence[str] = ()) -> Masks:
        """What to hide now, but for what these globs name; reads only folders that are new or changed since the last call."""
        if not self._unchanged():
            self._look()
        found = self._found
        files = {path for path in found.files if not is_unmasked(path, unmasked) or is_excluded(path, self._excluded)} | self._git_secrets()
        return Masks(tuple(sorted(files)), found.folders)

    def _unchanged(self) -> bool:
        """Whether every folder is as it was when it was read."""
        stat = os.stat
        try:
            return bool(self._stamps) and all(stat(path, follow_symlinks=False).st_mtime_ns == stamp for path, stamp in self._stamps)
        except OSError:
            return False

    def _look(self) -> None:
        """Go through all folders."""
        seen: dict[str, _Folder] = {}
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            entry = self._entry(folder)
            if entry is not None:
                seen[folder] = entry
                waiting.extend(entry.children)
        self._folders = seen
        self._stamps = [(f"{self._root}/{folder}", entry.stamp) for folder, entry in seen.items()]
        self._found = Masks(
            tuple({path for entry in seen.values() for path in entry.masks.files}),
            tuple(sorted(path for entry in seen.values() for path in entry.masks.folders)),
        )

    def _entry(self, folder: str) -> _Folder | None:
        path = f"{self._root}/{folder}"
        try:
            stamp = os.stat(path, follow_symlinks=False).st_mtime_ns  # noqa: PTH116  # hot path, str is enough
            known = self._folders.get(folder)
            if known is not None and known.stamp == stamp:
                return known
            settled = stamp < time.time_ns() - _UNSETTLED
            return self._read(folder, path, stamp if settled else -1)
        except OSError:
            return None

    def _read(self, folder: str, path: str, stamp: int) -> _Folder:
        children: list[str] = []
        files: list[str] = []
        folders: list[str] = []
        with os.scandir(path) as entries:
            listed = list(entries)
        if folder and any(entry.name == "pyvenv.cfg" for entry in listed):
            return _Folder(stamp, (), Masks())
        for entry in listed:
            relative = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name in SECRET_FOLDERS or self._excludes_folder(relative):
                    folders.append(relative)
                elif entry.name not in _UNREAD:
                    children.append(relative)
            elif _is_secret_name(entry.name) or is_excluded(relative, self._excluded):
                files.extend(self._target(relative))
        return _Folder(stamp, tuple(children), Masks(tuple(files), tuple(folders)))

    def _excludes_folder(self, relative: str) -> bool:
        """Whether a folder is excluded as a whole; a virtual environment never is, since the checks run from it."""
        return is_excluded(relative, self._excluded) and not has(self._root / relative, "pyvenv.cfg")

    def _target(self, relative: str) -> list[str]:
        """The plain file behind a secret name: the file itself, or what a link inside the workspace points to."""
        path = self._root / relative
        if not path.is_symlink():
            return [relative] if path.is_file() else []
        target = Path(os.path.realpath(path))
        return [target.relative_to(self._root).as_posix()] if target.is_file() and target.is_relative_to(self._root) else []

    def _git_secrets(self) -> set[str]:
        """`.git/config` where it holds a password or a token."""
        config = self._root / ".git" / "config"
        try:
            if not config.is_symlink() and _GIT_SECRET.search(read_plain(config, most=_LARGEST_GIT_CONFIG, follow=False) or b""):
                return {".git/config"}
        except UnreadableFile:
            return {".git/config"} if config.is_file() else set()
        return set()
