"""Sites: a set made from a real workspace in the real sandbox, its workspaces laid out, and environments that are not the right one."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from tasks_git import Past
from tasks_shop import CALC, TEST_CALC, empty_environment

from suture_agent.harness import harness_for
from suture_agent.places import cache_folder
from suture_agent.policies.scripted import Script, ScriptedCall, ScriptedHeader, ScriptedPolicy, ScriptedTurn
from suture_agent.workspace import open_workspace
from suture_sandbox.errors import ConfigurationError
from suture_training.rollout import roll_out
from suture_training.tasks.again import verify_set
from suture_training.tasks.archive import folder_hash
from suture_training.tasks.make import BELOW, Asked, make_tasks
from suture_training.tasks.making import Phase
from suture_training.tasks.sites import materialise, open_sites, refuse_other
from suture_training.tasks.store import TaskSet


async def made(root: Path, out: Path, **asked) -> tuple[TaskSet, list[str]]:
    told = []
    wanted = Asked(workspace=root, out=out, **{"count": 1, "runs": 1, **asked})
    done = await make_tasks(wanted, cache_folder(), told.append)
    return done.task_set, [event.text for event in told if isinstance(event, Phase)]


def mends(task) -> ScriptedPolicy:
    """A policy with tools that knows the answer."""
    edit = {"path": task.gold[0].path, "search": task.broken[0].text, "replace": task.gold[0].text}
    calls = (ScriptedCall(name="edit_file", arguments=edit), ScriptedCall(name="submit"))
    return ScriptedPolicy(Script(header=ScriptedHeader(tools=True), turns=tuple(ScriptedTurn(calls=(call,)) for call in calls)))


async def test_a_set_is_made_opened_and_its_task_solved_over_the_one_path(calc, home, tmp_path):
    task_set, _ = await made(calc, tmp_path / "set", below=100)
    (task,) = task_set.tasks
    assert task.proof.good
    assert task_set.info.finished
    assert task_set.info.filters == {BELOW: 100}
    assert task_set.environment(task.environment).filters == {BELOW: 100}
    assert (task.origin.repository, task.check) == ("calc", "tests")
    before = folder_hash(calc)
    async with open_sites(task_set, cache_folder()) as sites:
        site = sites[task.workspace]
        assert site.sandbox.environment.identity == task.environment
        assert site.healthy.root != calc
        policy = mends(task)
        rollout = await roll_out(
            task, site, policy, msgspec.structs.replace(harness_for(policy.capability), reruns=1, controls=0, shaken=0)
        )
        assert rollout.solved
        assert rollout.environment == task.environment
        idle = ScriptedPolicy(Script(turns=(ScriptedTurn(calls=(ScriptedCall(name="submit"),), repeat=0),)))
        assert (await roll_out(task, site, idle, harness_for(idle.capability))).solved is False
    assert folder_hash(calc) == before
    shown = []
    assert await verify_set(tmp_path / "set", cache_folder(), 1, lambda *each: shown.append(each), progress=lambda _text: None) == []
    assert [each.proof.good for _, each in shown] == [True]


async def test_the_copy_is_made_once_and_mended_where_it_was_changed(calc, home, tmp_path):
    task_set, _ = await made(calc, tmp_path / "set")
    archive = next(iter((tmp_path / "set" / "workspaces").iterdir()))
    folder = materialise(archive, cache_folder())
    stamp = (folder / "calc.py").stat().st_ctime_ns
    assert materialise(archive, cache_folder()) == folder
    assert (folder / "calc.py").stat().st_ctime_ns == stamp
    assert not (folder / ".venv").exists()
    (folder / "calc.py").write_text("raise SystemExit\n")
    assert folder_hash(materialise(archive, cache_folder())) == task_set.tasks[0].workspace


async def test_another_environment_is_refused_field_by_field_unless_it_may_differ(calc, home, tmp_path, monkeypatch):
    task_set, _ = await made(calc, tmp_path / "set")
    wanted = task_set.environment(task_set.tasks[0].environment)
    other = msgspec.structs.replace(wanted, os={"id": "other"}, variables={**wanted.variables, "TZ": "Mars"})
    with pytest.raises(ConfigurationError, match="variables TZ was UTC and is Mars") as error:
        refuse_other(wanted, other, allow=("os",), repository="calc")
    assert "fields: variables.TZ" in str(error.value)
    refuse_other(wanted, other, allow=("os", "variables.TZ"), repository="calc")
    monkeypatch.setenv("SUTURE_SANDBOX__MEMORY_MIB", "999")
    with pytest.raises(ConfigurationError, match=r"isolation\.limit_memory_mib"):
        async with open_sites(task_set, cache_folder()):
            pass
    async with open_sites(task_set, cache_folder(), allow=("isolation",)) as sites:
        (site,) = sites.values()
        assert site.sandbox.environment.identity != task_set.tasks[0].environment


async def test_where_the_interpreter_is_not_known_the_user_may_name_it(calc, home, tmp_path, monkeypatch):
    task_set, _ = await made(calc, tmp_path / "set")
    (remembered,) = (cache_folder() / "task-environments").iterdir()
    (empty_environment(tmp_path / "other") / "more-1.dist-info").mkdir()
    remembered.write_text(str(tmp_path / "other" / ".venv" / "bin" / "python"))
    with pytest.raises(ConfigurationError, match=r"dependencies\.more") as error:
        async with open_sites(task_set, cache_folder()):
            pass
    assert "SUTURE_PYTHON" in error.value.remedy
    monkeypatch.setenv("SUTURE_PYTHON", str(calc / ".venv" / "bin" / "python"))
    async with open_sites(task_set, cache_folder()) as sites:
        assert {site.sandbox.environment.identity for site in sites.values()} == {task_set.tasks[0].environment}


async def test_a_project_that_is_installed_in_place_is_tried_in_its_copy(calc, home, tmp_path):
    """Else the tests would run the original, and every mistake in the copy would survive."""
    (calc / "src").mkdir()
    (calc / "calc.py").rename(calc / "src" / "calc.py")
    (calc / "pyproject.toml").write_text('[project]\nname = "calc"\nversion = "1"\n[build-system]\nrequires = ["hatchling"]\n')
    (site,) = calc.glob(".venv/lib/*/site-packages")
    info = site / "calc-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: calc\nVersion: 1\n")
    (info / "direct_url.json").write_text(json.dumps({"url": calc.as_uri(), "dir_info": {"editable": True}}))
    (site / "_calc.pth").write_text(f"{calc}/src\n")
    (info / "RECORD").write_text("_calc.pth,,\ncalc-1.dist-info/METADATA,,\n")
    workspace = await open_workspace(calc)
    await workspace.close()
    task_set, told = await made(calc, tmp_path / "set")
    (task,) = task_set.tasks
    assert task.gold[0].path == "src/calc.py"
    assert task.environment == workspace.sandbox.environment.identity
    assert [text for text in told if "not the workspace's own" in text] == []


async def test_what_git_ignores_is_left_out_unless_it_is_asked_for(calc, home, tmp_path):
    (calc / ".gitignore").write_text("calc.py\n.venv\n")
    with pytest.raises(ConfigurationError, match="no test passes on the healthy text") as error:
        await made(calc, tmp_path / "set")
    assert "left out: calc.py" in error.value.remedy
    task_set, _ = await made(calc, tmp_path / "other", include=("calc.py",))
    assert len(task_set.tasks) == 1


async def test_a_commit_is_a_workspace_of_its_own_with_an_environment_of_its_own(calc, home, tmp_path):
    past = Past(calc)
    wrong = CALC.replace("result += price", "result -= price")
    past.commit({".gitignore": ".venv/\n", "calc.py": wrong, "test_calc.py": TEST_CALC.replace("def test_total", "def later")})
    fix = past.commit({"calc.py": CALC, "test_calc.py": TEST_CALC})
    past.commit({"suture.toml": "[checks.tests]\ntimeout = 77\n"})
    task_set, _ = await made(calc, tmp_path / "set", sources=("history",), count=5)
    (task,) = task_set.tasks
    assert (task.origin.kind, task.origin.name, task.origin.time) == ("history", fix[:12], "2024-03-02T12:00:00+00:00")
    assert [finding.test for finding in task.findings] == ["test_calc.Calc.test_total"]
    assert task_set.environment(task.environment).checks["tests"].timeout == 300
    assert list(task_set.info.workspaces) == [task.workspace]
    async with open_sites(task_set, cache_folder()) as sites:
        assert sites[task.workspace].sandbox.environment.identity == task.environment
