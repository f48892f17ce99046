"""Which source wins, what the program is told about it, and what is wrong with a key or a value."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from suture_agent.settings import RULES, CheckSettings, Settings, load


def test_without_any_source_the_defaults_are_in_force(place):
    loaded = place.load()
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}
    assert set(loaded.origins) == set(RULES) - {"checks"}


def test_missing_places_are_no_mistake(tmp_path):
    assert load(tmp_path / "nowhere", user_file=None, environ={}).settings == Settings()
    assert load(tmp_path, user_file=tmp_path / "a" / "b.toml", environ={}, overrides=None).settings == Settings()


def test_a_file_where_a_folder_is_expected_is_no_configuration(tmp_path):
    (tmp_path / "file").touch()
    assert load(tmp_path / "file", user_file=tmp_path / "file" / "config.toml", environ={}).settings == Settings()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("suture.toml", "[harness]\npreset = 'direct'"),
        ("suture.toml", "\nharness.preset = 'direct'"),
        ("suture.toml", "\nharness = { preset = 'direct' }"),
        ("pyproject.toml", "[tool.suture.harness]\npreset = 'direct'"),
        ("pyproject.toml", "[tool.suture]\nharness.preset = 'direct'"),
        ("pyproject.toml", "[tool]\nsuture.harness.preset = 'direct'"),
        ("pyproject.toml", "[tool]\nsuture = { harness = { preset = 'direct' } }"),
        ("pyproject.toml", "[ tool . 'suture' . harness ]\npreset = 'direct'"),
    ],
)
def test_a_workspace_is_read_from_either_place_however_it_is_written(place, file, text):
    loaded = place.says(text, file=file).load()
    assert loaded.settings.harness.preset == "direct"
    assert loaded.origins["harness.preset"] == f"{file}:2"


def test_each_source_goes_before_the_one_below(place):
    steps = []
    for number, add in enumerate(
        (
            lambda: place.says("\n[harness]\nsteps = 1"),
            lambda: place.user("\n\n\n[harness]\nsteps = 2"),
        ),
        start=1,
    ):
        add()
        if number == 2:
            place.says("")
        steps.append((place.load().settings.harness.steps, place.load().origins["harness.steps"]))
    environ = {"SUTURE_HARNESS__STEPS": "3"}
    last = place.load(environ=environ)
    steps.append((last.settings.harness.steps, last.origins["harness.steps"]))
    final = place.load(environ=environ, overrides={"harness.steps": 4})
    steps.append((final.settings.harness.steps, final.origins["harness.steps"]))
    assert steps == [(1, "suture.toml:3"), (2, "~/.config/suture/config.toml:5"), (3, "SUTURE_HARNESS__STEPS"), (4, "--harness.steps")]


def test_the_users_preference_wins_over_the_workspaces(place):
    place.says('[harness]\npreset = "agent"\npipeline = "full"').user('[harness]\npreset = "direct"')
    loaded = place.load()
    assert (loaded.settings.harness.preset, loaded.settings.harness.pipeline) == ("direct", "full")
    assert loaded.origins["harness.preset"] == "~/.config/suture/config.toml:2"
    assert loaded.origins["harness.pipeline"] == "suture.toml:3"


def test_checks_are_merged_key_by_key(place):
    place.says('[checks.tests]\ncommand = ["python", "-m", "pytest"]\ntimeout = 60\n[checks.docs]\ncommand = ["true"]\nkind = "lint"')
    place.user("[checks.tests]\ntimeout = 30")
    loaded = place.load()
    assert loaded.settings.checks == {
        "tests": CheckSettings(command=("python", "-m", "pytest"), timeout=30),
        "docs": CheckSettings(command=("true",), kind="lint"),
    }
    assert loaded.origins["checks.tests.command"] == "suture.toml:2"
    assert loaded.origins["checks.tests.timeout"] == "~/.config/suture/config.toml:2"


def test_options_are_named_as_they_are_typed(place):
    given = {
        "policy.spec": "vllm",
        "harness.seconds": 60,
        "harness.pipeline": "full",
        "harness.preset": "agent",
        "sandbox.backend": "local",
    }
    loaded = place.load(overrides=given)
    assert {key: loaded.origins[key] for key in given} == {
        "policy.spec": "--policy",
        "harness.seconds": "--budget",
        "harness.pipeline": "--pipeline",
        "harness.preset": "--harness",
        "sandbox.backend": "--backend",
    }


def test_every_option_is_one_of_suture_fix():
    from suture_agent.settings.sources import OPTIONS
    from suture_server.cli.fix import fix

    known = {name for parameter in fix.params for name in parameter.opts}
    assert set(OPTIONS.values()) <= known
    assert set(OPTIONS) <= set(RULES)


VARIABLES = {
    ("SUTURE_POLICY", "http://gpu:8000/v1#Qwen/Qwen3-32B"): ("policy.spec", "http://gpu:8000/v1#Qwen/Qwen3-32B"),
    ("SUTURE_JOURNAL", "off"): ("journal.level", "off"),
    ("SUTURE_MODELS", "/models"): ("policy.models", "/models"),
    ("SUTURE_PYTHON", "3.12"): ("environment.python", "3.12"),
    ("SUTURE_ENVIRONMENT__PYTHON", "3.11"): ("environment.python", "3.11"),
    ("SUTURE_ENVIRONMENT__OFFLINE", "true"): ("environment.offline", True),
    ("SUTURE_ENVIRONMENT__OFFLINE", "1"): ("environment.offline", True),
    ("SUTURE_HARNESS__THINKING", "false"): ("harness.thinking", False),
    ("SUTURE_SANDBOX__MEMORY_MIB", "16384"): ("sandbox.memory_mib", 16384),
    ("SUTURE_GUARD__ALLOW_TEST_EDITS", "true"): ("guard.allow_test_edits", True),
    ("SUTURE_GUARD__PROTECTED", '["a/*", "b"]'): ("guard.protected", ("a/*", "b")),
    ("SUTURE_VERDICT__RERUNS", "1"): ("verdict.reruns", 1),
    ("SUTURE_JOURNAL__PATH", "~/j.sqlite3"): ("journal.path", "~/j.sqlite3"),
    ("SUTURE_POLICY__API_KEY_VARIABLE", "OPENAI_API_KEY"): ("policy.api_key_variable", "OPENAI_API_KEY"),
    ("SUTURE_POLICY__SPEC", '["x"]'): ("policy.spec", '["x"]'),
    ("SUTURE_CHECKS__TESTS__TIMEOUT", "5"): ("checks.tests.timeout", 5),
    ("SUTURE_CHECKS__TESTS__COMMAND", '["pytest"]'): ("checks.tests.command", ("pytest",)),
    ("SUTURE_CHECKS__LINT__ENABLED", "false"): ("checks.lint.enabled", False),
}


@pytest.mark.parametrize(("name", "text"), VARIABLES)
def test_variables_are_read_as_what_their_setting_is(place, name, text):
    key, value = VARIABLES[name, text]
    loaded = place.load(environ={name: text})
    found = loaded.settings
    for part in key.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    assert found == value
    assert loaded.origins[key] == name


def test_an_empty_variable_says_nothing(place):
    names = ("SUTURE_POLICY", "SUTURE_JOURNAL", "SUTURE_SANDBOX__SECONDS", "SUTURE_GUARD__PROTECTED")
    assert place.load(environ=dict.fromkeys(names, "")).settings == Settings()


def test_the_long_name_of_a_variable_goes_before_the_short_one(place):
    loaded = place.load(environ={"SUTURE_JOURNAL__LEVEL": "metadata", "SUTURE_JOURNAL": "off"})
    assert (loaded.settings.journal.level, loaded.origins["journal.level"]) == ("metadata", "SUTURE_JOURNAL__LEVEL")


def test_other_variables_are_not_looked_at(place):
    others = {
        "SUTURE_API_KEY": "x",
        "SUTURE_SOMETHING": "x",
        "suture_harness__steps": "x",
        "MY_SUTURE_HARNESS__STEPS": "x",
        "SUTURE___": "x",
    }
    assert place.load(environ=others).settings == Settings()


UNKNOWN = {
    "[sandbox]\nmemory_mb = 1": ("suture.toml:2: there is no setting 'sandbox.memory_mb'", "did you mean 'memory_mib'?"),
    "\n[sandbx]\nmemory_mib = 1": ("suture.toml:3: there is no setting 'sandbx.memory_mib'", "did you mean 'sandbox'?"),
    "reruns = 5": ("suture.toml:1: there is no setting 'reruns'", "did you mean 'verdict.reruns'?"),
    "[sandbox]\nreruns = 5": ("suture.toml:2: there is no setting 'sandbox.reruns'", "did you mean 'verdict.reruns'?"),
    "[guard]\nallow-test-edits = true": ("suture.toml:2: there is no setting 'guard.allow-test-edits'", "did you mean 'allow_test_edits'?"),
    "[checks.tests]\ncomand = ['x']": ("suture.toml:2: there is no setting 'checks.tests.comand'", "did you mean 'command'?"),
    "checks = {tests = {comand = ['x']}}": ("suture.toml:1: there is no setting 'checks.tests.comand'", "did you mean 'command'?"),
    "[harness]\nzzz = 1": ("suture.toml:2: there is no setting 'harness.zzz'", "known here: preset, pipeline, steps,"),
    "\n\n[harnes]": ("suture.toml:3: there is no setting 'harnes'", "did you mean 'harness'?"),
    "'sandbox.seconds' = 5": ("suture.toml:1: there is no setting 'sandbox.seconds'", "did you mean"),
    "[harness]\nx1 = \"'''\"\nsteps = 3": ("suture.toml:2: there is no setting 'harness.x1'", "known here"),
    "[harness] # \u2028\nx1 = '''\nsteps = 1'''": ("suture.toml:2: there is no setting 'harness.x1'", "known here"),
}


@pytest.mark.parametrize("text", UNKNOWN)
def test_an_unknown_key_gets_file_line_key_and_the_nearest_name(place, text):
    message, remedy = UNKNOWN[text]
    said = place.says(text).refused()
    assert said.startswith(message)
    assert remedy in said


def test_the_lines_of_pyproject_are_those_of_the_whole_file(place):
    place.says('[project]\nname = "x"\n\n[tool.ruff]\nline-length = 100\n\n[tool.suture.sandbox]\nsecods = 1\n', file="pyproject.toml")
    assert place.refused().startswith("pyproject.toml:8: there is no setting 'sandbox.secods'")


WRONG = {
    "[harness]\nsteps = 'many'": "harness.steps = 'many': expected int, got str | use a whole number from 0 to",
    "[harness]\nsteps = true": "harness.steps = true: expected int, got bool",
    "[harness]\nsteps = 1.5": "harness.steps = 1.5: expected int, got float",
    "[harness]\nsteps = nan": "harness.steps = nan: expected int",
    "[harness]\nsteps = -1": "harness.steps = -1: expected int >= 0",
    "[harness]\ncandidates = 100000000000000000000000000": "expected int <= 64 | use a whole number from 0 to 64",
    "[harness]\nsteps = 2020-01-01": "expected int, got date",
    "[harness]\nthinking = 'yes'": "harness.thinking = 'yes': expected bool, got str | use true or false",
    "[harness]\npreset = 'none'": "invalid enum value 'none' | use one of agent, auto, direct",
    "[harness]\nsteps = {a = 1}": "harness.steps = {'a': 1}: expected int, got object",
    "[sandbox]\nseconds = 0": "sandbox.seconds = 0: expected int >= 1",
    "[guard]\nprotected = 'a'": "guard.protected = 'a': expected array, got str | use a list of texts",
    "[guard]\nprotected = [1]": "guard.protected = [1]: expected str, got int",
    "[verdict]\nreruns = 1000": "use a whole number from 1 to 100",
    "[checks.t]\nkind = 'style'": "use one of build, lint, tests, types",
    "[checks.t]\ntimeout = 0": "checks.t.timeout = 0: expected int >= 1 | use a whole number from 1",
    "[checks.t]\ncommand = 'pytest -q'": "checks.t.command = 'pytest -q': expected array, got str | use a list of texts",
    "[checks.t]\ncommand = []": "checks.t.command = []: expected array of length >= 1",
    '[checks.t]\ncommand = ["a", "b\\u0000"]': "expected text without NUL characters",
    '[checks.t]\nreport = "a\\u0000"': "expected text without NUL characters",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_value_is_told_with_what_was_expected(place, text):
    said = place.says(text).refused()
    assert said.startswith("suture.toml:2: ")
    assert WRONG[text] in said


SHAPES = {
    "sandbox = 5": "suture.toml:1: 'sandbox' must be a table | write [sandbox] with KEY = VALUE below it",
    "checks = []": "suture.toml:1: 'checks' must be a table | write [checks.NAME] with KEY = VALUE below it",
    "[checks]\ntests = ['pytest']": "suture.toml:2: 'checks.tests' must be a table",
    "[[checks]]\nname = 'x'": "suture.toml:1: 'checks' must be a table",
    "[checks.'a.b']\ncommand = ['x']": "suture.toml:2: 'a.b' cannot name a check",
    "[checks.'a b']\ncommand = ['x']": "suture.toml:2: 'a b' cannot name a check",
    "[checks.'../x']\ncommand = ['x']": "suture.toml:2: '../x' cannot name a check",
    f"[checks.{'a' * 41}]\ncommand = ['x']": "cannot name a check",
}


@pytest.mark.parametrize("text", SHAPES)
def test_tables_and_names_of_checks_have_their_shape(place, text):
    assert SHAPES[text] in place.says(text).refused()


@pytest.mark.parametrize("text", ["[harness]", "[checks]", "[checks.tests]", "checks = {tests = {}}\nsandbox = {}", "# nothing", ""])
def test_tables_with_nothing_in_them_are_no_mistake(place, text):
    assert place.says(text).load().settings == Settings()


def test_an_empty_table_of_suture_in_pyproject_is_no_mistake(place):
    assert place.says("[tool.suture]\n[tool.other]\nx = 1", file="pyproject.toml").load().settings == Settings()


def test_a_tool_suture_that_is_no_table_is_told(place):
    assert "[tool.suture] must be a table" in place.says("[tool]\nsuture = 3", file="pyproject.toml").refused()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("SUTURE_JOURNAL", "loud", "SUTURE_JOURNAL: journal.level = 'loud': invalid enum value 'loud' | use one of full, metadata, off"),
        ("SUTURE_HARNESS__STEPS", "ten", "SUTURE_HARNESS__STEPS: harness.steps = 'ten': expected int, got str"),
        ("SUTURE_HARNESS__THINKING", "maybe", "expected bool"),
        ("SUTURE_GUARD__PROTECTED", "a", "SUTURE_GUARD__PROTECTED: guard.protected = 'a': expected array"),
        ("SUTURE_GUARD__PROTECTED", "[", "expected array"),
        ("SUTURE_GUARD__PROTECTED", "[" * 2000, "expected array"),
        ("SUTURE_GUARD__PROTECTED", "['a']\nb = 1", "expected array"),
        ("SUTURE_HARNES__STEPS", "3", "SUTURE_HARNES__STEPS: there is no setting 'harnes.steps' | did you mean 'harness'?"),
        ("SUTURE_HARNESS__STEP", "3", "there is no setting 'harness.step' | did you mean 'steps'?"),
        ("SUTURE_HARNESS__STEPS__MORE", "3", "there is no setting 'harness.steps.more'"),
        ("SUTURE_CHECKS__TESTS", "3", "'checks.tests' must be a table"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(place, name, text, said):
    assert said in place.refused(environ={name: text})


def test_a_wrong_option_is_told_by_its_name(place):
    assert place.refused(overrides={"harness.pipeline": "half"}).startswith("--pipeline: harness.pipeline = 'half': invalid enum value")
    assert place.refused(overrides={"harness.pipelines": "full"}).startswith("--harness.pipelines: there is no setting")


def test_the_users_file_is_held_to_the_same_names(place):
    assert (
        place.user("\n[sandbox]\nmemory = 3").refused().startswith("~/.config/suture/config.toml:3: there is no setting 'sandbox.memory'")
    )


def test_a_users_file_outside_home_is_named_in_full(place, tmp_path):
    file = tmp_path / "other.toml"
    file.write_text("[harness]\nsteps = 1")
    assert load(place.root, user_file=file, environ={"HOME": str(place.home)}).origins["harness.steps"] == f"{file}:2"
    assert load(place.root, user_file=file, environ={}).origins["harness.steps"] == f"{file}:2"


def test_both_places_at_once_are_refused_and_both_named(place):
    place.says("[harness]\nsteps = 1").says("\n[tool.suture.harness]\nsteps = 1", file="pyproject.toml")
    said = place.refused()
    assert "suture.toml:2" in said
    assert "pyproject.toml:3" in said


def test_an_empty_table_beside_suture_toml_is_no_second_place(place):
    place.says("[harness]\nsteps = 1").says("[project]\nname = 'suture'", file="pyproject.toml")
    assert place.load().settings.harness.steps == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = ", 1), ("\n\n[harness\n", 3), ("[harness]\nsteps = 1\nsteps = 2", 3), ("\na = 'x\n", 2), ('\na = "', 2), ("\n=", 2)],
)
def test_broken_toml_is_told_with_its_line(place, text, line):
    assert place.says(text).refused().startswith(f"suture.toml:{line}: not valid TOML")


def test_a_broken_pyproject_matters_only_where_it_could_speak_of_suture(place):
    place.says("[project\n", file="pyproject.toml")
    assert place.load().settings == Settings()
    place.says("[tool.suture.harness]\nsteps = 1\n[project\n", file="pyproject.toml")
    assert place.refused().startswith("pyproject.toml:3: not valid TOML")
    assert place.says("[harness]\nsteps = 2").load().settings.harness.steps == 2


def test_settings_are_frozen_and_every_field_is_described():
    import ast

    from suture_agent.settings import records

    with pytest.raises(AttributeError):
        Settings().harness.steps = 3  # type: ignore[misc]  # this is the point
    source = ast.parse(Path(records.__file__).read_text())
    for node in (node for node in source.body if isinstance(node, ast.ClassDef) and node.name != "Settings"):
        assert ast.get_docstring(node)
        fields = [index for index, statement in enumerate(node.body) if isinstance(statement, ast.AnnAssign)]
        assert all(isinstance(node.body[index + 1], ast.Expr) for index in fields), node.name


def test_the_sandboxs_limits_are_those_of_the_floor_below():
    from suture_agent.settings.records import SandboxSettings
    from suture_agent.workspace import limits_of
    from suture_sandbox.environment import Limits

    assert limits_of(Settings()) == Limits()
    others = {"backend", "unmask", "memo", *(name for name in SandboxSettings.__struct_fields__ if name.startswith("docker_"))}
    assert set(SandboxSettings.__struct_fields__) == set(Limits.__struct_fields__) | others


def test_the_settings_can_be_described_as_a_schema():
    schema = msgspec.json.schema(Settings)
    assert set(schema["$defs"]) >= {"SandboxSettings", "CheckSettings", "JournalSettings"}


def test_importing_the_settings_reads_nothing():
    code = (
        "import sys, builtins, os\n"
        "import msgspec, tomllib, difflib, pathlib, suture_agent.errors\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, arguments: opened.append(arguments[0]) if event == 'open' else None)\n"
        "import suture_agent.settings\n"
        "print([name for name in opened if not str(name).endswith(('.py', '.pyc')) and '__pycache__' not in str(name)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
