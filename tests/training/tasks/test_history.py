"""Reverted fixes and dependency updates out of a real repository, read without running what its configuration names."""

from __future__ import annotations

from pathlib import Path

import pytest
from tasks_git import Past

from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.errors import ConfigurationError
from suture_training.tasks.archive import File
from suture_training.tasks.candidate import Dropped
from suture_training.tasks.drift import Drift, pins
from suture_training.tasks.git import Repository
from suture_training.tasks.history import History

ENVIRONMENT = Environment(EnvironmentFields(), Runtime(python="/usr/bin/python3", search_path=(), readonly=()))
WRONG, RIGHT = "def add(a, b):\n    return a - b\n", "def add(a, b):\n    return a + b\n"


@pytest.fixture
def past(tmp_path) -> Past:
    return Past(tmp_path / "repository")


def history(past: Past, kind=History, *, root: Path | None = None, extra=None):
    repository = Repository.open(root or past.root)
    assert repository is not None
    return kind(repository, ENVIRONMENT, name="shop", extra=extra or {})


async def candidates(source):
    return [await proposal.make() async for proposal in source.proposals()]


async def test_a_fix_is_a_commit_of_source_and_tests_and_its_task_the_source_before(past):
    past.commit({"calc.py": WRONG, "test_calc.py": "", "README.md": "x"})
    past.commit({"README.md": "y"})
    fix = past.commit({"calc.py": RIGHT, "test_calc.py": "from calc import add\n"})
    past.commit({"calc.py": f"# later\n{RIGHT}"})
    past.commit({"test_calc.py": "from calc import add  # later\n"})
    (found,) = await candidates(history(past))
    assert [(edit.path, edit.text) for edit in found.broken] == [("calc.py", WRONG)]
    assert [(edit.path, edit.text) for edit in found.gold] == [("calc.py", RIGHT)]
    assert found.files == {
        "calc.py": File(RIGHT.encode()), "test_calc.py": File(b"from calc import add\n"), "README.md": File(b"y"),
    }  # fmt: skip
    assert (found.origin.kind, found.origin.name, found.origin.time) == ("history", fix[:12], "2024-03-03T12:00:00+00:00")


async def test_files_that_come_and_go_do_so_in_the_task_the_other_way_round(past):
    past.commit({"old.py": WRONG, "tests/test_calc.py": ""})
    past.commit({"old.py": None, "new.py": RIGHT, "tests/test_calc.py": "x = 1\n"})
    (found,) = await candidates(history(past))
    assert {edit.path: edit.text for edit in found.broken} == {"old.py": WRONG, "new.py": None}
    assert {edit.path: edit.text for edit in found.gold} == {"old.py": None, "new.py": RIGHT}


async def test_the_newest_comes_first_and_keys_are_the_commits(past):
    past.commit({"calc.py": "", "test_calc.py": ""})
    commits = [past.commit({"calc.py": f"x = {number}\n", "test_calc.py": f"y = {number}\n"}) for number in range(3)]
    assert [each.key async for each in history(past).proposals()] == [f"history:{commit}" for commit in commits[::-1]]


async def test_merges_large_commits_and_configuration_are_no_fixes(past):
    past.commit({"calc.py": WRONG, "test_calc.py": "", "pyproject.toml": ""})
    past.git("checkout", "-q", "-b", "side")
    past.commit({"other.py": "x = 1\n"})
    past.git("checkout", "-q", "main")
    past.commit({"more.py": ""})
    past.git("merge", "-q", "--no-ff", "side")
    past.commit({**{f"m{number}.py": "x = 1\n" for number in range(9)}, "test_calc.py": "x = 1\n"})
    past.commit({"pyproject.toml": "[project]\n", "test_calc.py": "x = 2\n"})
    assert await candidates(history(past)) == []


async def test_a_workspace_may_be_a_folder_of_its_repository(past):
    past.commit({"inner/calc.py": WRONG, "inner/test_calc.py": "", "calc.py": "outside\n"})
    past.commit({"inner/calc.py": RIGHT, "inner/test_calc.py": "x = 1\n", "calc.py": "outside too\n"})
    past.commit({"calc.py": "again\n", "test_x.py": "x = 1\n"})
    (found,) = await candidates(history(past, root=past.root / "inner"))
    assert [edit.path for edit in found.broken] == ["calc.py"]
    assert found.files is not None
    assert sorted(found.files) == ["calc.py", "test_calc.py"]


