"""Building an image from a lock file, and the clock that stands still in one."""

# ruff: noqa: ASYNC221, ASYNC240  # one test at a time has the loop to itself

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import msgspec
import pytest

from suture_sandbox.backend import Command
from suture_sandbox.checks import Check
from suture_sandbox.docker import DockerBackend
from suture_sandbox.docker.building import build, committed, platform_of, sources, tags_of
from suture_sandbox.docker.clock import frozen
from suture_sandbox.docker.daemon import Daemon
from suture_sandbox.docker.images import Seen, environment_in, recall
from suture_sandbox.docker.layer import HOME, Configured, assemble, layer
from suture_sandbox.environment import Limits
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.snapshot import Snapshot

SETTINGS = '[project]\nname = "shop"\nversion = "1.0"\n[build-system]\nrequires = []\nbuild-backend = "none"\n'


def wheel(folder: Path, name: str, version: str, files: dict[str, str], entry: str = "") -> Path:
    """A wheel of pure Python."""
    from zipfile import ZipFile

    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    parts = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **({f"{info}/entry_points.txt": f"[console_scripts]\n{entry}\n"} if entry else {}),
    }
    record = "".join(f"{place},,\n" for place in (*parts, f"{info}/RECORD"))
    with ZipFile(path, "w") as packed:
        for place, text in {**parts, f"{info}/RECORD": record}.items():
            packed.writestr(place, text)
    return path


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A workspace with a lock file that pins one wheel, and the wheel beside it."""
    root = tmp_path / "shop"
    (root / "src" / "shop").mkdir(parents=True)
    (root / "src" / "shop" / "__init__.py").write_text("import greeting\nWORD = greeting.WORD\n")
    made = wheel(tmp_path, "greeting", "1.0", {"greeting.py": "WORD = 'hello'\ndef main(): print(WORD)\n"}, "greet = greeting:main")
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    (root / "pyproject.toml").write_text(SETTINGS)
    (root / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "tests"\n[[packages]]\nname = "greeting"\nversion = "1.0"\n'
        f'[[packages.wheels]]\nname = "{made.name}"\npath = "../{made.name}"\nhashes = {{ sha256 = "{digest}" }}\n'
    )
    return root


@pytest.fixture
def daemon(docker_image: str):
    made = Daemon()
    yield made
    subprocess.run(["docker", "rmi", "-f", *_built()], check=False, capture_output=True)
    made.close()


def _built() -> list[str]:
    told = subprocess.run(["docker", "images", "-q", "suture-environment"], capture_output=True, text=True, check=True)
    return sorted(set(told.stdout.split()))


async def test_an_image_from_a_lock_file(daemon, docker_image, locked, tmp_path):
    told: list[str] = []
    image = await build(daemon, docker_image, locked, cache=tmp_path / "cache", progress=told.append)
    assert image.dependencies["greeting"].version == "1.0"
    assert image.dependencies["shop"].version == "1.0"  # stands in for the workspace's own installation
    assert image.layers[:-1] == daemon.image(docker_image).layers
    assert image.runtime.python == f"{HOME}/bin/python"
    assert any("pylock.toml" in note for note in image.runtime.notes)
    assert recall(image.id, tmp_path / "cache") == image
    assert not list((tmp_path / "cache").glob(".image-*"))

    again = await build(daemon, docker_image, locked, cache=tmp_path / "another cache", progress=told.append)
    assert again.id == image.id  # the same bytes from the same content

    search = sources(locked, image, cache=tmp_path / "cache")
    assert search == str(locked / "src")
    check = Check(name="tests", kind="tests", command=("true",), report="generic")
    environment = environment_in(
        image,
        root=locked,
        checks=(check,),
        limits=Limits(seconds=20),
        isolation={"backend": "docker"},
        cache=tmp_path / "cache",
        variables={"PYTHONPATH": search},
    )
    backend = DockerBackend()
    script = (
        "greet && python -c 'import shop, greeting; print(shop.WORD, greeting.__cached__)' && ls " + HOME + "/lib/python3*/site-packages"
    )
    done = await backend.run(Snapshot(locked), environment, Command(argv=("sh", "-c", script)))
    await backend.close()
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(b"hello\nhello /opt/suture/environment/lib/python3"), done.stdout
    assert b"__pycache__" in done.stdout  # compiled


async def test_a_daemon_that_keeps_images_in_another_way_commits_one(daemon, docker_image, tmp_path):
    environment = tmp_path / "environment"
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "greeting.py").write_text("WORD = 'hello'\n")
    assemble(tmp_path / "target", environment, "/usr/bin/python3", "3.11.2", None)
    content = layer(environment, tmp_path / "layer.tar")
    wanted = Configured(name=f"suture-environment:{content[:12]}", variables={"PATH": f"{HOME}/bin:/usr/bin:/bin"}, labels={"a": "b"})
    digest = committed(daemon, daemon.image(docker_image), tmp_path / "layer.tar", wanted)
    done = subprocess.run(
        ["docker", "run", "--rm", "--entrypoint", "python", digest, "-c", "import greeting"], check=False, capture_output=True
    )
    assert done.returncode == 0, done.stderr


async def test_what_cannot_be_built_says_so(daemon, docker_image, locked, tmp_path):
    cache = tmp_path / "cache"
    text = (locked / "pylock.toml").read_text()
    for edited, says in (
        (text.replace('"greeting-1.0-py3-none-any.whl"', '"greeting-1.0-cp27-cp27m-win32.whl"'), "cannot be had"),
        (text.replace('lock-version = "1.0"', 'lock-version = "1.0"\nrequires-python = "<3"'), "base image has 3"),
    ):
        (locked / "pylock.toml").write_text(edited)
        with pytest.raises(ConfigurationError, match=says) as caught:
            await build(daemon, docker_image, locked, cache=cache, progress=lambda _text: None)
        assert caught.value.remedy
    (locked / "pylock.toml").unlink()
    with pytest.raises(ConfigurationError, match="no lock file"):
        await build(daemon, docker_image, locked, cache=cache, progress=lambda _text: None)
    with pytest.raises(ConfigurationError, match="no image"):
        await build(daemon, "nowhere/nothing:1", locked, cache=cache, progress=lambda _text: None)
    assert not list(cache.glob(".image-*"))


async def test_the_clock_stands_still_where_the_image_has_what_it_takes(daemon, docker_image, locked, tmp_path):
    cache = tmp_path / "cache"
    bare = await build(daemon, docker_image, locked, cache=cache, progress=lambda _text: None)
    with pytest.raises(ConfigurationError, match="no libfaketime") as caught:
        frozen(daemon, bare, "2024-01-01T00:00:00Z")
    assert "libfaketime" in caught.value.remedy
    with pytest.raises(ConfigurationError, match="no instant"):
        frozen(daemon, bare, "yesterday")
    library = next(iter(Path(sys.prefix).glob("lib/python3*/site-packages/libfaketime/vendor/libfaketime/src/libfaketime.so.1")), None)
    if library is None:
        pytest.skip("libfaketime is not installed here")
    context = tmp_path / "context"
    context.mkdir()
    shutil.copy(library, context / "libfaketime.so.1")
    place = f"{HOME}/lib/python3.11/site-packages/libfaketime/vendor/libfaketime/src/"
    (context / "Dockerfile").write_text(f"FROM {bare.id}\nCOPY libfaketime.so.1 {place}\n")
    built = subprocess.run(
        ["docker", "build", "-q", str(context)], check=True, capture_output=True, text=True, env={**os.environ, "DOCKER_BUILDKIT": "0"}
    )
    digest = built.stdout.strip()
    try:
        with_clock = msgspec.structs.replace(bare, id=digest)
        variables, toolchain = frozen(daemon, with_clock, "2024-01-01T00:00:00Z")
        assert toolchain["preloaded"] == hashlib.sha256(library.read_bytes()).hexdigest()
        environment = environment_in(
            with_clock,
            root=locked,
            checks=(),
            limits=Limits(seconds=20),
            isolation={},
            cache=cache,
            variables=variables,
            toolchain=toolchain,
        )
        assert environment.fields.toolchain["preloaded"] == toolchain["preloaded"]
        assert environment.fields.variables["FAKETIME"] == "1704067200"
        backend = DockerBackend()
        code = "import time; time.sleep(0.01); print(time.time())"
        done = await backend.run(Snapshot(locked), environment, Command(argv=("python", "-c", code)))
        await backend.close()
        assert done.stdout == b"1704067200.0\n", done.stderr
    finally:
        subprocess.run(["docker", "rmi", "-f", digest], check=False, capture_output=True)


def _seen(machine: str, libc: str) -> Seen:
    facts = {"implementation": "cpython", "version": "3.12.3", "abi": f"cpython-312-{machine}-linux-gnu", "prefix": "/usr", "stdlib": []}
    facts |= {"sites": [], "openssl": "", "sqlite": "", "zlib": ""}
    told = {"python": "/usr/bin/python3", "base": "/usr/bin/python3", "prefix": "/usr", "virtual": False, "sites": [], "facts": facts}
    return msgspec.convert({**told, "machine": machine, "libc": libc, "release": "", "manager": "", "packages": {}}, Seen)


@pytest.mark.parametrize(
    ("machine", "libc", "platform", "fits", "does_not"),
    [
        ("x86_64", "glibc 2.36", "x86_64-manylinux_2_36", ["cp312-cp312-manylinux_2_36_x86_64", "cp312-abi3-manylinux1_x86_64"], "2_37"),
        ("x86_64", "glibc 2.17", "x86_64-manylinux_2_17", ["cp312-cp312-manylinux2014_x86_64"], "2_28"),
        ("aarch64", "glibc 2.41", "aarch64-manylinux_2_40", ["cp312-cp312-manylinux_2_41_aarch64"], "manylinux1"),
        ("x86_64", "musl", "x86_64-unknown-linux-musl", ["cp312-cp312-musllinux_1_2_x86_64"], "manylinux"),
    ],
)
def test_what_an_image_can_load(machine, libc, platform, fits, does_not):
    seen = _seen(machine, libc)
    tags = [str(tag) for tag in tags_of(seen)]
    assert platform_of(seen) == platform
    assert set(fits) <= set(tags)
    assert not [tag for tag in tags if does_not in tag]
    assert tags[-1] == "py30-none-any"


def test_a_layer_is_its_content_and_nothing_else(tmp_path):
    digests = set()
    for number in range(2):
        target, environment = tmp_path / f"target{number}", tmp_path / f"environment{number}"
        (target / "bin").mkdir(parents=True)
        (target / "pkg").mkdir()
        for name in ("b.py", "a.py") if number else ("a.py", "b.py"):
            (target / "pkg" / name).write_text(name)
        (target / "bin" / "tool").write_text(f"#!/home/{number}/python\nimport pkg\n")
        (target / "bin" / "long").write_text(f"#!/bin/sh\n'''exec' '/a place/{number}/python' \"$0\" \"$@\"\n' '''\nimport pkg\n")
        (target / "bin" / "shell").write_text("#!/bin/sh\ntrue\n")
        assemble(target, environment, "/usr/bin/python3", "3.11.2", None)
        os.utime(environment / "lib/python3.11/site-packages/pkg/a.py", (number, number))
        digests.add(layer(environment, tmp_path / f"layer{number}.tar"))
    assert len(digests) == 1
    with tarfile.open(tmp_path / "layer0.tar") as tar:
        assert {entry.mtime for entry in tar} == {0}
        assert {(entry.uid, entry.gid, entry.uname) for entry in tar} == {(0, 0, "")}
        scripts = {name: tar.extractfile(f"{HOME.strip('/')}/bin/{name}").read().split(b"\n")[0] for name in ("tool", "long", "shell")}
    assert scripts == {"tool": f"#!{HOME}/bin/python".encode(), "long": f"#!{HOME}/bin/python".encode(), "shell": b"#!/bin/sh"}
