"""A workspace can never weaken what the user's own configuration or the default demands, whatever it says."""

from __future__ import annotations

from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suture_agent.errors import SettingsError
from suture_agent.harness import PRESETS, as_full
from suture_agent.settings import RULES, CheckSettings, Settings
from suture_agent.settings.rules import MOST, WHY

DEFAULTS = {
    f"{section}.{name}": value
    for section, fields in msgspec.to_builtins(Settings()).items()
    if section != "checks"
    for name, value in fields.items()
}


def toml(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(each) for each in value)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def document(values: dict[str, Any]) -> str:
    return "\n".join(f"{key} = {toml(value)}" for key, value in values.items())


def in_force(loaded: Any, key: str) -> Any:
    section, name = key.split(".")
    return getattr(getattr(loaded.settings, section), name)


def test_every_setting_has_a_rule_and_every_rule_a_setting():
    keys = {
        f"{section}.{name}" for section, kind in get_type_hints(Settings).items() if section != "checks" for name in get_type_hints(kind)
    }
    assert set(RULES) == keys | {"checks"}
    assert set(WHY) == set(RULES.values())


def test_what_leads_out_of_the_sandbox_or_to_a_server_is_the_users():
    """The settings by which a workspace could send code away, run its own program outside or move the record."""
    keys = [key for key in RULES if key.startswith("policy.")] + ["journal.path", "environment.python", "sandbox.backend"]
    keys += [key for key in RULES if key.startswith("sandbox.docker_")]
    assert {RULES[key] for key in keys} == {"user"}


def test_no_limit_and_no_switch_of_the_guard_is_free():
    assert {RULES[key] for key in RULES if key.startswith("sandbox.")} == {"lower", "user", "among"}
    assert {RULES[key] for key in RULES if key.startswith("guard.")} == {"unset", "add"}
    assert RULES["verdict.reruns"] == "higher"


def test_a_workspace_may_ask_for_what_the_largest_preset_gives():
    both = [*PRESETS.values(), *map(as_full, PRESETS.values())]
    for name in ("steps", "tokens", "tool_seconds", "retries", "tool_calls", "episode_seconds"):
        values = [getattr(harness.budgets, name) for harness in both]
        assert MOST[f"harness.{name}"] == max(value for value in values if value is not msgspec.UNSET)
    for name in ("errors", "past_fixes"):
        assert MOST[f"harness.{name}"] == max(getattr(as_full(harness), name) for harness in PRESETS.values())
    assert MOST["harness.seconds"] == max(harness.budgets.seconds for harness in PRESETS.values())
    assert MOST["harness.candidates"] >= max(harness.sampling.candidates for harness in PRESETS.values())
    assert MOST["editor.episodes"] == 4
    assert set(MOST) == {key for key, rule in RULES.items() if rule == "budget"}


REFUSED_BY_DEFAULT = {
    "sandbox.seconds": 301,
    "sandbox.cpu_seconds": 601,
    "sandbox.memory_mib": 4097,
    "sandbox.processes": 257,
    "sandbox.disk_mib": 1025,
    "sandbox.output_mib": 9,
    "sandbox.open_files": 1025,
    "sandbox.memo": "disk",
    "environment.python": ".venv/bin/python",
    "policy.spec": "http://evil.example/v1",
    "policy.api_key_variable": "AWS_SECRET_ACCESS_KEY",
    "policy.timeout_seconds": 1,
    "policy.models": "/tmp/models",
    "policy.adapters": "off",
    "policy.require_matched_adapter": True,
    "harness.steps": MOST["harness.steps"] + 1,
    "harness.tokens": MOST["harness.tokens"] + 1,
    "harness.seconds": 601,
    "harness.episode_seconds": 4801,
    "harness.tool_seconds": 3601,
    "harness.tool_calls": 51,
    "harness.retries": 4,
    "harness.errors": 11,
    "harness.past_fixes": 5,
    "harness.recall": "journal",
    "harness.judge": "policy",
    "harness.candidates": MOST["harness.candidates"] + 1,
    "verdict.reruns": 2,
    "verdict.reproduced": 1,
    "verdict.controls": 2,
    "verdict.shaken": 0,
    "verdict.quarantine_days": 15,
    "guard.allow_test_edits": True,
    "guard.allow_configuration_edits": True,
    "guard.allow_suppressions": True,
    "guard.allow_deletions": True,
    "journal.path": "/tmp/j",
    "editor.episodes": 5,
    "editor.background": True,
    "editor.background_minutes": 11,
    "editor.notice": False,
    "editor.worker_idle_minutes": 1,
    "sandbox.backend": "docker",
    "sandbox.docker_mode": "strict",
    "sandbox.docker_image": "sha256:1",
    "sandbox.docker_runtime": "runsc",
    "sandbox.docker_socket": "unix:///tmp/mine.sock",
    "sandbox.docker_containers": 2,
}


