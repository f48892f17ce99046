"""Opening a workspace: settings, checks, environment and drift; where things lie; and what is said when a place cannot be known."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from suture_agent.errors import PolicyUnavailable, SettingsError
from suture_agent.models import local_sources
from suture_agent.places import cache_folder, data_folder, state_folder, user_configuration
from suture_agent.policies import PolicyIdentity
from suture_agent.policies.registry import open_policy
from suture_agent.settings import CheckSettings, Loaded, Settings
from suture_agent.settings.records import EnvironmentSettings, JournalSettings, PolicySettings, SandboxSettings
from suture_agent.workspace import Workspace, configured_harness, journal_path, limits_of, merge_checks, models_folder, open_workspace
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.identity import Difference
from suture_sandbox.lockfile import lock_path, write_lock
from suture_sandbox.memory import MemoryBackend
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

TESTS = Check(name="tests", kind="tests", command=("python", "-m", "pytest"), report="pytest", timeout=300, selectable=True, tool="pytest")
LINT = Check(name="lint", kind="lint", command=("ruff", "check"), report="ruff", tool="ruff")
NOBODY = "~no-such-user-anywhere/x"


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A user with a home of their own."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in list(os.environ):
        if name.startswith(("SUTURE_", "XDG_")) or name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def shop(tmp_path) -> Path:
    """A workspace with a small environment of its own, so that it is quickly captured."""
    root = tmp_path / "shop"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    site = root / ".venv" / "lib" / version / "site-packages"
    site.mkdir(parents=True)
    (root / ".venv" / "bin").mkdir()
    base = Path(os.path.realpath(sys.executable))
    (root / ".venv" / "bin" / "python").symlink_to(base)
    (root / ".venv" / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
    (root / "cart.py").write_text("x = 1\n")
    return root


async def test_workspace_opens_with_what_it_says_and_what_is_found(shop, home):
    (shop / "suture.toml").write_text('[sandbox]\nmemory_mib = 512\n[checks.mine]\ncommand = ["true"]\nkind = "lint"\n')
    workspace = await open_workspace(shop / ".." / "shop", overrides={"policy.spec": "scripted:x"})
    assert workspace.root == shop.resolve()
    assert workspace.snapshot == Snapshot(shop.resolve())
    assert workspace.settings.policy.spec == "scripted:x"
    assert workspace.loaded.origins["sandbox.memory_mib"] == "suture.toml:2"
    assert workspace.sandbox.environment.limits.memory_mib == 512
    assert [check.name for check in workspace.sandbox.environment.checks] == ["build", "mine"]
    assert workspace.sandbox.environment.fields.isolation["network"] == "none"
    assert any(".venv" in note for note in workspace.notes)
    assert workspace.drift == ()
    workspace.refuse_drift()
    assert sorted(path.name for path in shop.iterdir()) == [".venv", "cart.py", "suture.toml"]
    await workspace.close()


async def test_what_is_excluded_belongs_to_both_identities(shop, home, play):
    first = await open_workspace(shop)
    assert "excluded" not in first.sandbox.environment.fields.isolation
    (shop / "suture.toml").write_text('privacy.exclude = ["b/*.csv", "a", "a"]\n')
    second = await open_workspace(shop)
    assert second.sandbox.environment.excluded == ("a", "b/*.csv")
    assert second.sandbox.environment.identity != first.sandbox.environment.identity
    before, after = (each.harness_of(play.policy(), PolicyIdentity(name="x")) for each in (first, second))
    assert (before.excluded, after.excluded) == (msgspec.UNSET, ("a", "b/*.csv"))
    assert before.identity != after.identity


@pytest.mark.parametrize("glob", ["", "/etc", "../x", "a b"])
async def test_what_cannot_be_excluded_is_refused_with_its_place(shop, home, glob):
    (shop / "suture.toml").write_text(f'[privacy]\nexclude = ["{glob}"]\n')
    with pytest.raises(SettingsError, match=r"suture.toml:2: privacy.exclude = ") as caught:
        await open_workspace(shop)
    assert "name files or folders" in caught.value.remedy


async def test_environment_that_drifted_from_its_lock_is_refused(shop, home):
    first = await open_workspace(shop)
    write_lock(shop, first.sandbox.environment)
    assert lock_path(shop).exists()
    again = await open_workspace(shop)
    assert again.drift == ()
    assert again.sandbox.environment.identity == first.sandbox.environment.identity
    site = next((shop / ".venv" / "lib").glob("*/site-packages"))
    info = site / "newcomer-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: newcomer\nVersion: 1.0\n")
    (info / "RECORD").write_text("")
    drifted = await open_workspace(shop)
    assert drifted.sandbox.environment.identity != first.sandbox.environment.identity
    with pytest.raises(ConfigurationError, match="newcomer") as caught:
        drifted.refuse_drift()
    assert "suture env lock" in caught.value.remedy


def test_refusal_names_at_most_five_differences(shop):
    many = tuple(Difference(f"dependencies.lib{number}.version", '"1"', '"2"') for number in range(9))
    workspace = Workspace(root=shop, loaded=Loaded(settings=Settings(), origins={}), sandbox=None, notes=(), drift=many)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError) as caught:
        workspace.refuse_drift()
    assert [f"lib{number}" in str(caught.value) for number in range(9)] == [True] * 5 + [False] * 4


@pytest.mark.parametrize("name", ["nowhere", "cart.py"])
async def test_workspace_that_is_no_folder_is_refused(shop, home, name):
    with pytest.raises(ConfigurationError, match="is not a folder"):
        await open_workspace(shop / name)


async def test_wrong_setting_stops_before_anything_is_made(shop, home):
    (shop / "suture.toml").write_text("[sandbox]\nmemory = 1\n")
    with pytest.raises(SettingsError, match=r"suture\.toml:2"):
        await open_workspace(shop)
    assert list(home.iterdir()) == []


def test_policy_is_the_one_that_the_settings_name(shop, monkeypatch):
    def named(**settings: object) -> object:
        loaded = Loaded(settings=Settings(policy=PolicySettings(**settings)), origins={})  # type: ignore[arg-type]
        runtime = Runtime(python="/usr/bin/python3", search_path=(), readonly=())
        sandbox = Sandbox(MemoryBackend({}), Environment(EnvironmentFields(), runtime))
        return Workspace(root=shop, loaded=loaded, sandbox=sandbox, notes=()).policy()

    (shop / "play.jsonl").write_text('{"name": "played", "tools": false}\n')
    policy = named(spec=f"scripted:{shop / 'play.jsonl'}")
    assert type(policy.base).__name__ == "ScriptedPolicy"
    assert configured_harness(Settings(), policy, PolicyNamed()).preset == "direct"  # type: ignore[arg-type]
    with pytest.raises(PolicyUnavailable):
        named(spec="nobody")


class PolicyNamed(msgspec.Struct):
    """As much of a policy's identity as the harness looks at."""

    template: str = ""


