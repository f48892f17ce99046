"""What each lock format asks for, without installing it."""

from __future__ import annotations

import contextlib
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import default_environment

from suture_sandbox.errors import ConfigurationError
from suture_sandbox.lockformats import FORMATS, find_plan
from suture_sandbox.lockformats.pylock import wheels_only

MARKERS = {**{key: str(value) for key, value in default_environment().items()}, "python_version": "3.11", "python_full_version": "3.11.7"}


def _write(root, **files):
    for name, text in files.items():
        (root / name.replace("__", ".")).write_text(textwrap.dedent(text))


def _package(name, version, extra=""):
    lines = ["[[package]]", f'name = "{name}"', f'version = "{version}"', *extra.splitlines()]
    sdist, wheel = f"{name}-{version}.tar.gz", f"{name}-{version}-py3-none-any.whl"
    lines += [f'files = [{{file = "{sdist}", hash = "sha256:50"}}, {{file = "{wheel}", hash = "sha256:77"}}]']
    return "\n".join(lines) + "\n\n"


def test_nothing_locked_is_no_plan(tmp_path):
    _write(tmp_path, pyproject__toml="[project]\nname = 'x'\nversion = '1'\n", requirements__txt="attrs\npytest==8.1\n")
    assert find_plan(tmp_path, MARKERS) is None


def test_poetry_2_takes_groups_and_markers(tmp_path):
    text = (
        _package("alpha", "1.0", 'groups = ["main"]\noptional = false')
        + _package("winonly", "1.0", 'groups = ["main", "dev"]\nmarkers = "sys_platform == \'win32\'"')
        + _package("tester", "2.0", 'groups = ["dev"]\nmarkers = {dev = "python_version >= \'3.8\'"}')
        + _package("writer", "3.0", 'groups = ["docs"]')
        + _package("tested", "1.0", 'groups = ["main"]\noptional = true\nmarkers = "extra == \'test\'"')
        + _package("painter", "1.0", 'groups = ["main"]\noptional = true\nmarkers = "extra == \'paint\'"')
        + '[metadata]\nlock-version = "2.1"\npython-versions = ">=3.9"\n'
    )
    (tmp_path / "poetry.lock").write_text(text)
    plan = find_plan(tmp_path, MARKERS)
    assert plan.text.splitlines() == [f"{name} --hash=sha256:77" for name in ("alpha==1.0", "tested==1.0", "tester==2.0")]
    assert (plan.source, plan.kind, plan.requires_python) == ("poetry.lock", "requirements", ">=3.9")


def test_poetry_1_follows_the_edges_from_what_pyproject_asks_for(tmp_path):
    _write(
        tmp_path,
        pyproject__toml="""
            [tool.poetry]
            name = "x"
            version = "1"
            [tool.poetry.dependencies]
            python = "^3.9"
            Alpha = {version = "^1.0", extras = ["fast"]}
            winroot = {version = "*", markers = "sys_platform == 'win32'"}
            [tool.poetry.group.dev.dependencies]
            tester = "*"
            [tool.poetry.group.docs.dependencies]
            writer = "*"
        """,
    )
    tables = {
        "alpha": '[package.dependencies]\nbeta = ">=1"\nspeed = {version = "*", optional = true}\nslow = {version = "*", optional = true}\n'
        'color = {version = "*", markers = "sys_platform == \'win32\'"}\n[package.extras]\nfast = ["speed (>=1)"]\nslow = ["slow"]\n\n',
        "beta": '[package.dependencies]\nalpha = "*"\ngamma = [{version = "1", markers = "python_version < \'3\'"}, '
        '{version = "2", markers = "python_version >= \'3\'"}]\n\n',
    }
    names = ("alpha", "beta", "gamma", "speed", "slow", "color", "winroot", "tester", "writer")
    text = "".join(_package(name, "1.0", "optional = false") + tables.get(name, "") for name in names)
    (tmp_path / "poetry.lock").write_text(text + '[metadata]\nlock-version = "2.0"\npython-versions = "^3.9"\n')
    plan = find_plan(tmp_path, MARKERS)
    assert [line.partition("==")[0] for line in plan.text.splitlines()] == ["alpha", "beta", "gamma", "speed", "tester"]


def test_poetry_before_1_3_keeps_hashes_apart(tmp_path):
    _write(
        tmp_path,
        pyproject__toml='[tool.poetry.dependencies]\nalpha = "*"\n',
        poetry__lock="""
            [[package]]
            name = "alpha"
            version = "1.0"
            [metadata]
            lock-version = "1.1"
            [metadata.files]
            alpha = [{file = "alpha-1.0-py3-none-any.whl", hash = "sha256:99"}]
        """,
    )
    assert find_plan(tmp_path, MARKERS).text == "alpha==1.0 --hash=sha256:99\n"


