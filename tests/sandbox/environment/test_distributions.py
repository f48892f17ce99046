"""Reading what is installed, however damaged it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture_sandbox.capture import installed, runtime_of
from suture_sandbox.capture.distributions import EDITABLE, UNOWNED, contents, scan
from suture_sandbox.capture.interpreter import inspect


@pytest.fixture
def site(tmp_path, make_venv):
    return make_venv(tmp_path / "work" / ".venv")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "work"


@pytest.fixture
def read(site, root, cache):
    return lambda: contents((site,), site.parents[2], root=root, cache=cache)


def _editable(info: Path, folder: Path) -> None:
    (info / "direct_url.json").write_text(json.dumps({"url": folder.as_uri(), "dir_info": {"editable": True}}))


def test_a_healthy_environment_has_no_notes(site, put, read):
    put(site, "Some.Package_x", "1.0", {"some/__init__.py": ""})
    found = read()
    assert found.notes == ()
    assert [(name, item.version, len(item.content)) for name, item in found.dependencies.items()] == [("some-package-x", "1.0", 64)]


@pytest.mark.parametrize("note", ["INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "RECORD"])
def test_what_an_installer_writes_of_its_own_does_not_count(site, put, read, note):
    info = put(site, "alpha", "1.0", {"alpha.py": ""})
    before = read()
    with (info / note).open("a") as file:
        file.write("{}" if note.endswith("json") else "\n")
    assert read() == before


def test_bytecode_start_scripts_and_time_stamps_do_not_count(site, put, read):
    info = put(site, "alpha", "1.0", {"alpha.py": ""})
    before = read()
    (site / "__pycache__").mkdir()
    (site / "__pycache__" / "alpha.cpython-311.pyc").write_bytes(b"x")
    (site / "old.pyc").write_bytes(b"x")
    script = site.parents[2] / "bin" / "alpha"
    script.write_text("#!/somewhere/python\n")
    with (info / "RECORD").open("a") as file:
        file.write("../../../bin/alpha,,\n__pycache__/alpha.cpython-311.pyc,,\n")
    os.utime(site / "alpha.py", (1, 1))
    assert read() == before


def test_a_file_changed_with_size_and_time_kept_is_noticed(site, put, read):
    put(site, "alpha", "1.0", {"alpha.py": "X = 1\n"})
    before, status = read(), (site / "alpha.py").stat()
    (site / "alpha.py").write_text("X = 2\n")
    os.utime(site / "alpha.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert read() != before


def test_a_removed_file_is_noticed(site, put, read):
    put(site, "alpha", "1.0", {"alpha.py": "X = 1\n", "alpha_data.txt": "x"})
    before = read()
    (site / "alpha_data.txt").unlink()
    assert read().dependencies["alpha"] != before.dependencies["alpha"]


def test_data_files_outside_site_packages_count(site, put, read):
    info = put(site, "alpha", "1.0", {"alpha.py": ""})
    data = site.parents[2] / "share" / "alpha.ini"
    data.parent.mkdir()
    data.write_text("a")
    with (info / "RECORD").open("a") as file:
        file.write("../../../share/alpha.ini,,\n")
    before = read()
    data.write_text("b")
    assert read().dependencies["alpha"] != before.dependencies["alpha"]


def test_files_that_nobody_owns_count_and_are_named(site, put, read):
    put(site, "alpha", "1.0", {"alpha.py": ""})
    before = read()
    (site / "sitecustomize.py").write_text("import sys\n")
    found = read()
    assert set(found.dependencies) - set(before.dependencies) == {UNOWNED}
    assert found.dependencies[UNOWNED].version == "1 files"
    assert "sitecustomize.py" in " ".join(found.notes)


def test_the_files_of_uv_itself_are_not_strangers(site, read):
    (site / "_virtualenv.py").write_text("")
    (site / "_virtualenv.pth").write_text("import _virtualenv\n")
    assert read().dependencies == {}


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\0\0\0",
        b'"unclosed\n,,,\n\n',
        b"\xff\xfe\x00",
        b"../../../../../../etc/passwd,,\n/etc/shadow,,\n",
        b"nowhere.py,sha256=x,1\n",
    ],
    ids=["empty", "zeros", "quotes", "not utf-8", "outside", "names nothing"],
)
def test_a_damaged_record_still_gives_a_hash_that_follows_the_files(site, put, read, record):
    info = put(site, "alpha", "1.0", {"alpha.py": "X = 1\n"})
    (info / "RECORD").write_bytes(record)
    before = read()
    assert before.dependencies["alpha"].version == "1.0"
    (site / "alpha.py").write_text("X = 2\n")
    assert read().dependencies != before.dependencies


def test_a_record_cannot_make_us_read_outside_the_environment(site, put, read, tmp_path):
    info = put(site, "alpha", "1.0", {"alpha.py": ""})
    before = read()
    secret = tmp_path / "secret"
    secret.write_text("one")
    with (info / "RECORD").open("a") as file:
        file.write(f"{os.path.relpath(secret, site)},,\n{secret},,\n")
    assert read() == before


def test_without_a_record_the_files_are_found_by_name(site, put, read):
    info = put(site, "alpha-tool", "1.0", {"alpha_tool/__init__.py": "", "renamed.py": ""})
    (info / "RECORD").unlink()
    (info / "top_level.txt").write_text("alpha_tool\nrenamed\n")
    found = read()
    assert list(found.dependencies) == ["alpha-tool"]
    assert found.notes == ("alpha-tool 1.0 has no usable RECORD: its files are found by name",)
    (site / "renamed.py").write_text("X = 1\n")
    assert read().dependencies["alpha-tool"] != found.dependencies["alpha-tool"]


def test_metadata_that_is_not_utf8_or_missing(site, put):
    (put(site, "alpha", "1.0", {}) / "METADATA").write_bytes(b"Metadata-Version: 2.1\nSummary: caf\xe9\nName: alpha\nVersion: 1.0\n")
    (put(site, "beta", "2.0", {}) / "METADATA").unlink()
    (put(site, "gamma", "3.0", {}) / "METADATA").write_bytes(b"\xff\xfe\x00garbage")
    assert {item.name: item.version for item in scan(site)} == {"alpha": "1.0", "beta": "2.0", "gamma": "3.0"}


def test_a_distribution_that_is_there_twice_is_told(site, put, read):
    put(site, "alpha", "1.0", {"alpha.py": ""})
    put(site, "alpha", "1.1", {"alpha.py": ""})
    found = read()
    assert found.dependencies["alpha"].version == "1.0, 1.1"
    assert "installed twice (1.0 and 1.1)" in " ".join(found.notes)


def test_old_egg_info_files_and_folders(site):
    (site / "old-1.5-py3.11.egg-info").write_text("Name: old\nVersion: 1.5\n")
    (site / "older-0.3.egg-info").mkdir()
    (site / "older-0.3.egg-info" / "PKG-INFO").write_text("Name: Older\nVersion: 0.3\n")
    assert [(item.name, item.version) for item in scan(site)] == [("old", "1.5"), ("older", "0.3")]


def test_the_workspace_itself_is_recorded_without_version_and_content(site, root, put, read):
    info = put(site, "mine", "0.1.dev3+g123", {"__editable__.mine.pth": f"{root}/src\n"}, entry_points="[pytest11]\nmine = mine\n")
    _editable(info, root)
    (root / "src").mkdir()
    found = read()
    assert found.dependencies["mine"].version == EDITABLE
    assert found.notes == ()
    (root / "src" / "mine.py").write_text("X = 1\n")
    assert read() == found
    (info / "entry_points.txt").write_text("[pytest11]\nother = mine\n")
    assert read().dependencies["mine"] != found.dependencies["mine"]


def test_an_editable_installation_of_another_folder_counts_is_told_and_is_bound(site, root, put, read, tmp_path, cache):
    other = tmp_path / "elsewhere"
    (other / ".git").mkdir(parents=True)
    (other / "lib.py").write_text("X = 1\n")
    info = put(site, "lib", "1.0", {"__editable__.lib.pth": f"{other}\n"})
    _editable(info, other)
    found = read()
    assert found.dependencies["lib"].version == "1.0"
    assert str(other) in " ".join(found.notes)
    (other / ".git" / "index").write_text("changes all the time")
    assert read() == found
    (other / "lib.py").write_text("X = 2\n")
    assert read().dependencies["lib"] != found.dependencies["lib"]
    runtime = runtime_of(inspect(root / ".venv/bin/python", root=root, cache=cache), root=root)
    assert str(other) in runtime.readonly
    assert str(other) in " ".join(runtime.notes)


def test_a_stray_pth_file_counts_by_where_it_leads_not_by_its_text(tmp_path, make_venv, cache):
    found = []
    for place in ("one", "two"):
        root = tmp_path / place
        site = make_venv(root / ".venv")
        (root / "src").mkdir()
        (site / "mine.pth").write_text(f"{root}/src\nimport sys\n")
        found.append(contents((site,), site.parents[2], root=root, cache=cache).dependencies)
    assert found[0] == found[1]
    assert list(found[0]) == [UNOWNED]


def test_a_loop_of_links_ends(site, read):
    (site / "loop").symlink_to(site)
    (site / "a.py").write_text("")
    assert UNOWNED in read().dependencies


def test_installed_agrees_with_importlib_metadata_and_runs_nothing(site, root, put, cache, monkeypatch):
    for number in range(3):
        put(site, f"package-{number}", f"{number}.0", {f"package_{number}.py": ""})
    (site / "sitecustomize.py").write_text(f"open({str(root / 'ran')!r}, 'w')\n")
    runtime = runtime_of(inspect(root / ".venv/bin/python", root=root, cache=cache), root=root)
    monkeypatch.setenv("PATH", "/nowhere")
    assert installed(runtime) == {"package-0": "0.0", "package-1": "1.0", "package-2": "2.0"}
    assert not (root / "ran").exists()
    code = "import importlib.metadata as m; print(sorted((d.name, d.version) for d in m.distributions()))"
    said = subprocess.run([runtime.python, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(sorted(installed(runtime).items()))


def test_system_site_packages_are_seen_and_the_environment_wins(tmp_path, make_venv, put, cache):
    root = tmp_path / "work"
    base = tmp_path / "base"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    below = base / "lib" / version / "site-packages"
    below.mkdir(parents=True)
    put(below, "alpha", "1.0", {"alpha.py": ""})
    put(below, "beta", "1.0", {"beta.py": ""})
    site = make_venv(root / ".venv", system=True)
    put(site, "alpha", "2.0", {"alpha.py": ""})
    found = contents((site, below), site.parents[2], root=root, cache=cache).dependencies
    assert {name: item.version for name, item in found.items()} == {"alpha": "2.0", "beta": "1.0"}
    with_system = installed(runtime_of(inspect(root / ".venv/bin/python", root=root, cache=cache), root=root))
    assert with_system["alpha"] == "2.0"


def test_a_vanished_site_packages_is_empty(site, read):
    shutil.rmtree(site)
    assert read().dependencies == {}


@settings(max_examples=60, deadline=None)
@given(record=st.binary(max_size=200), metadata=st.binary(max_size=200), note=st.binary(max_size=80))
def test_no_content_of_the_metadata_makes_it_raise(tmp_path_factory, record, metadata, note):
    root = tmp_path_factory.mktemp("any")
    site = root / "lib" / "python3.11" / "site-packages"
    info = site / "alpha-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "RECORD").write_bytes(record)
    (info / "METADATA").write_bytes(metadata)
    (info / "direct_url.json").write_bytes(note)
    (site / "x.pth").write_bytes(note)
    assert len(contents((site,), root, root=root, cache=root / "cache").dependencies) >= 1
