"""Applying a patch: all of it or none, whatever happens at whichever step, and never over someone's edit."""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from suture_agent.apply import apply, own_folder, recover, write_diff
from suture_sandbox.errors import ConfigurationError, PatchError
from suture_sandbox.patch import FileEdit, Patch

Content = Mapping[str, tuple[bytes, int]]
CONTENT: Content = {
    "bom.py": (b"\xef\xbb\xbfx = 1\r\ny = 2\r\n", 0o644),
    "run.sh": (b"#!/bin/sh\nexit 1\n", 0o755),
    "src/old.py": (b"a = 1\n", 0o600),
    "src/dead.py": (b"", 0o644),
    "bystander.txt": (b"here\n", 0o640),
}
EDITS = (
    ("bom.py", CONTENT["bom.py"][0], b"\xef\xbb\xbfx = 1\r\ny = 3\r\n"),
    ("new/deep/module.py", None, b"z = 0\n"),
    ("run.sh", CONTENT["run.sh"][0], b"#!/bin/sh\nexit 0\n"),
    ("src/dead.py", b"", None),
    ("src/old.py", b"a = 1\n", None),
    ("src/renamed.py", None, b"a = 1\n"),
)
DONE: Content = {
    "bom.py": (EDITS[0][2], 0o644),
    "run.sh": (EDITS[2][2], 0o755),
    "new/deep/module.py": (b"z = 0\n", 0o644),
    "src/renamed.py": (b"a = 1\n", 0o644),
    "bystander.txt": CONTENT["bystander.txt"],
}
MINE = b"written by a person meanwhile\n"


def patch_of(*edits: tuple[str, bytes | None, bytes | None]) -> Patch:
    return Patch(tuple(FileEdit(path=path, before=before, after=after) for path, before, after in edits))


def make(root: Path, content: Content) -> Path:
    for path, (text, mode) in content.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text)
        (root / path).chmod(mode)
    return root


def content_of(root: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in root.rglob("*") if path.is_file() and ".suture" not in path.relative_to(root).parts)
    return {path.relative_to(root).as_posix(): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) for path in files}


def without(path: str, content: Content) -> Content:
    return {name: text for name, text in content.items() if name != path}


def refusal_of(act: Callable[[Path], object], root: Path) -> str | None:
    try:
        act(root)
    except ConfigurationError as error:
        return f"{error} {error.remedy}"
    return None


def folders_of(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_dir() and path.name != ".suture"}


def of_suture(root: Path) -> list[str]:
    return sorted(path.name for path in (root / ".suture").iterdir()) if (root / ".suture").exists() else []


def assert_clean(root: Path) -> None:
    """Nothing of suture's is left but its folder, and no folder was made for a file that is not there."""
    assert of_suture(root) in ([], [".gitignore"])
    assert folders_of(root) == {str(parent) for path in content_of(root) for parent in Path(path).parents} - {"."}


def _without_privileges() -> None:
    """Takes from root the right to ignore modes, so that a read-only folder is one."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2, 3):
        libc.prctl(24, capability, 0, 0, 0)


class Children:
    """The program that applies patches in children that meet with accidents."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def do(self, root: Path, work: str = "apply", edits: tuple = EDITS, second: tuple = (), **accident: object) -> list[int]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        job = {"root": str(root), "work": work, "edits": _texts(edits), "second": _texts(second), **accident}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def one(self, root: Path, work: str = "apply", edits: tuple = EDITS, **accident: object) -> int:
        (code,) = self.do(root, work, edits, **accident)
        return code


def _texts(edits: tuple) -> list[tuple[str, str | None, str | None]]:
    return [(path, *(None if text is None else text.decode("latin-1") for text in texts)) for path, *texts in edits]


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    program = Path(__file__).with_name("apply_and_die.py")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-B", str(program)], umask=0o022, preexec_fn=_without_privileges, **pipes) as process:
        yield Children(process)
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.fixture
def roots(tmp_path: Path) -> Callable[[], Path]:
    """As many workspaces as a test wants."""
    numbers = itertools.count()
    return lambda: make(tmp_path / str(next(numbers)), CONTENT)


@pytest.fixture
def root(roots: Callable[[], Path]) -> Path:
    return roots()


def test_every_kind_of_edit_is_made_and_nothing_else(root: Path):
    before = os.umask(0o022)
    apply(root, patch_of(*EDITS))
    os.umask(before)
    assert content_of(root) == DONE
    assert_clean(root)


def test_new_files_follow_the_umask(root: Path):
    before = os.umask(0o077)
    apply(root, patch_of(("new.py", None, b"")))
    os.umask(before)
    assert content_of(root)["new.py"] == (b"", 0o600)


