"""A copy of a workspace in an environment into which the workspace itself is installed in place (`pip install -e`).

Such an environment imports the project from where it was installed from, never from the copy. Here that place is left out, as it is for
the workspace itself: the project's own installation counts as what is under test, and its sources are looked for in the copy first.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from suture_agent.places import cache_folder
from suture_sandbox.capture import runtime_of
from suture_sandbox.capture.distributions import contents, editable_folder, scan_names
from suture_sandbox.capture.interpreter import Interpreter, inspect
from suture_sandbox.detect.configuration import read_configuration
from suture_sandbox.detect.layout import project_name
from suture_sandbox.environment import Environment
from suture_sandbox.project import install


def without_own_project(environment: Environment, root: Path) -> Environment:
    """The environment as the workspace at `root` has to see it; the same one where nothing of it is installed in place elsewhere."""
    if environment.fields.image:
        return environment
    name = own_name(root)
    interpreter = inspect(Path(environment.runtime.python), root=root, cache=cache_folder())
    home = _installed_from(interpreter, name) if name else None
    if home is None or home.is_relative_to(root.resolve()):
        return environment
    prefix = interpreter.prefix if interpreter.virtual else None
    dependencies = contents(interpreter.sites, prefix, root=home, cache=cache_folder()).dependencies
    runtime = environment.runtime
    kept = [path for path in runtime.readonly if not Path(path).is_relative_to(home)]
    sources = install((root,), cache=cache_folder()).search[1:] or (root,)
    searched = [*map(str, sources), *filter(None, [runtime.variables.get("PYTHONPATH", "")])]
    return Environment(
        fields=msgspec.structs.replace(environment.fields, dependencies=dependencies),
        runtime=msgspec.structs.replace(
            runtime,
            readonly=tuple(dict.fromkeys((*runtime_of(interpreter, root=home).readonly, *kept))),
            variables={**runtime.variables, "PYTHONPATH": ":".join(searched)},
        ),
        limits=environment.limits,
    )


def own_name(root: Path) -> str:
    """The normalised name of the project in a workspace, empty where it has none."""
    configuration = read_configuration(root)
    return project_name(configuration.project, configuration.sections.get("setup.cfg", {}))


def _installed_from(interpreter: Interpreter, name: str) -> Path | None:
    """The folder that an environment imports a distribution from, where it is installed in place."""
    for site in interpreter.sites:
        for distribution in scan_names(site):
            if distribution.name == name and (folder := editable_folder(distribution.info)) is not None:
                return folder.resolve()
    return None
