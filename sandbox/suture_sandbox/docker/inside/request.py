"""One attempt as the other side asks for it."""

from __future__ import annotations

import json
from typing import NamedTuple

BASE = "/run/suture"
"""Scratch of an attempt; the command sees the folder of the report there."""

MIB = 1 << 20

INSIDE = 1000
"""User and group of a command in fast mode, whoever runs the container."""


class Request(NamedTuple):
    """Paths of files and folders are relative to the workspace, but for those in `files` that begin with a slash."""

    strict: bool
    root: str
    """Where the command sees the workspace."""
    source: str
    """Where the container has it, read-only."""
    home: str
    argv: list[str]
    folder: str
    variables: dict[str, str]
    python: str
    files: list[tuple[str, int]]
    """Path and number of the blob that is its content."""
    deleted: list[str]
    empty_folders: list[str]
    seconds: int
    cpu_seconds: int
    disk_mib: int
    open_files: int
    shared_memory: int
    flood: int
    """Bytes of either stream after which the command is stopped."""
    report: bool
    report_bytes: int
    keep: str
    """The program that tells what the command changed; empty where nobody asks."""
    changes_bytes: int
    most_files: int
    most_bytes: int
    nice: int
    """How much it yields the processor to others."""
    module: str
    """What a zygote has loaded and `argv` runs (`python -m MODULE ...`); empty where it is started as a program of its own."""
    prefixes: list[str]
    """Folders whose modules are the environment's."""
    scout: bool
    """Whether it is to tell which of those it has loaded."""
    seccomp: int
    """Number of the blob that is the system call filter; -1 for none."""
    stdin: int
    blobs: int
    """How many blobs follow."""


class Breeding(NamedTuple):
    """A zygote as the other side asks for it."""

    module: str
    names: list[str]
    """What else it is to load."""
    root: str
    prefixes: list[str]
    python: str
    variables: dict[str, str]
    home: str
    shared_memory: int


def parse(text: bytes) -> Request:
    """The request in a frame's content."""
    return Request(**json.loads(text))
