"""suture.lock: an environment's identity and its named fields in a text file that is made to be read, committed and compared.

TOML, sorted, one value a line, no path of a machine and no download address in it. It pins nothing by itself: the workspace's own lock
file or virtual environment does; suture.lock says what came of it, so that `verify` can name what drifted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from suture_sandbox.capture import manifests
from suture_sandbox.capture.files import write_atomically
from suture_sandbox.capture.manifests import FileChanges
from suture_sandbox.environment import Environment, EnvironmentFields
from suture_sandbox.errors import ConfigurationError, LockError, UnreadableFile
from suture_sandbox.files import as_text, read_plain
from suture_sandbox.identity import Difference, differences, identity_of
from suture_sandbox.toml import BadToml
from suture_sandbox.toml import parse as parse_toml

NAME = "suture.lock"
FORMAT = 1
MOST_NAMED = 5
"""Files that a sentence names."""

_HEADER = """\
# The environment in which suture runs this workspace's checks. Written by `suture env lock`; do not edit by hand.
# `suture env verify` says what differs from what is installed here.

"""
_ORDERED = frozenset({"checks"})
"""Tables whose order says something: checks run in the order of the file."""

_WRITE_AGAIN = "write it again: suture env lock"
_VALIDATION_PATH = re.compile(r" - at `\$\.?(.*?)`$")


def lock_path(root: Path) -> Path:
    """Where a workspace's lock file lies."""
    return root / NAME


def write_lock(root: Path, environment: Environment, *, files_from: Path | None = None) -> Path:
    """Write the lock file, whole or not at all; raises ConfigurationError where the workspace cannot be written.

    With `files_from`, suture's cache folder, it also lists every file of every package, so that another machine can tell which one differs.
    """
    path = lock_path(root)
    if path.is_symlink():
        raise LockError(f"{path} is a symbolic link; suture does not write through it", remedy="remove the link")
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        text = render(environment.fields) + (_file_tables(environment.fields, files_from) if files_from is not None else "")
        write_atomically(path, text.encode("utf-8", "backslashreplace"), mode=mode, durable=True)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}", remedy="make the workspace writable, with free space") from error
    return path


def render(fields: EnvironmentFields) -> str:
    """The lock file's text; the same fields always give the same text."""
    import tomli_w

    tree: dict[str, Any] = {"version": FORMAT, "identity": identity_of(fields)}
    for name, value in msgspec.to_builtins(fields).items():
        tree[name] = value if name in _ORDERED else _sorted(value)
    plain_first = dict(sorted(tree.items(), key=lambda item: isinstance(item[1], dict)))
    return _HEADER + tomli_w.dumps(plain_first)


def take_in_files(text: str, cache: Path) -> None:
    """Remember the files that a lock file lists. What is listed wrongly is remembered under another hash, where nobody asks for it."""
    try:
        tables = parse_toml(text).get("files", {})
        for files in tables.values():
            if all(isinstance(value, str) for value in files.values()):
                manifests.keep(cache, files.items())
    except (BadToml, AttributeError):
        return  # no lock file, which is for others to say


def _file_tables(fields: EnvironmentFields, cache: Path) -> str:
    """`[files.NAME]` for every package whose files are known: beside the identity's fields, and no part of it."""
    import tomli_w

    known = {name: manifests.load(cache, item.content) for name, item in sorted(fields.dependencies.items())}
    return "\n" + tomli_w.dumps({"files": {name: dict(sorted(files.items())) for name, files in known.items() if files}})


def read_lock(root: Path) -> EnvironmentFields:
    """The locked fields; raises LockError, with file, line or field and what to do, for anything that is not a whole lock file."""
    path = lock_path(root)
    try:
        content = read_plain(path)
    except UnreadableFile as error:
        raise LockError(str(error), remedy=error.remedy) from error
    if content is None:
        raise LockError(f"{path} does not exist", remedy="write it: suture env lock")
    try:
        text = as_text(content)
    except UnicodeDecodeError as error:
        raise LockError(f"{path}: byte {error.start} is not UTF-8: the file is damaged", remedy=_WRITE_AGAIN) from error
    return parse(text, str(path))