async def test_what_may_hold_secrets_is_empty_and_links_are_left_out(past):
    (past.root / "link.py").symlink_to("/etc/passwd")
    past.commit({".env": "KEY=1\n", "calc.py": WRONG, "test_calc.py": ""})
    past.commit({"calc.py": RIGHT, "test_calc.py": "x = 1\n"})
    (found,) = await candidates(history(past, extra={"_version.py": File(b"v = 1\n")}))
    assert found.files is not None
    assert found.files[".env"] == File(b"")
    assert found.files["_version.py"] == File(b"v = 1\n")
    assert "link.py" not in found.files


async def test_source_that_is_no_text_makes_no_candidate(past):
    past.commit({"calc.py": b"# \xff\n", "test_calc.py": ""})
    past.commit({"calc.py": RIGHT, "test_calc.py": "x = 1\n"})
    (proposal,) = [each async for each in history(past).proposals()]
    with pytest.raises(Dropped) as dropped:
        await proposal.make()
    assert (dropped.value.why, dropped.value.detail) == ("unusable", "calc.py is not UTF-8")


async def test_drift_is_a_commit_that_moves_a_dependency_and_source(past):
    past.commit({"calc.py": WRONG, "requirements.txt": "toolz==0.11.0\nsix>=1.0\n"})
    past.commit({"calc.py": RIGHT, "requirements.txt": "toolz==1.0.0\nsix>=1.0\n"})
    past.commit({"requirements.txt": "toolz==1.0.1\n"})
    past.commit({"calc.py": WRONG})
    (found,) = await candidates(history(past, Drift))
    assert (found.origin.kind, found.origin.name) == ("drift", "toolz 1.0.0")
    assert [edit.text for edit in found.broken] == [WRONG]
    assert found.files is not None
    assert found.files["requirements.txt"] == File(b"toolz==1.0.0\nsix>=1.0\n")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a==1.2\nB[x] >= 1, <3  # why\n-r other.txt\n", {"a": "1.2", "b": ">=1,<3"}),
        ('dependencies = [\n  "a>=2",\n  "b==1.0",\n]\n', {"a": ">=2", "b": "1.0"}),
        ('[[package]]\nname = "a"\nversion = "1.0"\n\n[[package]]\nname = "b"\nversion = "2"\n', {"a": "1.0", "b": "2"}),
        ("", {}),
    ],
)
def test_pins_are_read_from_requirements_and_locks(text, found):
    assert pins(text) == found


async def test_nothing_that_a_repository_names_is_run(past, tmp_path):
    mark = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    program.chmod(0o755)
    past.commit({"calc.py": WRONG, "test_calc.py": "", ".gitattributes": "*.py filter=evil diff=evil\n"})
    past.commit({"calc.py": RIGHT, "test_calc.py": "x = 1\n"})
    settings = ("core.fsmonitor", "core.pager", "diff.external", "diff.evil.command", "diff.evil.textconv", "filter.evil.smudge")
    for name in (*settings, "filter.evil.clean", "core.sshCommand", "core.editor", "pager.rev-list", "pager.diff-tree", "gpg.program"):
        past.git("config", name, str(program))
    past.git("config", "core.hooksPath", str(tmp_path))
    past.git("config", "alias.rev-list", f"!{program}")
    past.git("config", "log.showSignature", "true")
    assert len(await candidates(history(past))) == 1
    assert Repository.open(past.root).time() == "2024-03-02T12:00:00+00:00"  # type: ignore[union-attr]
    assert not mark.exists()


async def test_a_partial_clone_is_not_completed_over_a_network(past, tmp_path):
    past.commit({"calc.py": WRONG, "test_calc.py": ""})
    past.commit({"calc.py": RIGHT, "test_calc.py": "x = 1\n"})
    past.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    past.git("clone", "-q", "--no-checkout", "--filter=blob:none", past.root.as_uri(), str(clone))
    repository = Repository.open(clone)
    assert repository is not None
    (proposal,) = [each async for each in History(repository, ENVIRONMENT, name="shop", extra={}).proposals()]
    with pytest.raises(Dropped) as dropped:
        await proposal.make()
    assert dropped.value.why == "unusable"


def test_a_folder_outside_any_repository_has_none(tmp_path):
    assert Repository.open(tmp_path) is None


def test_an_empty_repository_has_no_time(past):
    repository = Repository.open(past.root)
    assert repository is not None
    assert repository.time() == ""
    with pytest.raises(ConfigurationError):
        list(repository.commits(10))