def test_kill_at_any_step_leaves_all_or_nothing_after_the_next_start(children: Children, roots: Callable[[], Path]):
    outcomes: list[bool] = []
    for step in itertools.count(1):
        root = roots()
        if children.one(root, accident="kill", step=step) == 0:
            break
        assert recover(root) == (content_of(root) == DONE)
        assert content_of(root) in (CONTENT, DONE)
        assert_clean(root)
        outcomes.append(content_of(root) == DONE)
    assert outcomes == sorted(outcomes)
    assert {False, True} == set(outcomes)
    assert len(outcomes) > 20


def test_kill_of_the_recovery_is_recovered_from(children: Children, roots: Callable[[], Path]):
    kills = 0
    for step in itertools.count(1, 3):
        root = roots()
        if children.one(root, accident="kill", step=step) == 0:
            break
        for second in itertools.count(1):
            copy = Path(shutil.copytree(root, root.with_name(f"{root.name}-{second}")))
            if children.one(copy, "recover", accident="kill", step=second) == 0:
                break
            recover(copy)
            assert content_of(copy) in (CONTENT, DONE)
            assert_clean(copy)
            kills += 1
    assert kills > 30


def test_disk_that_fails_at_any_step_changes_nothing(children: Children, roots: Callable[[], Path]):
    refused = 0
    for step in range(1, 60):
        root = roots()
        code = children.one(root, accident="fault", step=step)
        assert code in (0, 1)
        assert content_of(root) == (CONTENT if code else DONE), f"step {step}"
        assert not recover(root)
        assert_clean(root)
        refused += code
    assert refused > 20


def test_disk_that_fails_while_it_recovers_can_be_recovered_from(children: Children, roots: Callable[[], Path]):
    last = max(step for step in range(1, 60) if children.one(roots(), accident="kill", step=step) != 0)
    for step in range(1, last):
        root = roots()
        children.one(root, accident="kill", step=last - 3)
        code = children.one(root, "recover", accident="fault", step=step)
        assert code in (0, 2)
        assert recover(root) == (code == 2)
        assert content_of(root) == DONE
        assert_clean(root)
        if code == 0:
            break


PATHS = st.sampled_from(["a.py", "b.py", "pkg/a.py", "pkg/sub/b.py", "other/c.txt"])
TEXTS = st.binary(max_size=8)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(PATHS, TEXTS, max_size=4), wanted=st.dictionaries(PATHS, st.none() | TEXTS, min_size=1), step=st.integers(1, 45)
)
@example(files={"a.py": b"1"}, wanted={"a.py": None, "pkg/a.py": b""}, step=19)
def test_any_patch_killed_anywhere_is_applied_or_not(children: Children, files: dict, wanted: dict, step: int):
    edits = tuple((path, files.get(path), text) for path, text in sorted(wanted.items()) if files.get(path) != text)
    before = {path: (text, 0o644) for path, text in files.items()}
    after = {path: (text, 0o644) for path, text in {**files, **wanted}.items() if text is not None}
    with tempfile.TemporaryDirectory() as folder:
        root = make(Path(folder), before)
        code = children.one(root, edits=edits, accident="kill", step=step)
        recover(root)
        assert content_of(root) == after or (content_of(root) == before and code != 0)
        assert of_suture(root) in ([], [".gitignore"])
        assert not recover(root)


@pytest.mark.parametrize("path", ["bom.py", "src/old.py", "src/renamed.py"])
def test_an_edit_after_the_kill_is_never_lost(children: Children, roots: Callable[[], Path], path: str):
    refused = 0
    for step in itertools.count(1):
        root = roots()
        if children.one(root, accident="kill", step=step) == 0:
            break
        (root / path).write_bytes(MINE)
        found = content_of(root)
        said = refusal_of(recover, root)
        if said is not None:
            refused += 1
            assert path in said
            assert f".{Path(path).name}.suture-" in said
            assert content_of(root) == found
            assert {name: text for name, text in without(path, found).items() if ".suture-" not in name} != without(path, CONTENT)
        else:
            assert without(path, content_of(root)) in (without(path, CONTENT), without(path, DONE))
            assert not recover(root)
        assert (root / path).read_bytes() == MINE
    assert refused < 10


def test_what_the_refusal_says_to_do_helps(children: Children, roots: Callable[[], Path]):
    for step in itertools.count(1):
        root = roots()
        assert children.one(root, accident="kill", step=step) != 0
        (root / "run.sh").write_bytes(MINE)
        if refusal_of(recover, root) is not None:
            break
    next(root.glob(".run.sh.suture-*")).unlink()
    (root / ".suture" / "applying.json").unlink()
    apply(root, patch_of(("run.sh", MINE, b"together\n")))
    assert (root / "run.sh").read_bytes() == b"together\n"


