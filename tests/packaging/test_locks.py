"""The lock files: every requirement has hashes and no address, they agree with pyproject.toml and with one another, on every platform."""

from __future__ import annotations

import itertools
import re
import subprocess

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SETS = {
    "base": ((), ()),
    "dev": ((), ("dev", "build")),
    "docker": (("docker",), ("build",)),
    "local": (("local",), ("build",)),
    "train": (("train",), ()),
}
"""Lock file -> the extras and the dependency groups of pyproject.toml that it holds, beside the base."""
PLATFORMS = [
    {"python_version": version, "python_full_version": f"{version}.0", "platform_machine": machine, "sys_platform": "linux"}
    for version, machine in itertools.product(("3.11", "3.12", "3.13"), ("x86_64", "aarch64"))
]


def read(text):
    """Requirement -> its hashes, in the order of the file."""
    lines = [line for line in re.sub(r"\\\n", " ", text).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found = {}
    for line in lines:
        head, *hashes = line.split("--hash=")
        found[Requirement(head.strip())] = [each.strip() for each in hashes]
    return found


def pins(lock, platform):
    """Name -> version, of what a lock file installs on one platform."""
    chosen = [each for each in lock if each.marker is None or each.marker.evaluate({**platform, "extra": ""})]
    names = [canonicalize_name(each.name) for each in chosen]
    assert len(names) == len(set(names)), "two versions of one package for one platform"
    return {canonicalize_name(each.name): next(iter(each.specifier)).version for each in chosen}


@pytest.fixture(params=SETS)
def name(request):
    return request.param


@pytest.fixture
def lock(root, name):
    return read((root / "requirements" / f"{name}.txt").read_text())


@pytest.fixture
def asked(pyproject, name):
    """What pyproject.toml asks for in this set."""
    extras, groups = SETS[name]
    project = pyproject["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    lists += [pyproject["dependency-groups"][group] for group in groups]
    return [Requirement(line) for line in itertools.chain(*lists)]


def test_there_are_no_other_lock_files(root):
    assert {path.stem for path in (root / "requirements").glob("*")} == set(SETS)


def test_every_requirement_is_pinned_by_version_and_hash(lock):
    assert lock
    for requirement, hashes in lock.items():
        assert [each.operator for each in requirement.specifier] == ["=="], requirement
        assert requirement.url is None
        assert hashes, f"{requirement} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement


def test_there_are_no_addresses(root, name):
    text = (root / "requirements" / f"{name}.txt").read_text()
    assert not re.search(r"https?:|file:/|--(extra-)?index-url|--find-links|@ ", text)


def test_every_platform_gets_what_pyproject_asks_for(lock, asked):
    for platform in PLATFORMS:
        versions = pins(lock, platform)
        for requirement in asked:
            if requirement.marker is None or requirement.marker.evaluate(platform):
                version = versions.get(canonicalize_name(requirement.name))
                assert version, f"{requirement} is not in the lock file: run `make lock`"
                assert requirement.specifier.contains(version, prereleases=True), f"{requirement} and {version}: run `make lock`"


def test_sets_agree_so_that_any_two_install_together(root):
    locks = {name: read((root / "requirements" / f"{name}.txt").read_text()) for name in SETS}
    for platform in PLATFORMS:
        versions = {name: pins(lock, platform) for name, lock in locks.items()}
        assert versions["base"].items() <= versions["dev"].items()
        assert versions["base"].items() <= versions["local"].items()
        assert versions["base"].items() <= versions["train"].items()
        shared = versions["dev"].keys() & versions["local"].keys()
        assert {each: versions["dev"][each] for each in shared} == {each: versions["local"][each] for each in shared}


def test_base_is_small(root):
    names = {canonicalize_name(each.name) for each in read((root / "requirements/base.txt").read_text())}
    assert names.isdisjoint({"torch", "transformers", "numpy", "docker", "vllm", "ray", "xllamacpp", "pytest"})
    assert len(names) <= 40


def test_training_without_cuda_leaves_out_torch_and_what_only_its_cuda_build_needs(root):
    script = root / "scripts" / "without_cuda.sh"
    rest = read(subprocess.run(["sh", script], check=True, capture_output=True, text=True).stdout)
    whole = read((root / "requirements/train.txt").read_text())
    left_out = {each.name for each in whole} - {each.name for each in rest}
    assert "torch" in left_out
    assert all(re.match(r"torch$|triton$|nvidia-|cuda-", each) for each in left_out)
    assert all(rest[each] == whole[each] for each in rest), "a hash was lost"


def test_the_reader_finds_what_is_wrong():
    text = "good==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via x\nbare==2 ; python_version < '3.12'\n"
    assert [(str(each.name), hashes) for each, hashes in read(text).items()] == [("good", ["sha256:aa", "sha256:bb"]), ("bare", [])]
    with pytest.raises(AssertionError, match="two versions"):
        pins(read("a==1 --hash=sha256:aa\na==2 --hash=sha256:bb\n"), PLATFORMS[0])
