"""The promise: equal on two machines with equal content, whatever the paths; anything that differs is named."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from suture_sandbox.capture import manifests
from suture_sandbox.capture.manifests import FileChanges
from suture_sandbox.environment import Environment, Limits, Runtime
from suture_sandbox.identity import Difference, differences, identity_of
from suture_sandbox.lockfile import files_behind, read_lock, sentences, take_in_files, verify, write_lock


@pytest.fixture
def wheelhouse(tmp_path, make_wheel):
    house = tmp_path / "wheelhouse"
    make_wheel(house, "alpha", "1.0", {"alpha/__init__.py": "X = 1\n", "alpha/data.txt": "d"}, requires=("beta>=2",))
    make_wheel(house, "beta", "2.1", {"beta.py": "Y = 2\n"}, entry_points="[console_scripts]\nbeta = beta:main\n")
    return house


@pytest.fixture
def four_ways(tmp_path, wheelhouse, own_uv_cache):
    """The same two packages, installed by uv at two paths and by pip."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    pythons = []
    for name in ("one", "a much/longer path with spaces"):
        folder = tmp_path / name / ".venv"
        subprocess.run([uv, "venv", "-q", "--no-project", "--python", sys.executable, folder], check=True)
        command = [uv, "pip", "install", "-q", "--python", folder / "bin/python", "--no-index", "--find-links", wheelhouse, "alpha"]
        subprocess.run(command, check=True)
        pythons.append(folder / "bin" / "python")
    folder = tmp_path / "by pip" / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    command = [sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "-q", "--no-index", "--find-links", wheelhouse]
    subprocess.run([*command, "alpha"], check=True)
    pythons.append(folder / "bin" / "python")
    folder = tmp_path / "by uv from a pylock" / ".venv"
    subprocess.run([uv, "venv", "-q", "--no-project", "--python", sys.executable, folder], check=True)
    wheels = "".join(
        f'[[packages]]\nname = "{wheel.name.split("-")[0]}"\nversion = "{wheel.name.split("-")[1]}"\n'
        f'wheels = [{{path = "{wheel}", hashes = {{sha256 = "{hashlib.sha256(wheel.read_bytes()).hexdigest()}"}}}}]\n'
        for wheel in sorted(wheelhouse.iterdir())
    )
    (tmp_path / "pylock.toml").write_text(f'lock-version = "1.0"\ncreated-by = "hand"\n{wheels}')
    subprocess.run([uv, "pip", "sync", "-q", "--python", folder / "bin/python", tmp_path / "pylock.toml"], check=True)
    return [*pythons, folder / "bin" / "python"]


def test_uv_at_two_paths_pip_and_pylock_come_to_the_same_identity(four_ways, fields_of, cache):
    assert len(four_ways) == 4
    fields = [fields_of(python.parents[2], python) for python in four_ways]
    assert {name: item.version for name, item in fields[0].dependencies.items()} == {"alpha": "1.0", "beta": "2.1"}
    assert [differences(fields[0], other) for other in fields[1:]] == [(), (), ()]
    assert len({identity_of(item) for item in fields}) == 1
    (site,) = four_ways[3].parents[1].glob("lib/python*/site-packages")
    (site / "alpha" / "data.txt").unlink()  # a hard link into uv's cache
    (site / "alpha" / "data.txt").write_text("e")
    drift = verify(fields[0], fields_of(four_ways[3].parents[2], four_ways[3]))
    assert [sentence.partition(" (")[2] for sentence in sentences(drift, cache)] == ["changed: alpha/data.txt)"]


def test_no_path_of_this_machine_is_in_the_fields(tmp_path, four_ways, fields_of):
    root = four_ways[0].parents[2]
    fields = fields_of(root, four_ways[0], variables={"PYTHONPATH": f"/somewhere/cache:{root}/src"})
    text = msgspec.json.encode(fields).decode()
    assert str(tmp_path) not in text
    assert sys.prefix not in text
    assert "/somewhere" not in text
    assert fields.variables["PYTHONPATH"] == "{workspace}/src"
    assert "VIRTUAL_ENV" not in fields.variables


@pytest.fixture
def make_environment():
    return lambda fields: Environment(fields, Runtime(python="python", search_path=(), readonly=()))


@pytest.fixture
def small(tmp_path, make_venv, put):
    site = make_venv(tmp_path / "work" / ".venv")
    put(site, "alpha", "1.0", {"alpha.py": "X = 1\n"})
    put(site, "beta", "2.1", {"beta.py": "Y = 1\n"})
    return tmp_path / "work", tmp_path / "work" / ".venv" / "bin" / "python", site


def test_one_changed_file_names_exactly_its_distribution(small, fields_of):
    root, python, site = small
    before = fields_of(root, python)
    (site / "alpha.py").write_text("X = 2\n")
    drift = verify(before, fields_of(root, python))
    assert [item.field for item in drift] == ["dependencies.alpha.content"]
    assert sentences(drift) == ("alpha has the locked version but other files: something in it was changed",)


def test_the_files_that_differ_are_named(small, fields_of, put, cache):
    root, python, site = small
    put(site, "gamma", "1", {"gamma/a.py": "1", "gamma/b.py": "2", "gamma/c.py": "3"})
    before = fields_of(root, python)
    (site / "gamma" / "a.py").write_text("other")
    (site / "gamma" / "b.py").unlink()
    (site / "stray.py").write_text("")
    drift = verify(before, fields_of(root, python))
    assert sentences(drift, cache) == (
        "gamma has the locked version but other files: something in it was changed (changed: gamma/a.py, gamma/b.py)",
        "unowned-files 1 files is installed and not locked",
    )
    (changed,) = (item for item in drift if item.field == "dependencies.gamma.content")
    assert files_behind(changed, cache).changed == ("gamma/a.py", "gamma/b.py")
    assert files_behind(drift[-1], cache) is None
    before = fields_of(root, python)
    (site / "stray.py").unlink()
    (site / "other.py").write_text("")
    content = next(item for item in verify(before, fields_of(root, python)) if item.field.endswith("content"))
    assert files_behind(content, cache) == FileChanges(removed=("stray.py",), added=("other.py",))