def test_limits_are_those_of_the_settings():
    wanted = {name: number for number, name in enumerate(Limits.__struct_fields__, 3)}
    assert msgspec.structs.asdict(limits_of(Settings(sandbox=SandboxSettings(**wanted)))) == wanted
    assert limits_of(Settings()) == Limits()


def test_check_is_changed_only_where_the_settings_say():
    changed = merge_checks([TESTS], {"tests": CheckSettings(timeout=9)})[0]
    assert changed == msgspec.structs.replace(TESTS, timeout=9)
    changed = merge_checks([TESTS], {"tests": CheckSettings(selectable=False, kind="build")})[0]
    assert changed == msgspec.structs.replace(TESTS, selectable=False, kind="build")
    assert merge_checks([TESTS], {"tests": CheckSettings()}) == (TESTS,)


def test_check_that_is_switched_off_is_left_out():
    assert merge_checks([TESTS, LINT], {"tests": CheckSettings(enabled=False), "other": CheckSettings(enabled=False)}) == (LINT,)


def test_check_that_nobody_found_needs_a_command():
    with pytest.raises(ConfigurationError, match=r"checks\.mine") as caught:
        merge_checks([TESTS], {"mine": CheckSettings(timeout=3)})
    assert "checks.mine.command" in caught.value.remedy
    (mine,) = merge_checks([], {"mine": CheckSettings(command=("make", "test"))})
    assert mine == Check(name="mine", kind="tests", command=("make", "test"), report="generic")


def test_cheapest_kind_of_check_goes_first():
    kinds = ("tests", "types", "build", "lint")
    wanted = {f"{kind}-{number}": CheckSettings(command=("x",), kind=kind) for number in (1, 2) for kind in kinds}
    found = [check.kind for check in merge_checks([TESTS], wanted)]
    assert found == ["build"] * 2 + ["lint"] * 2 + ["types"] * 2 + ["tests"] * 3


