"""Loads the bench's modules for its tests, and keeps pytest out of the broken workspaces."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

collect_ignore = ["repairs"]

HERE = Path(__file__).parent


def _load(name: str) -> ModuleType:
    # The bench is a script beside its modules, not a package: they find each other by the names that are registered here.
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def cases() -> ModuleType:
    """The module `repair_cases`."""
    return _load("repair_cases")


@pytest.fixture(scope="session")
def bench() -> ModuleType:
    """The module `bench_repair`, the runner."""
    _load("repair_cases")
    _load("repair_report")
    return _load("bench_repair")


@pytest.fixture(scope="session")
def report() -> ModuleType:
    """The module `repair_report`."""
    _load("repair_cases")
    return _load("repair_report")


@pytest.fixture(scope="session")
def lsp() -> SimpleNamespace:
    """The modules of the language server's benches, by their names."""
    names = ("lsp_client", "lsp_documents", "lsp_workspace", "lsp_suture", "lsp_traces", "lsp_editor", "lsp_report")
    before = ("repair_cases", "repair_report")
    loaded = {name: _load(name) for name in (*before, *names, "bench_lsp", "soak_lsp")}
    return SimpleNamespace(**loaded)


@pytest.fixture(scope="session")
def faults() -> SimpleNamespace:
    """The modules of the bench of faults."""
    return SimpleNamespace(jobs=_load("fault_jobs"), ground=_load("fault_ground"))


@pytest.fixture(scope="session")
def rollouts() -> SimpleNamespace:
    """The modules of the bench of rollouts."""
    return SimpleNamespace(**{name: _load(name) for name in ("rollout_ground", "rollout_worker", "bench_rollouts")})


@pytest.fixture(scope="session")
def flaky() -> SimpleNamespace:
    """The modules of the bench of flaky tests."""
    return SimpleNamespace(templates=_load("flaky_templates"), bench=_load("bench_flaky"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each case, named by its id."""
    if "case" in metafunc.fixturenames:
        every = _load("repair_cases").load_cases()
        metafunc.parametrize("case", every, ids=[case.id for case in every])