def test_poetry_with_a_private_index_and_a_folder_of_the_workspace(tmp_path):
    (tmp_path / "libs" / "own").mkdir(parents=True)
    private = (
        _package("alpha", "1.0", 'groups = ["main"]') + '[package.source]\ntype = "legacy"\nurl = "file:///index"\nreference = "x"\n\n'
    )
    own = _package("own", "0.1", 'groups = ["main"]') + '[package.source]\ntype = "directory"\nurl = "libs/own"\n\n'
    (tmp_path / "poetry.lock").write_text(private + own)
    plan = find_plan(tmp_path, MARKERS)
    assert plan.text == "alpha==1.0 --hash=sha256:77\n"
    assert plan.arguments == ("--index", "file:///index")
    assert tmp_path / "libs" / "own" in plan.projects


def test_pdm_takes_groups_and_markers(tmp_path):
    text = (
        _package("alpha", "1.0", 'groups = ["default"]\nrequires_python = ">=3.8"')
        + _package("tester", "2.0", 'groups = ["test"]')
        + _package("winonly", "1.0", 'groups = ["default"]\nmarker = "sys_platform == \\"win32\\""')
        + _package("writer", "1.0", 'groups = ["docs"]')
        + '[metadata]\nlock_version = "4.5.0"\n'
    )
    _write(tmp_path, pdm__lock=text, pyproject__toml="[project]\nname='x'\nrequires-python='>=3.10'\n")
    plan = find_plan(tmp_path, MARKERS)
    assert plan.text.splitlines() == ["alpha==1.0 --hash=sha256:77", "tester==2.0 --hash=sha256:77"]
    assert plan.requires_python == ">=3.10"


@pytest.mark.parametrize("extra", ['source = {type = "git", url = "x", reference = "main"}', 'source = {type = "url", url = "x"}'])
def test_what_has_no_wheel_is_named_all_at_once(tmp_path, extra):
    only_source = '[[package]]\nname = "beta"\nversion = "2"\ngroups = ["main"]\nfiles = [{file = "beta-2.tar.gz", hash = "sha256:1"}]\n\n'
    (tmp_path / "poetry.lock").write_text(_package("alpha", "1.0", f'groups = ["main"]\n{extra}') + only_source)
    with pytest.raises(ConfigurationError, match=r"poetry.lock: no wheel for alpha 1.0, beta 2;") as caught:
        find_plan(tmp_path, MARKERS)
    assert "--python" in caught.value.remedy


HASH = "sha256:" + "a" * 64


def test_requirements_count_only_where_every_line_is_hashed(tmp_path):
    (tmp_path / "requirements").mkdir()
    _write(
        tmp_path,
        requirements__txt="# by hand\n--index-url ./wheels\n"
        f"alpha[fast]==1.0 ; python_version > '3' \\\n    --hash={HASH} \\\n    --hash={HASH}\n",
    )
    (tmp_path / "requirements-dev.txt").write_text(f"beta==2.0 --hash={HASH}  # via alpha\n")
    (tmp_path / "requirements-loose.txt").write_text(f"beta==2.0 --hash={HASH}\ngamma==1\n")
    (tmp_path / "requirements" / "docs.txt").write_text(f"writer==1 --hash={HASH}\n")
    plan = find_plan(tmp_path, MARKERS)
    assert plan.source == "requirements-dev.txt + requirements.txt"
    assert plan.files == (tmp_path / "requirements-dev.txt", tmp_path / "requirements.txt")
    assert plan.locked == {"alpha": ("1.0",), "beta": ("2.0",)}
    assert plan.notes == ("requirements-loose.txt is not used: not every line of it is pinned by a hash",)


@pytest.mark.parametrize(
    "line", ["-e .", "-r other.txt", f"./folder --hash={HASH}", f"alpha>=1 --hash={HASH}", "alpha==1", f"/x.whl --hash={HASH}"]
)
def test_lines_that_are_not_pins_make_a_file_loose(tmp_path, line):
    _write(tmp_path, requirements__txt=f"beta==1 --hash={HASH}\n{line}\n")
    assert find_plan(tmp_path, MARKERS) is None