def test_each_rule_that_can_refuse_is_tried():
    """An addition or a free choice weakens nothing, and the highest level is the default."""
    assert set(REFUSED_BY_DEFAULT) == {key for key, rule in RULES.items() if rule not in ("free", "add", "among")} - {"journal.level"}


@pytest.mark.parametrize("key", REFUSED_BY_DEFAULT)
@pytest.mark.parametrize("file", ["suture.toml", "pyproject.toml"])
def test_what_would_weaken_the_default_is_refused_with_line_key_limit_and_who_may(place, key, file):
    value = REFUSED_BY_DEFAULT[key]
    prefix = "tool.suture." if file == "pyproject.toml" else ""
    said = place.says(f"# first line\n{prefix}{key} = {toml(value)}", file=file).refused()
    assert said.startswith(f"{file}:2: {key} = ")
    assert WHY[RULES[key]] in said
    assert "the default says" in said
    assert "your own file" in said


@pytest.mark.parametrize("key", REFUSED_BY_DEFAULT)
def test_the_user_may_set_what_a_workspace_may_not(place, key):
    value = REFUSED_BY_DEFAULT[key]
    loaded = place.user(document({key: value})).load()
    assert in_force(loaded, key) == value
    assert loaded.origins[key] == "~/.config/suture/config.toml:1"


@pytest.mark.parametrize("key", REFUSED_BY_DEFAULT)
def test_a_workspace_may_use_what_the_user_allows(place, key):
    value = REFUSED_BY_DEFAULT[key]
    loaded = place.user(document({key: value})).says(document({key: value})).load()
    assert in_force(loaded, key) == value


@pytest.mark.parametrize("key", REFUSED_BY_DEFAULT)
def test_a_workspace_may_repeat_the_default(place, key):
    assert in_force(place.says(document({key: DEFAULTS[key]})).load(), key) == DEFAULTS[key]


STRICTER = {
    "sandbox.memory_mib": 512,
    "harness.seconds": 60,
    "harness.steps": 3,
    "harness.tokens": 100,
    "verdict.reruns": 9,
    "harness.candidates": 1,
    "editor.episodes": 2,
    "editor.background_minutes": 5,
}


@pytest.mark.parametrize("key", STRICTER)
def test_a_workspace_may_be_stricter_than_the_default(place, key):
    loaded = place.says(document({key: STRICTER[key]})).load()
    assert in_force(loaded, key) == STRICTER[key]
    assert loaded.origins[key] == "suture.toml:1"


@pytest.mark.parametrize("key", STRICTER)
def test_a_workspace_may_be_stricter_than_the_user(place, key):
    own = STRICTER[key] + (-1 if key == "verdict.reruns" else 10)
    loaded = place.user(document({key: own})).says(document({key: STRICTER[key]})).load()
    assert in_force(loaded, key) == STRICTER[key]
    assert loaded.origins[key] == "suture.toml:1"


@pytest.mark.parametrize("key", STRICTER)
def test_a_workspace_may_not_be_looser_than_the_user(place, key):
    own = STRICTER[key] + (1 if key == "verdict.reruns" else -1)
    if own == 0:
        own, asked = 1, 2
    else:
        asked = STRICTER[key]
    said = place.user(document({key: own})).says(document({key: asked})).refused()
    assert f"~/.config/suture/config.toml:1 says {own}" in said


def test_switches_go_off_only(place):
    place.user("guard.allow_test_edits = true\nguard.allow_suppressions = true").says("guard.allow_test_edits = false")
    loaded = place.load()
    assert (loaded.settings.guard.allow_test_edits, loaded.settings.guard.allow_suppressions) == (False, True)
    assert loaded.origins["guard.allow_test_edits"] == "suture.toml:1"
    assert loaded.origins["guard.allow_suppressions"] == "~/.config/suture/config.toml:2"


def test_protected_files_are_only_added_to(place):
    assert place.says('guard.protected = ["a", "b"]').load().settings.guard.protected == ("a", "b")
    loaded = place.user('guard.protected = ["c", "a"]').load()
    assert loaded.settings.guard.protected == ("c", "a", "b")
    assert loaded.origins["guard.protected"] == "~/.config/suture/config.toml:1 and suture.toml:1"
    assert place.says("guard.protected = []").load().settings.guard.protected == ("c", "a")