def parse(text: str, name: str = NAME) -> EnvironmentFields:
    """The fields in a lock file's text; `name` is what messages call the file."""
    tree = _parse_toml(text, name)
    version, identity, _ = tree.pop("version", None), tree.pop("identity", None), tree.pop("files", None)
    if version != FORMAT:
        newer = isinstance(version, int) and version > FORMAT
        raise LockError(
            f"{name}:{_line_of(text, 'version')}: lock format {version!r}; this suture reads {FORMAT}",
            remedy="upgrade suture" if newer else _WRITE_AGAIN,
        )
    fields = _convert(tree, text, name)
    if identity != (computed := identity_of(fields)):
        raise LockError(
            f"{name}:{_line_of(text, 'identity')}: the fields give the identity {computed[:12]}..., the file says {str(identity)[:12]}...: "
            "it was edited by hand, merged or damaged",
            remedy=_WRITE_AGAIN,
        )
    return fields


def verify(locked: EnvironmentFields, present: EnvironmentFields) -> tuple[Difference, ...]:
    """What differs between what is locked (before) and what is here (after); empty when the identities are equal."""
    return differences(locked, present)


def files_behind(difference: Difference, cache: Path) -> FileChanges | None:
    """Which files made a content hash another one; None for other differences, and where this machine does not know both contents."""
    table, _, rest = difference.field.partition(".")
    if not (table == "dependencies" and rest.endswith(".content")) and difference.field != "toolchain.content":
        return None
    if difference.before is None or difference.after is None:
        return None
    return manifests.changes(cache, *(msgspec.json.decode(value, type=str) for value in (difference.before, difference.after)))


def sentences(drift: Iterable[Difference], cache: Path | None = None) -> tuple[str, ...]:
    """The same for people: one sentence for each thing that drifted, `before` being what the lock says.

    With suture's cache folder, files are named where it knows both contents.
    """
    grouped: dict[tuple[str, str], dict[str, Difference]] = {}
    drift = tuple(drift)
    with_image = (
        {"system_packages", "layers"} if any(each.field == "image" and '""' in (each.before, each.after) for each in drift) else set[str]()
    )
    for difference in drift:
        table, _, rest = difference.field.partition(".")
        if table in with_image:
            continue  # one is an image and the other is not: what is in it says nothing more
        thing, _, leaf = rest.partition(".") if table in ("dependencies", "checks") else (rest, "", "")
        grouped.setdefault((table, thing), {})[leaf] = difference
    return tuple(_sentence(table, thing, leaves) + _by_file(leaves, cache) for (table, thing), leaves in grouped.items())


def _by_file(leaves: Mapping[str, Difference], cache: Path | None) -> str:
    """The files, after a sentence that says that there are some; nothing where the version says it already."""
    content = leaves.get("content") or (leaves.get("") if len(leaves) == 1 else None)
    if cache is None or content is None or "version" in leaves:
        return ""
    found = files_behind(content, cache)
    if found is None:
        return ""
    told = [_some(word, paths) for word, paths in (("changed", found.changed), ("gone", found.removed), ("new", found.added)) if paths]
    return f" ({'; '.join(told)})"