def test_a_later_apply_finishes_what_was_interrupted_first(children: Children, roots: Callable[[], Path]):
    finished = 0
    for step in itertools.count(1):
        root = roots()
        if children.one(root, accident="kill", step=step) == 0:
            break
        apply(root, patch_of(("bystander.txt", b"here\n", b"there\n")))
        assert content_of(root)["bystander.txt"][0] == b"there\n"
        assert {**content_of(root), "bystander.txt": CONTENT["bystander.txt"]} in (CONTENT, DONE)
        assert_clean(root)
        finished += "new/deep/module.py" in content_of(root)
    assert finished


@pytest.mark.parametrize("then", ["kill", "continue"])
def test_two_processes_do_not_meet(children: Children, roots: Callable[[], Path], then: str):
    second = (("bystander.txt", b"here\n", b"there\n"), ("new/second.py", None, b""))
    for step in itertools.count(2, 4):
        root = roots()
        codes = children.do(root, second=second, accident="stop", step=step, then=then)
        if len(codes) == 1:
            break
        assert codes == [-9 if then == "kill" else 0, 0]
        recover(root)
        found = content_of(root)
        assert found.pop("new/second.py")[0] == b""
        assert found["bystander.txt"][0] == b"there\n"
        found["bystander.txt"] = CONTENT["bystander.txt"]
        assert found == DONE or (then == "kill" and found == CONTENT)
        assert_clean(root)


def test_of_two_processes_that_change_the_same_file_one_is_refused(children: Children, roots: Callable[[], Path]):
    second = (("bom.py", CONTENT["bom.py"][0], b"second\n"),)
    winners = set()
    for step in itertools.count(2, 4):
        root = roots()
        codes = children.do(root, second=second, accident="stop", step=step, then="continue")
        if len(codes) == 1:
            break
        assert sorted(codes) == [0, 1]
        winners.add(codes.index(0))
        assert content_of(root) == (DONE if codes == [0, 1] else {**CONTENT, "bom.py": (b"second\n", 0o644)})
        assert_clean(root)
    assert 0 in winners


def test_an_edit_while_it_is_staged_is_not_lost(children: Children, roots: Callable[[], Path]):
    refused = 0
    for step in range(1, 40):
        root = roots()
        if children.one(root, accident="stop", step=step, then="edit", path="run.sh", text=MINE.decode()) == 1:
            refused += 1
            assert content_of(root) == {**CONTENT, "run.sh": (MINE, 0o755)}
            assert_clean(root)
    assert refused > 15


@pytest.mark.parametrize("path", ["bom.py", "src/old.py", "src/renamed.py"])
def test_file_that_is_not_what_the_patch_expects_stops_all_of_it(root: Path, path: str):
    (root / path).write_bytes(MINE)
    before = content_of(root)
    with pytest.raises(PatchError, match=f"{path} is not what the patch expects"):
        apply(root, patch_of(*EDITS))
    assert content_of(root) == before
    assert_clean(root)


@pytest.mark.parametrize(
    "edit", [("ro/new.py", None, b""), ("ro/x.py", b"x\n", b"y\n"), ("ro/x.py", b"x\n", None), ("ro/a/b.py", None, b"")]
)
def test_read_only_folder_stops_all_of_it(children: Children, root: Path, edit: tuple):
    make(root, {"ro/x.py": (b"x\n", 0o644)})
    before = content_of(root)
    (root / "ro").chmod(0o555)
    try:
        assert children.one(root, edits=(*EDITS, edit)) == 1
        assert content_of(root) == before
        assert_clean(root)
    finally:
        (root / "ro").chmod(0o755)


def test_read_only_workspace_is_refused(children: Children, root: Path):
    root.chmod(0o555)
    try:
        assert children.one(root, edits=EDITS[:1]) == 1
        assert content_of(root) == CONTENT
    finally:
        root.chmod(0o755)


def test_link_on_the_way_is_not_followed(root: Path, tmp_path: Path):
    outside = make(tmp_path / "outside", {"victim.py": (b"v\n", 0o644)})
    (root / "linked").symlink_to(outside)
    (root / "link.py").symlink_to(outside / "victim.py")
    for edit in (("linked/new.py", None, b""), ("linked/victim.py", b"v\n", b""), ("link.py", b"v\n", b"w\n"), ("link.py", None, b"w\n")):
        with pytest.raises(PatchError):
            apply(root, patch_of(*EDITS, edit))
    assert content_of(outside) == {"victim.py": (b"v\n", 0o644)}
    assert (root / "bom.py").read_bytes() == CONTENT["bom.py"][0]


@pytest.mark.parametrize("path", ["../out.py", "/tmp/out.py", ".git/hooks/pre-commit", ".suture/patches/x.diff", "src"])
def test_place_that_is_not_the_workspaces_is_refused(root: Path, path: str):
    with pytest.raises(PatchError):
        apply(root, patch_of(*EDITS, (path, None, b"")))
    assert content_of(root) == CONTENT