REPORTS = [
    (CheckSettings(command=("x",), report="sarif"), "sarif"),
    (CheckSettings(command=("x",)), "generic"),
    (CheckSettings(command=("x", "--out={report}")), "pytest"),
    (CheckSettings(report="junit"), "junit"),
    (CheckSettings(timeout=1), "pytest"),
]


@pytest.mark.parametrize(("change", "report"), REPORTS)
def test_report_format_follows_from_the_command_unless_it_is_said(change, report):
    assert merge_checks([TESTS], {"tests": change})[0].report == report


def test_new_check_that_writes_a_report_writes_junit():
    assert merge_checks([], {"mine": CheckSettings(command=("x", "{report}"))})[0].report == "junit"


def test_report_format_that_is_none_lists_those_there_are():
    with pytest.raises(ConfigurationError, match=r"checks\.tests\.report = 'junjt'") as caught:
        merge_checks([TESTS], {"tests": CheckSettings(report="junjt")})
    assert "junit" in caught.value.remedy


def test_paths_of_the_settings_may_begin_with_the_users_home(home):
    assert models_folder(Settings(policy=PolicySettings(models="~/weights"))) == home / "weights"
    assert models_folder(Settings()) is None
    assert journal_path(Settings(journal=JournalSettings(path="~/j.sqlite3"))) == home / "j.sqlite3"
    assert journal_path(Settings()) == home / ".local" / "share" / "suture" / "journal.sqlite3"


def test_home_that_nobody_has_is_an_error_of_the_setting(monkeypatch):
    monkeypatch.setenv("SUTURE_MODELS", NOBODY)
    acts = {
        "policy.models": lambda: models_folder(Settings(policy=PolicySettings(models=NOBODY))),
        "journal.path": lambda: journal_path(Settings(journal=JournalSettings(path=NOBODY))),
        "policy.spec": lambda: open_policy(f"scripted:{NOBODY}"),
        "SUTURE_MODELS": local_sources,
    }
    for setting, act in acts.items():
        with pytest.raises(SettingsError, match=f"{setting} = '{NOBODY}': there is no such home folder") as caught:
            act()
        assert caught.value.remedy == "write the whole path"


async def test_interpreter_in_a_home_that_nobody_has_is_an_error_of_the_setting(shop, home):
    with pytest.raises(SettingsError, match=r"environment\.python = '~no-such-user"):
        await open_workspace(shop, overrides={"environment.python": NOBODY})
    assert Settings(environment=EnvironmentSettings(python=NOBODY)).environment.python == NOBODY


def test_folders_are_the_users(home, monkeypatch):
    assert cache_folder() == home / ".cache" / "suture"
    assert data_folder() == home / ".local" / "share" / "suture"
    assert state_folder() == home / ".local" / "state" / "suture"
    assert user_configuration() == home / ".config" / "suture" / "config.toml"
    for kind, folder in {"CACHE": cache_folder, "DATA": data_folder, "STATE": state_folder}.items():
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / "x" / kind))
        assert folder() == home / "x" / kind / "suture"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "x"))
    assert user_configuration() == home / "x" / "suture" / "config.toml"
    assert list(home.iterdir()) == []


HOMELESS = """\
import os, pwd, sys
import platformdirs
from suture_agent import places
from suture_agent.errors import SettingsError

def unknown(uid):
    raise KeyError(uid)

pwd.getpwuid = unknown
for act in (places.cache_folder, places.data_folder, places.state_folder, places.user_configuration):
    try:
        print(act())
    except SettingsError as error:
        print(f"{error} | {error.remedy}")
"""


@pytest.mark.parametrize("variables", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_user_without_a_home_is_told_what_to_set(tmp_path, variables):
    environ = {key: value for key, value in os.environ.items() if key != "HOME" and not key.startswith("XDG_")}
    argv = [sys.executable, "-B", "-c", HOMELESS]
    done = subprocess.run(argv, env={**environ, **variables}, cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    for kind, line in zip(("CACHE", "DATA", "STATE", "CONFIG"), lines, strict=True):
        assert line == f"the user who runs suture has no home folder | set HOME, or XDG_{kind}_HOME, to a folder that can be written to"
    assert list(tmp_path.iterdir()) == []
    given = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("CACHE", "DATA", "STATE", "CONFIG")}
    done = subprocess.run(argv, env={**environ, **variables, **given}, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [Path(line).relative_to(tmp_path).parts[0] for line in done.stdout.splitlines()] == ["CACHE", "DATA", "STATE", "CONFIG"]
