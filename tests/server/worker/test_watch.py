"""Real folders, watched as they change."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from suture_server.worker import watch
from suture_server.worker.watch import Watch, decides_environment

Check = Callable[[], bool]


class Seen:
    """Everything that was told, put together."""

    def __init__(self, root: Path, packages: Sequence[Path] = ()) -> None:
        self.root = root
        self.calls: list[tuple[tuple[str, ...], bool, bool]] = []
        self._news = threading.Condition()
        self.watch = Watch(root, self._told, packages)
        self.watch.start()

    def _told(self, paths: tuple[str, ...], head: bool, environment: bool) -> None:
        with self._news:
            self.calls.append((paths, head, environment))
            self._news.notify_all()

    @property
    def paths(self) -> set[str]:
        return {path for paths, _, _ in self.calls for path in paths}

    @property
    def heads(self) -> int:
        return sum(head for _, head, _ in self.calls)

    @property
    def environment(self) -> bool:
        return any(environment for _, _, environment in self.calls)

    def wait(self, what: Check) -> None:
        with self._news:
            assert self._news.wait_for(what, 10), self.calls

    def settle(self) -> None:
        """Everything up to now has been told: a file that is made now is told after it."""
        mark = self.root / f"mark-{len(self.calls)}-{time.monotonic_ns()}"
        mark.touch()
        self.wait(lambda: mark.name in self.paths)
        mark.unlink()
        self.wait(lambda: any(mark.name in paths and not mark.exists() for paths, _, _ in self.calls))

    def forget(self) -> None:
        self.settle()
        time.sleep(2 * watch.QUIET_SECONDS)
        self.calls.clear()

    @property
    def told(self) -> set[str]:
        self.settle()
        return {path for path in self.paths if not path.startswith("mark-")}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Seen]]:
    made: list[Seen] = []

    def begin(root: Path, packages: Sequence[Path] = ()) -> Seen:
        made.append(Seen(root, packages))
        return made[-1]

    yield begin
    for each in made:
        each.watch.stop()
        each.watch.stop()
    assert not [each for each in threading.enumerate() if each.name == "watch"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg" / "a.py").write_text("1\n")
    return root


def test_files_that_are_made_changed_moved_and_deleted(start, root: Path):
    seen = start(root)
    assert seen.watch.note == ""
    (root / "pkg" / "a.py").write_text("2\n")
    assert seen.told == {"pkg/a.py"}
    (root / "new.py").write_text("3\n")
    assert seen.told == {"pkg/a.py", "new.py"}
    seen.forget()
    (root / "new.py").rename(root / "pkg" / "moved.py")
    assert seen.told == {"new.py", "pkg/moved.py"}
    seen.forget()
    (root / "pkg" / "moved.py").unlink()
    assert seen.told == {"pkg/moved.py"}
    assert not seen.environment
    assert seen.heads == 0


def test_reading_is_no_change(start, root: Path):
    seen = start(root)
    assert (root / "pkg" / "a.py").read_text() == "1\n"
    assert list((root / "pkg").iterdir())
    assert seen.told == set()


def test_new_folders_are_watched_with_what_they_came_with(start, root: Path):
    seen = start(root)
    (root / "x" / "y" / "z").mkdir(parents=True)
    (root / "x" / "y" / "z" / "b.py").write_text("1\n")
    seen.wait(lambda: "x/y/z/b.py" in seen.paths)
    seen.forget()
    (root / "x" / "y" / "z" / "b.py").write_text("2\n")
    assert seen.told == {"x/y/z/b.py"}


def test_a_folder_that_goes_and_comes_back_is_watched_again(start, root: Path):
    seen = start(root)
    for _ in range(2):
        shutil.rmtree(root / "pkg")
        (root / "pkg").mkdir()
        (root / "pkg" / "a.py").write_text("1\n")
        seen.wait(lambda: "pkg/a.py" in seen.paths)
        seen.forget()
        (root / "pkg" / "a.py").write_text("2\n")
        assert seen.told == {"pkg/a.py"}
        seen.forget()


def test_a_folder_that_moves_is_known_by_its_new_name(start, root: Path, tmp_path: Path):
    (root / "pkg" / "deep").mkdir()
    seen = start(root)
    (root / "pkg").rename(root / "other")
    seen.wait(lambda: "other/a.py" in seen.paths)
    seen.forget()
    (root / "other" / "a.py").write_text("3\n")
    (root / "other" / "deep" / "b.py").write_text("3\n")
    assert seen.told == {"other/a.py", "other/deep/b.py"}
    seen.forget()
    (root / "other").rename(tmp_path / "outside")
    assert seen.told == {"other"}
    seen.forget()
    (tmp_path / "outside" / "a.py").write_text("4\n")
    (tmp_path / "outside" / "deep" / "b.py").write_text("4\n")
    assert seen.told == set()
    (tmp_path / "outside").rename(root / "back")
    seen.wait(lambda: "back/a.py" in seen.paths)


@pytest.mark.parametrize("name", [".venv", "node_modules", "__pycache__", ".mypy_cache", ".suture"])
def test_skipped_folders_are_not_told(start, root: Path, name: str):
    (root / name / "deep").mkdir(parents=True)
    seen = start(root)
    (root / name / "a").write_text("1")
    (root / name / "deep" / "b").write_text("1")
    (root / "pkg" / name).mkdir()
    (root / "pkg" / name / "c").write_text("1")
    assert seen.told == set()


def test_links_are_not_followed(start, root: Path, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")
    seen = start(root)
    (root / "late").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "a.py").write_text("1")
    assert seen.told == {"late"}


def test_names_that_are_unusual(start, root: Path):
    seen = start(root)
    (root / "..hidden").write_text("1")
    (root / "ü 😀\n.py").write_text("1")
    Path(os.fsdecode(os.fsencode(root) + b"/\xff.py")).write_text("1")
    assert seen.told == {"..hidden", "ü 😀\n.py", "\ufffd.py"}
    for paths, _, _ in seen.calls:
        "".join(paths).encode()


def test_git_tells_where_head_is(start, root: Path, environ: dict[str, str]):
    def git(*arguments: str) -> None:
        command = ["git", "-c", "user.name=n", "-c", "user.email=e@x", *arguments]
        subprocess.run(command, cwd=root, env=environ, check=True, capture_output=True)

    git("init", "-q", "-b", "main", ".")
    git("add", "-A")
    git("commit", "-qm", "one")
    git("branch", "other")
    seen = start(root)
    for arguments in (
        ("commit", "-q", "--allow-empty", "-m", "two"),
        ("checkout", "-q", "other"),
        ("checkout", "-q", "-b", "topic/deep"),
        ("pack-refs", "--all"),
    ):
        seen.calls.clear()
        git(*arguments)
        seen.wait(lambda: seen.heads > 0)
        assert seen.told == set()
        time.sleep(2 * watch.QUIET_SECONDS)
    seen.calls.clear()
    git("commit", "-q", "--allow-empty", "-m", "three")
    seen.wait(lambda: seen.heads > 0)
    seen.forget()
    git("status")
    (root / ".git" / "index.lock").write_text("")
    assert seen.told == set()
    assert seen.heads == 0


def test_a_repository_that_is_made_later(start, root: Path, environ: dict[str, str]):
    seen = start(root)
    subprocess.run(["git", "init", "-q", "-b", "main", "."], cwd=root, env=environ, check=True)
    seen.forget()
    (root / ".git" / "HEAD").write_text("ref: refs/heads/other\n")
    seen.wait(lambda: seen.heads > 0)
    (root / ".git" / "refs" / "heads" / "x").mkdir(parents=True)
    seen.forget()
    (root / ".git" / "refs" / "heads" / "x" / "y").write_text("0" * 40)
    seen.wait(lambda: seen.heads > 0)


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "pyproject.toml", "suture.lock", "pkg/setup.cfg", "new/uv.lock"]
)
def test_files_that_decide_the_environment(start, root: Path, name: str):
    seen = start(root)
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("1")
    seen.wait(lambda: name in seen.paths)
    assert seen.environment


def test_an_environment_that_is_made_or_made_anew(start, root: Path):
    seen = start(root)
    (root / ".venv").mkdir()
    (root / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    seen.wait(lambda: ".venv/pyvenv.cfg" in seen.paths)
    assert seen.environment
    seen.forget()
    (root / ".venv" / "pyvenv.cfg").write_text("home = /usr/local/bin\n")
    assert seen.told == {".venv/pyvenv.cfg"}


@pytest.mark.parametrize("place", ["root/.venv/lib/python3.11/site-packages", "elsewhere"])
@pytest.mark.parametrize("name", ["six-1.0.dist-info", "six.egg-link", "mine.pth"])
def test_a_package_that_is_installed_or_removed(start, root: Path, tmp_path: Path, place: str, name: str):
    packages = tmp_path / place
    packages.mkdir(parents=True)
    seen = start(root, [packages])
    (packages / name).mkdir()
    seen.wait(lambda: ((), False, True) in seen.calls)
    seen.calls.clear()
    (packages / name).rmdir()
    seen.wait(lambda: ((), False, True) in seen.calls)


def test_many_packages_are_told_once_and_bytecode_is_none(start, root: Path, tmp_path: Path):
    packages = tmp_path / "site-packages"
    packages.mkdir()
    seen = start(root, [packages])
    (packages / "__pycache__").mkdir()
    for number in range(20):
        (packages / f"p{number}-1.0.dist-info").mkdir()
        time.sleep(0.02)
    seen.wait(lambda: ((), False, True) in seen.calls)
    seen.settle()
    assert seen.calls.count(((), False, True)) == 1


@pytest.mark.parametrize(
    ("path", "decides"),
    [
        ("requirements.txt", True),
        ("a/requirements/dev.txt", False),
        ("a/pyproject.toml", True),
        ("my-requirements.txt", False),
        ("x.py", False),
        ("", False),
    ],
)
def test_names_that_decide(path: str, decides: bool):
    assert decides_environment(path) == decides


def test_a_burst_is_told_together_and_no_later_than_it_must_be(start, root: Path):
    seen = start(root)
    until = time.monotonic() + 2.5
    count = 0
    while time.monotonic() < until:
        (root / f"f{count}").touch()
        count += 1
        time.sleep(watch.QUIET_SECONDS / 5)
    assert 1 <= len(seen.calls) < count
    assert len(seen.told) == count


def test_more_changes_than_the_kernel_keeps_are_not_forgotten(start, root: Path):
    seen = start(root)
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 1 << 16:
        pytest.skip("the kernel keeps too many to try")
    for number in range(most // 8):
        (root / f"folder-{number}").mkdir()
        for name in range(3):
            (root / f"folder-{number}" / str(name)).touch()
    seen.wait(lambda: f"folder-{most // 8 - 1}" in seen.paths or seen.heads > 0)
    seen.forget()
    (root / "pkg" / "a.py").write_text("3\n")
    assert seen.told == {"pkg/a.py"}


def test_many_folders_cost_no_threads(start, root: Path):
    for number in range(500):
        (root / f"folder-{number}" / "deep").mkdir(parents=True)
    before = threading.active_count()
    seen = start(root)
    assert threading.active_count() == before + 2  # the kernel's reader, and the one that gathers
    (root / "folder-499" / "deep" / "a.py").write_text("1")
    assert seen.told == {"folder-499/deep/a.py"}


def test_more_folders_than_the_limit(start, root: Path):
    for number in range(watch.MOST_FOLDERS + 20):
        (root / f"{number}").mkdir()
    seen = start(root)
    assert f"more than {watch.MOST_FOLDERS} folders" in seen.watch.note
    (root / "a.py").write_text("1")
    assert seen.told == {"a.py"}


def test_a_root_that_is_not_there(start, tmp_path: Path):
    seen = Seen(tmp_path / "missing")
    assert seen.watch.note.startswith("changes outside the editor are not noticed: ")
    seen.watch.stop()
    (tmp_path / "file").write_text("")
    seen = Seen(tmp_path / "file")
    assert "not noticed" in seen.watch.note
    seen.watch.stop()


def test_a_root_that_goes(start, root: Path):
    seen = start(root)
    shutil.rmtree(root)
    seen.wait(lambda: "pkg" in seen.paths)


UNREADABLE = """
import ctypes, sys
from pathlib import Path
from suture_server.worker.watch import Watch
for capability in (1, 2):  # root, too, has to obey the modes
    ctypes.CDLL(None).prctl(24, capability)
import os
if os.getuid() == 0:
    os.setuid(65534)
watch = Watch(Path(sys.argv[1]), print)
watch.start()
print(watch.note)
watch.stop()
"""


def test_what_cannot_be_read_is_not_watched(root: Path, tmp_path: Path):
    def note() -> str:
        done = subprocess.run([sys.executable, "-c", UNREADABLE, str(root)], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    for folder in (*root.parents, root, root / "pkg"):
        if tmp_path.is_relative_to(folder) and not folder.stat().st_mode & 0o001:  # pytest's own folders, however deep they are
            folder.chmod(0o755)
    (root / "pkg").chmod(0)
    assert note() == ""
    root.chmod(0)
    assert note().startswith("changes outside the editor are not noticed: [Errno 13]")
    root.chmod(0o755)