def _some(word: str, paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
    return f"{word}: {', '.join(paths[:MOST_NAMED])}{more}"


def _sentence(table: str, thing: str, leaves: Mapping[str, Difference]) -> str:
    first = next(iter(leaves.values()))
    if table == "dependencies":
        return _about_dependency(thing, leaves)
    if table == "checks" and len({difference.before is None for difference in leaves.values()}) == 1 and "name" in leaves:
        return f"the check {thing} is {'not locked' if first.before is None else 'locked, and is not configured any more'}"
    if table == "checks":
        changes = "; ".join(f"{leaf} was {_shown(item.before)} and is {_shown(item.after)}" for leaf, item in leaves.items())
        return f"the check {thing} changed: {changes}"
    if table == "platform" and thing == "features":
        return _about_features(first)
    if table == "toolchain" and thing == "content":
        return "the interpreter or its standard library has other files than when it was locked"
    if table == "layers":
        return "the image has other layers than when it was locked"
    if table == "system_packages":
        table, thing = "the system package", thing.strip('"')
    if first.before is None or first.after is None:
        return f"{table} {thing} is {'new' if first.before is None else 'gone'}: {_shown(first.after or first.before)}".replace("  ", " ")
    return f"{table} {thing} was {_shown(first.before)} and is {_shown(first.after)}".replace("  ", " ")


def _about_dependency(name: str, leaves: Mapping[str, Difference]) -> str:
    version = leaves.get("version")
    if version is None:
        return f"{name} has the locked version but other files: something in it was changed"
    if version.before is None:
        return f"{name} {_shown(version.after)} is installed and not locked"
    if version.after is None:
        return f"{name} {_shown(version.before)} is locked and not installed"
    return f"{name} is {_shown(version.after)}, locked is {_shown(version.before)}"


def _about_features(difference: Difference) -> str:
    before = set[str](msgspec.json.decode(difference.before or "[]"))
    after = set[str](msgspec.json.decode(difference.after or "[]"))
    parts = [f"lacks {', '.join(sorted(before - after))}"] if before - after else []
    parts += [f"also has {', '.join(sorted(after - before))}"] if after - before else []
    return f"this processor {' and '.join(parts)}"


def _shown(value: str | None) -> str:
    """A JSON value as a person writes it: text without quotes, a command as one line."""
    if value is None:
        return "unset"
    decoded = msgspec.json.decode(value)
    if isinstance(decoded, list):
        return " ".join(str(item) for item in decoded)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # JSON
    return str(decoded) or "empty"


def _parse_toml(text: str, name: str) -> dict[str, Any]:
    if conflict := next((number for number, line in enumerate(text.splitlines(), 1) if line.startswith("<<<<<<<")), 0):
        raise LockError(f"{name}:{conflict}: there is an unresolved merge conflict", remedy="take either side, then: suture env lock")
    try:
        return parse_toml(text)
    except BadToml as error:
        raise LockError(error.within(name), remedy=_WRITE_AGAIN) from error


def _convert(tree: dict[str, Any], text: str, name: str) -> EnvironmentFields:
    try:
        fields = msgspec.convert(tree, EnvironmentFields)
    except msgspec.ValidationError as error:
        found = _VALIDATION_PATH.search(str(error))
        field = found.group(1) if found else ""
        told = str(error)[: found.start()] if found else str(error)
        raise LockError(f"{name}:{_line_of(text, field)}: {field or 'the file'}: {told}", remedy=_WRITE_AGAIN) from error
    unknown = [item.field for item in differences(tree, fields) if item.after is None]
    if unknown:
        raise LockError(f"{name}:{_line_of(text, unknown[0])}: {unknown[0]} is not a field of an environment", remedy=_WRITE_AGAIN)
    return fields


def _line_of(text: str, field: str) -> int:
    """The line in which a dotted field, or the nearest table above it, stands; 1 when it is nowhere."""
    parts = [part for part in re.split(r"[.\[\]]", field) if part]
    lines = text.splitlines()
    for depth in range(len(parts), 0, -1):
        header = f"[{'.'.join(parts[: depth - 1])}]"
        start = next((index for index, line in enumerate(lines) if line.strip() == header), -1) if depth > 1 else -1
        for index in range(start + 1, len(lines)):
            if lines[index].strip() == f"[{'.'.join(parts[:depth])}]" or lines[index].partition("=")[0].strip() == parts[depth - 1]:
                return index + 1
    return 1


def _sorted(value: Any) -> Any:  # noqa: ANN401  # any tree of builtins
    return {key: _sorted(value[key]) for key in sorted(value)} if isinstance(value, dict) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # JSON tree