def test_a_workspace_may_only_add_to_what_nobody_is_to_see(place):
    assert place.says('privacy.exclude = ["a", "b/*.csv"]').load().settings.privacy.exclude == ("a", "b/*.csv")
    assert place.user('privacy.exclude = ["c"]').load().settings.privacy.exclude == ("c", "a", "b/*.csv")
    assert place.says("privacy.exclude = []").load().settings.privacy.exclude == ("c",)


def test_how_the_editor_behaves_is_free_but_for_what_costs(place):
    place.says('[editor]\ncheck_on = "change"\ndelay_ms = 0\nidle_seconds = 5')
    editor = place.load().settings.editor
    assert (editor.check_on, editor.delay_ms, editor.idle_seconds) == ("change", 0, 5)
    assert place.user('editor.check_on = "manual"').load().settings.editor.check_on == "manual"
    assert "use one of change, manual, save" in place.says('editor.check_on = "often"').refused()


def test_a_workspace_may_choose_the_pipeline_but_gets_no_more_time_by_it(place):
    place.says("# first line\nharness.pipeline = 'full'")
    loaded = place.load()
    assert (loaded.settings.harness.pipeline, loaded.settings.harness.seconds) == ("full", MOST["harness.seconds"])
    assert loaded.origins["harness.seconds"] == "suture.toml:2, as far as a workspace may"
    assert place.load(overrides={"harness.seconds": 7200}).settings.harness.seconds == 7200
    assert place.load(overrides={"harness.pipeline": "full"}).settings.harness.seconds == 0
    assert place.user("harness.seconds = 5000").load().settings.harness.seconds == 5000
    assert place.user("harness.pipeline = 'full'").load().settings.harness.seconds == 0
    place.says("harness.pipeline = 'full'\nharness.seconds = 60")
    assert place.user("").load().settings.harness.seconds == 60
    assert place.says("harness.pipeline = 'simplified'").load().settings.harness.seconds == 0


def test_a_presets_own_budget_is_no_weakening_but_the_users_budget_stays(place):
    place.user("harness.steps = 7").says("harness.steps = 0")
    assert place.load().settings.harness.steps == 7


def test_the_last_word_is_the_users_and_not_stopped_by_a_workspace(place):
    """`--budget 1m` in a workspace that allows five minutes is no quarrel, and `--budget 9m` is the user's choice."""
    place.says("harness.seconds = 300\nverdict.reruns = 5\nguard.protected = ['a']")
    for seconds in (60, 540):
        loaded = place.load(overrides={"harness.seconds": seconds})
        assert (loaded.settings.harness.seconds, loaded.origins["harness.seconds"]) == (seconds, "--budget")
    loaded = place.load(environ={"SUTURE_VERDICT__RERUNS": "7", "SUTURE_GUARD__PROTECTED": '["b"]'})
    assert loaded.settings.verdict.reruns == 7
    assert loaded.settings.guard.protected == ("b",)


def test_a_variable_settles_what_a_workspace_may_not_say(place):
    place.says("sandbox.memory_mib = 9000")
    assert "a workspace may only lower it" in place.refused()
    assert place.load(environ={"SUTURE_SANDBOX__MEMORY_MIB": "9000"}).settings.sandbox.memory_mib == 9000
    assert place.load(environ={"SUTURE_SANDBOX__MEMORY_MIB": "100"}).settings.sandbox.memory_mib == 100


def test_a_workspace_may_name_any_check_and_leave_out_any_that_was_found(place):
    loaded = place.says('[checks.tests]\nenabled = false\n[checks.own]\ncommand = ["rm", "-rf", "/"]').load()
    assert loaded.settings.checks == {"tests": CheckSettings(enabled=False), "own": CheckSettings(command=("rm", "-rf", "/"))}


@pytest.mark.parametrize("own", ['command = ["pytest"]', "timeout = 5", "selectable = true"])
def test_a_workspace_cannot_leave_out_a_check_that_the_user_names(place, own):
    said = place.user(f"[checks.tests]\n{own}").says("[checks.tests]\nenabled = false").refused()
    assert said.startswith("suture.toml:2: checks.tests.enabled = false: a workspace cannot leave out a check")
    assert "~/.config/suture/config.toml:2" in said


def test_nor_one_that_a_variable_names(place):
    place.says("[checks.tests]\nenabled = false")
    assert "SUTURE_CHECKS__TESTS__TIMEOUT" in place.refused(environ={"SUTURE_CHECKS__TESTS__TIMEOUT": "5"})
    assert place.load(environ={"SUTURE_CHECKS__LINT__TIMEOUT": "5"}).settings.checks["tests"].enabled is False


