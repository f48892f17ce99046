"""The map as a record, and reading it: it comes out of the sandbox, so nothing in it is trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from suture_sandbox.globs import is_excluded

LARGEST = 16 << 20
"""Bytes of JSON that are looked at."""
LONGEST_NAME = 2_000
MOST_TESTS, MOST_FILES = 20_000, 5_000


class MappedFile(msgspec.Struct, frozen=True, array_like=True):
    """A file of the workspace that was imported."""

    path: str
    hash: str
    """SHA-256 of its content when the map was made; of any other content the map says nothing."""
    functions: dict[int, tuple[int, ...]]
    """First line of a function, decorators included and counted from 1 -> tests that ran it, as pairs of the first and the last one."""
    early: tuple[int, ...]
    """First lines of functions that ran outside all tests: while modules were imported."""
    imports: tuple[int, ...]
    """Files that it imports, and for tests the conftest files over them."""


class ImpactMap(msgspec.Struct, frozen=True):
    """Which test ran what; tests and files are named by their places in the two tuples."""

    tests: tuple[str, ...]
    """Node ids, in the order in which they ran; empty for one that must not be told."""
    homes: tuple[int, ...]
    """The file of each test, -1 where it is none of the workspace's."""
    files: tuple[MappedFile, ...]

    def named(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """The tests of these numbers, in the order in which they ran."""
        return tuple(self.tests[number] for number in sorted(set(numbers)) if self.tests[number])


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A map, and how it came about."""

    map: ImpactMap
    seconds: float
    """What it took to make it."""
    created: float
    """Seconds since 1970."""


def read_map(report: bytes, excluded: Sequence[str] = ()) -> ImpactMap | None:
    """The map that the program wrote, without files that `privacy.exclude` names; None when there is none, or one that cannot be."""
    if not report or len(report) > LARGEST:
        return None
    try:
        found = msgspec.json.decode(report, type=ImpactMap)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not found.tests or not is_sound(found):
        return None
    return _shown(found, excluded)


def is_sound(found: ImpactMap) -> bool:
    """Whether all its numbers lead somewhere and nothing in it is out of all proportion."""
    tests, files = len(found.tests), len(found.files)
    if tests > MOST_TESTS or files > MOST_FILES or len(found.homes) != tests or len({file.path for file in found.files}) != files:
        return False
    if any(len(name) > LONGEST_NAME or not name.isprintable() for name in (*found.tests, *(file.path for file in found.files))):
        return False
    if not all(-1 <= home < files for home in found.homes):
        return False
    return all(_is_sound_file(file, tests, files) for file in found.files)


def _is_sound_file(file: MappedFile, tests: int, files: int) -> bool:
    if not all(0 <= number < files for number in file.imports):
        return False
    return all(
        len(pairs) % 2 == 0 and all(0 <= first <= last < tests for first, last in zip(pairs[::2], pairs[1::2], strict=True))
        for pairs in file.functions.values()
    )


def _shown(found: ImpactMap, excluded: Sequence[str]) -> ImpactMap:
    hidden = {number for number, file in enumerate(found.files) if is_excluded(file.path, excluded)}
    if not hidden:
        return found
    files = tuple(
        MappedFile(f"{number}", "", {}, (), file.imports) if number in hidden else file for number, file in enumerate(found.files)
    )
    tests = tuple("" if home in hidden else name for name, home in zip(found.tests, found.homes, strict=True))
    return ImpactMap(tests=tests, homes=found.homes, files=files)