GARBAGE = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"\xff\xfe",
    b'{"changes": [], "ready": 1}',
    b'{"changes": [], "folders": [], "ready": true, "more": 1}',
    b"[" * 100_000,
]


def forged(target: str = "bom.py", staged: str = ".bom.py.suture-0", **more: object) -> bytes:
    change = {"target": target, "staged": staged, "expects": None, "deletes": False, "mode": 0o644}
    return json.dumps({"changes": [change], "folders": [], "ready": True, **more}).encode()


FORGED = [
    forged("../bom.py", "../.bom.py.suture-0"),
    forged(".git/config", ".git/.config.suture-0"),
    forged("/etc/hosts", "/etc/.hosts.suture-0"),
    forged(staged="bystander.txt"),
    forged(staged="src/.bom.py.suture-0"),
    forged(staged=".bom.py.suture-0/../bystander.txt"),
    forged(staged="\0"),
    forged(folders=["empty"]),
    forged(folders=["../empty"]),
    forged(ready=False, staged="bystander.txt"),
]


@pytest.mark.parametrize("garbage", GARBAGE + FORGED)
def test_state_file_that_suture_did_not_write_is_refused_and_changes_nothing(roots: Callable[[], Path], garbage: bytes):
    root = roots()
    (root / "empty").mkdir()
    (root.parent / "empty").mkdir()
    (root / ".suture").mkdir()
    (root / ".suture" / "applying.json").write_bytes(garbage)
    for act in (recover, lambda root: apply(root, patch_of(*EDITS))):
        with pytest.raises(ConfigurationError, match=r"applying\.json is damaged") as caught:
            act(root)
        assert "delete" in caught.value.remedy
    assert content_of(root) == CONTENT
    assert (root / "empty").is_dir()
    assert (root.parent / "empty").is_dir()


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60) | st.recursive(st.none() | st.text() | st.booleans(), st.lists).map(lambda tree: json.dumps(tree).encode()))
def test_any_other_state_file_is_refused(garbage: bytes):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / ".suture").mkdir()
        (root / ".suture" / "applying.json").write_bytes(garbage)
        with pytest.raises(ConfigurationError, match="is damaged"):
            recover(root)


@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
def test_state_file_that_is_no_file_is_refused(root: Path, kind: str):
    place = own_folder(root) / "applying.json"
    {"folder": place.mkdir, "pipe": lambda: os.mkfifo(place), "link": lambda: place.symlink_to("nowhere")}[kind]()
    with pytest.raises(ConfigurationError, match="is damaged: it is not a plain file"):
        recover(root)


def test_recovery_of_an_untouched_workspace_makes_nothing(root: Path):
    assert not recover(root)
    assert not (root / ".suture").exists()


def test_diff_is_beside_the_workspaces_files_and_ignored_by_git(root: Path):
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    patch = patch_of(*EDITS)
    path = write_diff(root, "01-tests-abc", patch)
    assert path == ".suture/patches/01-tests-abc.diff"
    status = subprocess.run(["git", "status", "--porcelain", "-uall"], cwd=root, capture_output=True, text=True, check=True).stdout
    assert ".suture" not in status
    subprocess.run(["git", "apply", path], cwd=root, check=True)
    assert {name: text for name, (text, _) in content_of(root).items() if not name.startswith(".git/")} == {
        name: text for name, (text, _) in DONE.items()
    }


def test_diff_of_the_same_name_is_replaced(root: Path):
    write_diff(root, "x", patch_of(*EDITS))
    write_diff(root, "x", patch_of(*EDITS[:1]))
    assert (root / ".suture" / "patches" / "x.diff").read_bytes().decode() == patch_of(*EDITS[:1]).diff()
    assert [path.name for path in (root / ".suture" / "patches").iterdir()] == ["x.diff"]


@pytest.mark.parametrize("place", [".suture", ".suture/patches"])
def test_own_folder_that_is_a_link_is_refused(root: Path, tmp_path: Path, place: str):
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / place).parent.mkdir(exist_ok=True)
    (root / place).symlink_to(outside)
    with pytest.raises(ConfigurationError, match="is a symbolic link"):
        write_diff(root, "x", patch_of(*EDITS))
    assert not list(outside.iterdir())


def test_own_ignore_file_that_is_a_link_is_not_written_through(root: Path, tmp_path: Path):
    (root / ".suture").mkdir()
    (root / ".suture" / ".gitignore").symlink_to(tmp_path / "made.txt")
    own_folder(root)
    assert not (tmp_path / "made.txt").exists()


def test_own_folder_that_is_a_file_is_refused(root: Path):
    (root / ".suture").write_text("")
    for act in (own_folder, lambda root: apply(root, patch_of(*EDITS))):
        with pytest.raises(ConfigurationError, match="is not a folder"):
            act(root)
    assert (root / "bom.py").read_bytes() == CONTENT["bom.py"][0]