def test_the_users_word_on_a_check_wins(place):
    place.user("[checks.tests]\nenabled = true\n[checks.lint]\nenabled = false").says(
        "[checks.tests]\nenabled = false\n[checks.lint]\nenabled = true"
    )
    checks = place.load().settings.checks
    assert (checks["tests"].enabled, checks["lint"].enabled) == (True, False)


@pytest.mark.parametrize("own", ["off", "metadata", "full"])
@pytest.mark.parametrize("asked", ["off", "metadata", "full"])
def test_a_workspace_may_only_lower_the_level_of_the_journal(place, own, asked):
    """A workspace whose texts should not be recorded may say so; none may have more recorded than its user wants."""
    place.user(f'journal.level = "{own}"').says(f'journal.level = "{asked}"')
    if LEVELS.index(asked) > LEVELS.index(own):
        assert f"a workspace may only lower it; ~/.config/suture/config.toml:1 says '{own}'" in place.refused()
        return
    loaded = place.load()
    assert loaded.settings.journal.level == asked
    assert loaded.origins["journal.level"] == ("suture.toml:1" if asked != own else "~/.config/suture/config.toml:1")


def test_the_level_without_a_word_of_the_user_and_with_a_variable(place):
    place.says('journal.level = "metadata"')
    assert place.load().settings.journal.level == "metadata"
    assert place.load(environ={"SUTURE_JOURNAL": "full"}).settings.journal.level == "full"
    assert place.load(environ={"SUTURE_JOURNAL": "off"}).settings.journal.level == "off"


def test_a_workspace_names_what_is_seen_and_the_user_may_allow_less(place):
    place.says('sandbox.unmask = ["tests/certs/*.pem"]')
    assert place.load().settings.sandbox.unmask == ("tests/certs/*.pem",)
    assert place.user('sandbox.unmask = ["tests/certs/*.pem", "a/b"]').load().settings.sandbox.unmask == ("tests/certs/*.pem",)
    for own in ("[]", '["tests/certs/a.pem"]'):
        said = place.user(f"sandbox.unmask = {own}").refused()
        assert said.startswith("suture.toml:1: sandbox.unmask = ")
        assert "a workspace may only take from what the user's own configuration lists" in said
    place.says("")
    assert place.user('sandbox.unmask = ["a/b"]').load().settings.sandbox.unmask == ("a/b",)


SAFE_WORDS = st.sampled_from(["a", "b", "full", "off", "metadata", "agent", "direct", "auto", "embedded", "vllm", "local", "simplified"])
VALUES = st.one_of(st.booleans(), st.integers(0, 1200), SAFE_WORDS, st.lists(SAFE_WORDS, max_size=2))
DOCUMENTS = st.dictionaries(st.sampled_from(sorted(set(RULES) - {"checks"})), VALUES, max_size=6)


LEVELS = ["off", "metadata", "full"]
RECALL = ["off", "auto", "journal"]
USERS = (
    "editor.background",
    "editor.notice",
    "editor.worker_idle_minutes",
    "environment.python",
    "sandbox.backend",
    "harness.judge",
)


def weaker(key: str, value: Any, demanded: Any) -> bool:
    """Written anew, apart from the code under test: what the invariant means for each kind of setting."""
    if key == "journal.level":
        return LEVELS.index(value) > LEVELS.index(demanded)
    if key == "sandbox.unmask":
        return demanded is not None and not set(value) <= set(demanded)
    if key.startswith(("policy.", "journal.", "sandbox.docker_")) or key in USERS:
        return value != demanded
    if key == "harness.recall":
        return RECALL.index(value) > RECALL.index(demanded)
    if key.startswith("sandbox.") or key == "editor.background_minutes":
        return value > demanded
    if key == "verdict.reruns":
        return value < demanded
    if key.startswith("guard.allow"):
        return value and not demanded
    if key in ("guard.protected", "privacy.exclude"):
        return not set(demanded) <= set(value)
    if key in MOST:
        return value > (demanded or MOST[key])
    return False


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workspace=DOCUMENTS, own=DOCUMENTS)
def test_whatever_a_workspace_says_nothing_is_weaker_than_without_it(new_place, workspace, own):
    place = new_place().user(document(own))
    try:
        alone = place.load()
    except SettingsError:
        return  # the user's file itself is wrong
    place.says(document(workspace))
    try:
        together = place.load()
    except SettingsError:
        return  # refused: nothing runs
    for key in DEFAULTS:
        said = in_force(alone, key) if key != "sandbox.unmask" or key in own else None
        assert not weaker(key, in_force(together, key), said), key
        if key in own and RULES[key] in ("free", "user"):
            assert in_force(together, key) == in_force(alone, key)
