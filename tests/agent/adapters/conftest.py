"""A registry in a temporary folder, and adapters of a few bytes that were trained for a made-up environment and harness."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from suture_agent.adapters import CONFIG, GGUF, WEIGHTS, Adapter, Base, Data, Draft, Identified, Score
from suture_agent.adapters.registry import Registry

ENVIRONMENT = {
    "toolchain": {"python": "3.11.2"},
    "dependencies": {"pytest": {"version": "8.4", "content": "c1"}},
    "checks": {"tests": {"kind": "tests"}},
}
HARNESS = {"preset": "direct", "budgets": {"steps": 24, "tokens": 12_000}, "prompts": {"direct_system": "p1"}}
BASE = Base(name="qwen", digest="b" * 64)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "adapters")


@pytest.fixture
def environment() -> Identified:
    return Identified.of(ENVIRONMENT)


@pytest.fixture
def harness() -> Identified:
    return Identified.of(HARNESS)


@pytest.fixture
def score(environment: Identified, harness: Identified) -> Callable[..., Score]:
    """A score of so many of 100 on the held-out set, in the environment and harness of the fixtures."""

    def make(passed: int, **changed: object) -> Score:
        fields = {
            "subject": "adapter",
            "evaluation": "e1",
            "held_out": "h" * 64,
            "environment": environment.digest,
            "harness": harness.digest,
            "passed": passed,
            "of": 100,
            "low": 0.0,
            "high": 1.0,
        }
        return Score(**{**fields, **changed})  # type: ignore[arg-type]

    return make


@pytest.fixture
def draft(environment: Identified, harness: Identified) -> Callable[..., Draft]:
    def make(name: str = "one", **changed: object) -> Draft:
        fields = {"base": BASE, "data": Data(digest="d" * 64, name="shop", rows=12), "environment": environment, "harness": harness}
        return Draft(name=name, **{**fields, **changed})  # type: ignore[arg-type]

    return make


@pytest.fixture
def fill() -> Callable[[str], Callable[[Path], None]]:
    """Files with a content of their own."""

    def make(content: str, *, gguf: bool = True) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            (folder / WEIGHTS).write_text(f"weights {content}")
            (folder / CONFIG).write_text("{}")
            if gguf:
                (folder / GGUF).write_text(f"gguf {content}")

        return write

    return make


@pytest.fixture
def add(registry: Registry, draft: Callable[..., Draft], fill: Callable[..., Callable[[Path], None]]) -> Callable[..., Adapter]:
    def make(name: str = "one", *, gguf: bool = True, **changed: object) -> Adapter:
        return registry.add(draft(name, **changed), fill(name, gguf=gguf))

    return make
