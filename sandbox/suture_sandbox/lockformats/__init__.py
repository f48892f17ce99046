"""Lock files of other tools: what a workspace has pinned, in a form that one installer takes.

Formats are tried in the order of `FORMATS`; a new one is one function and one line. A plan is either a pylock (PEP 751) or requirements
with hashes. Nothing here builds, downloads or starts anything, and nothing of the workspace's build configuration is run: what lies in
the workspace itself is left out of the plan, because the workspace is the snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

from suture_sandbox.errors import ConfigurationError
from suture_sandbox.lockformats.plan import Plan, applies, direct_requirements, read_toml, relock
from suture_sandbox.lockformats.poetry import from_pdm, from_poetry
from suture_sandbox.lockformats.pylock import from_pylock, from_uv
from suture_sandbox.lockformats.requirements import from_requirements

FORMATS: Mapping[str, Callable[[Path, Mapping[str, str]], Plan | None]] = {
    "uv.lock": from_uv,
    "pylock.toml": from_pylock,
    "poetry.lock": from_poetry,
    "pdm.lock": from_pdm,
    "requirements.txt": from_requirements,
}
"""In the order in which they are tried."""


def find_plan(root: Path, markers: Mapping[str, str]) -> Plan | None:
    """The plan of the first lock file that the workspace has; `markers` describes the interpreter. Raises ConfigurationError."""
    for name, make in FORMATS.items():
        try:
            plan = make(root, markers)
        except (KeyError, TypeError, AttributeError, ValueError) as error:  # whatever a damaged file makes of the tables it should hold
            raise ConfigurationError(f"{root / name} is damaged: {type(error).__name__}: {error}", remedy=relock(name)) from error
        if plan is not None:
            _refuse_stale(root, plan, markers)
            return plan
    return None


def _refuse_stale(root: Path, plan: Plan, markers: Mapping[str, str]) -> None:
    """A lock file that is older than pyproject.toml would build another environment than the user thinks."""
    for requirement in direct_requirements(read_toml(root / "pyproject.toml"), groups=plan.kind != "requirements"):
        if requirement.marker is not None and not applies(str(requirement.marker), markers):
            continue
        versions = plan.locked.get(canonicalize_name(requirement.name))
        if versions is None and (plan.kind != "uv" or requirement.url):
            continue
        if versions is None or not (
            requirement.url or any(requirement.specifier.contains(version, prereleases=True) for version in versions)
        ):
            has = f"pins {requirement.name} {', '.join(versions)}" if versions else f"does not know {requirement.name}"
            raise ConfigurationError(
                f"{plan.source} is older than pyproject.toml: pyproject.toml asks for {requirement}, {plan.source} {has}",
                remedy=relock(plan.source),
            )