def test_the_order_of_formats(tmp_path):
    _write(tmp_path, requirements__txt=f"alpha==1 --hash={HASH}\n")
    assert find_plan(tmp_path, MARKERS).source == "requirements.txt"
    (tmp_path / "pdm.lock").write_text("")
    assert find_plan(tmp_path, MARKERS).source == "pdm.lock"
    (tmp_path / "poetry.lock").write_text("")
    assert find_plan(tmp_path, MARKERS).source == "poetry.lock"
    (tmp_path / "pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "x"\npackages = []\n')
    assert find_plan(tmp_path, MARKERS).source == "pylock.toml"
    (tmp_path / "uv.lock").write_text("version = 1\n")
    assert find_plan(tmp_path, MARKERS).source == "uv.lock"


PROJECT = (
    "[project]\nname = 'x'\nversion = '1'\ndependencies = [{}]\n[dependency-groups]\ndev = ['tester>=2', {{include-group = 'more'}}]\n"
)


@pytest.mark.parametrize(
    ("dependencies", "said"),
    [
        ("'alpha>=2'", "asks for alpha>=2, uv.lock pins alpha 1.0"),
        ("'gamma'", "asks for gamma, uv.lock does not know gamma"),
    ],
)
def test_a_lock_older_than_pyproject_is_refused(tmp_path, dependencies, said):
    """`uv --frozen` takes such a lock silently."""
    packages = '[[package]]\nname = "alpha"\nversion = "1.0"\n[[package]]\nname = "tester"\nversion = "2.5"\n'
    _write(tmp_path, uv__lock=packages, pyproject__toml=PROJECT.format(dependencies))
    with pytest.raises(ConfigurationError, match=said) as caught:
        find_plan(tmp_path, MARKERS)
    assert "uv lock" in caught.value.remedy


def test_a_lock_that_fits_is_taken_with_groups_extras_and_prereleases(tmp_path):
    packages = '[[package]]\nname = "alpha"\nversion = "2.0rc1"\n[[package]]\nname = "tester"\nversion = "2.5"\n'
    _write(
        tmp_path,
        uv__lock=f"requires-python = '>=3.10'\n{packages}",
        pyproject__toml=PROJECT.format("'Alpha>=1', 'winonly; sys_platform==\"win32\"'")
        + "docs = ['writer']\n[project.optional-dependencies]\ntest = []\npaint = []\n",
    )
    plan = find_plan(tmp_path, MARKERS)
    assert plan.arguments == ("--group", "dev", "--extra", "test")
    assert plan.requires_python == ">=3.10"


PYLOCK = """
    lock-version = "1.0"
    created-by = "hand"
    [[packages]]
    name = "mine"
    directory = {path = ".", editable = true}
    [[packages]]
    name = "alpha"
    version = "1.0"
    wheels = [{name = "alpha-1.0-py3-none-any.whl", path = "wheels/alpha-1.0-py3-none-any.whl", hashes = {sha256 = "00"}}]
    [[packages]]
    name = "winonly"
    version = "1.0"
    marker = "sys_platform == 'win32'"
    sdist = {name = "w.tar.gz", url = "x", hashes = {sha256 = "00"}}
"""


def test_a_pylock_loses_the_workspace_and_foreign_platforms(tmp_path):
    _write(tmp_path, pylock__toml=PYLOCK)
    plan = find_plan(tmp_path, MARKERS)
    assert "mine" not in plan.text
    assert "winonly" not in plan.text
    assert f'{tmp_path}/wheels/alpha-1.0-py3-none-any.whl"' in plan.text
    assert plan.projects == (tmp_path,)


@pytest.mark.parametrize(
    "source", ['vcs = {type = "git", url = "x", commit-id = "1"}', 'archive = {path = "a.tar.gz", hashes = {sha256 = "0"}}']
)
def test_a_pylock_with_sources_is_refused(tmp_path, source):
    text = f'lock-version = "1.0"\n[[packages]]\nname = "alpha"\nversion = "1"\n{source}\n'
    with pytest.raises(ConfigurationError, match="no wheel for alpha 1"):
        wheels_only(text, tmp_path, "pylock.toml", MARKERS)


def test_a_pylock_of_another_format_is_refused(tmp_path):
    _write(tmp_path, pylock__toml='lock-version = "2.0"\n')
    with pytest.raises(ConfigurationError, match=r"lock-version '2.0' is not 1.x"):
        find_plan(tmp_path, MARKERS)


@pytest.mark.parametrize("name", [name for name in FORMATS if name.endswith((".lock", ".toml"))])
@pytest.mark.parametrize(
    "content",
    [
        b"[",
        b"\xff",
        b"package = 3\npackages = 3\nlock-version = '1.0'\n",
        b"[[package]]\n[[packages]]\nfiles = 3\n",
        b"[package]\nname = 1\n",
    ],
)
def test_a_damaged_lock_is_a_configuration_error_or_no_trouble(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with contextlib.suppress(ConfigurationError):
        assert find_plan(tmp_path, MARKERS).locked == {}


def test_the_message_about_a_damaged_lock_names_it(tmp_path):
    (tmp_path / "pdm.lock").write_text("[[package]]\nversion = '1'\n")
    with pytest.raises(ConfigurationError, match=r"pdm.lock is damaged: KeyError: 'name'") as caught:
        find_plan(tmp_path, MARKERS)
    assert "pdm lock" in caught.value.remedy


def test_a_damaged_pyproject_is_named(tmp_path):
    _write(tmp_path, uv__lock="version = 1\n", pyproject__toml="[project\n")
    with pytest.raises(ConfigurationError, match=r"pyproject.toml"):
        find_plan(tmp_path, MARKERS)
    _write(tmp_path, pyproject__toml="[project]\ndependencies = ['a b c']\n")
    with pytest.raises(ConfigurationError, match="is no requirement"):
        find_plan(tmp_path, MARKERS)


@settings(max_examples=80, deadline=None)
@given(text=st.text(alphabet="ab=\\\n -#'\"[]{}.<>;:/" + "\u00e9\u2028", max_size=80))
def test_any_requirements_text_is_read(tmp_path_factory, text):
    root = tmp_path_factory.mktemp("any")
    (root / "requirements.txt").write_text(text + f"\nalpha==1 --hash={HASH}\n", "utf-8")
    plan = find_plan(root, MARKERS)
    assert plan is None or plan.files == (root / "requirements.txt",)