def test_a_lost_or_damaged_manifest_costs_the_names_only(small, fields_of, cache):
    root, python, site = small
    before = fields_of(root, python)
    (site / "alpha.py").write_text("X = 2\n")
    drift = verify(before, fields_of(root, python))
    assert sentences(drift, cache)[0].endswith("(changed: alpha.py)")
    place = next(cache.glob(f"manifests/*/{before.dependencies['alpha'].content}.msgpack"))
    place.write_bytes(msgspec.msgpack.encode({b"alpha.py": "0" * 64}))
    assert sentences(drift, cache) == sentences(drift), "a manifest of another content is not believed"
    place.write_bytes(b"\xff")
    assert sentences(drift, cache) == sentences(drift)


def test_a_lock_that_lists_files_names_them_on_another_machine(small, fields_of, cache, tmp_path, make_environment):
    root, python, site = small
    write_lock(root, make_environment(fields_of(root, python)), files_from=cache)
    text = (root / "suture.lock").read_text()
    assert tomllib.loads(text)["files"]["alpha"].keys() >= {"alpha.py", "alpha-1.0.dist-info/METADATA"}
    locked = read_lock(root)
    assert locked == fields_of(root, python), "what is listed is no part of the identity"
    (site / "alpha.py").write_text("X = 2\n")
    drift = verify(locked, fields_of(root, python))
    elsewhere = tmp_path / "elsewhere"
    assert sentences(drift, elsewhere) == sentences(drift)
    take_in_files(text, elsewhere)
    manifests.keep(elsewhere, manifests.load(cache, fields_of(root, python).dependencies["alpha"].content).items())
    assert sentences(drift, elsewhere)[0].endswith("(changed: alpha.py)")
    for damaged in ("= 1", "files = 1", "[files]\na = 1", "[files.a]\nb = 1"):
        take_in_files(damaged, elsewhere)


def test_another_version_is_named_with_both(small, fields_of, put):
    root, python, site = small
    before = fields_of(root, python)
    shutil.rmtree(site / "beta-2.1.dist-info")
    put(site, "beta", "2.2", {"beta.py": "Y = 1\n"})
    drift = verify(before, fields_of(root, python))
    assert Difference("dependencies.beta.version", '"2.1"', '"2.2"') in drift
    assert {item.field for item in drift} == {"dependencies.beta.version", "dependencies.beta.content"}
    assert sentences(drift) == ("beta is 2.2, locked is 2.1",)


def test_missing_and_added_distributions_are_named(small, fields_of, put):
    root, python, site = small
    before = fields_of(root, python)
    shutil.rmtree(site / "beta-2.1.dist-info")
    (site / "beta.py").unlink()
    put(site, "gamma", "3", {"gamma.py": ""})
    assert sentences(verify(before, fields_of(root, python))) == (
        "beta 2.1 is locked and not installed",
        "gamma 3 is installed and not locked",
    )


def test_one_variable_one_check_one_limit_are_each_named_alone(small, fields_of, check):
    root, python, _ = small
    before = fields_of(root, python)
    variable = verify(before, fields_of(root, python, variables={"TZ": "Europe/Prague"}))
    assert [item.field for item in variable] == ["variables.TZ"]
    assert sentences(variable) == ("variables TZ was UTC and is Europe/Prague",)
    slower = msgspec.structs.replace(check, timeout=5)
    changed = verify(before, fields_of(root, python, checks=(slower,)))
    assert [item.field for item in changed] == ["checks.tests.timeout"]
    assert sentences(changed) == ("the check tests changed: timeout was 300 and is 5",)
    limit = verify(before, fields_of(root, python, limits=Limits(memory_mib=1)))
    assert [item.field for item in limit] == ["isolation.limit_memory_mib"]


def test_a_check_that_came_or_went_is_one_sentence(small, fields_of, check):
    root, python, _ = small
    lint = msgspec.structs.replace(check, name="lint", kind="lint")
    one, two = fields_of(root, python), fields_of(root, python, checks=(check, lint))
    assert sentences(verify(one, two)) == ("the check lint is not locked",)
    assert sentences(verify(two, one)) == ("the check lint is locked, and is not configured any more",)


def test_a_processor_and_an_interpreter_that_differ_are_told_in_words():
    drift = (
        Difference("platform.features", '["avx2","fma"]', '["avx2","sve"]'),
        Difference("toolchain.content", '"a"', '"b"'),
        Difference("os.version", '"12"', '"13"'),
        Difference("image", '""', '"sha256:1"'),
        Difference("filters.initial_build_seconds_below", None, "100"),
    )
    assert sentences(drift) == (
        "this processor lacks fma and also has sve",
        "the interpreter or its standard library has other files than when it was locked",
        "os version was 12 and is 13",
        "image was empty and is sha256:1",
        "filters initial_build_seconds_below is new: 100",
    )


def test_an_empty_mapping_that_grows_is_named_by_its_leaves_alone():
    assert differences({"a": {}}, {"a": {"b": 1}}) == (Difference("a.b", None, "1"),)
    assert differences({"a": {"b": 1}}, {"a": {}}) == (Difference("a.b", "1", None),)
    assert differences({}, {"a": 1}) == (Difference("a", None, "1"),)
    assert differences({"a": {}}, {"a": {}}) == ()
