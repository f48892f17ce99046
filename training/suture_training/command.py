"""`suture train sft | rl | prefer` as a function of plain values: data where it is asked for, the run, and an entry in the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from suture_agent.adapters import Data, Draft, Identified
from suture_sandbox.identity import identity_of
from suture_training.errors import TrainingError
from suture_training.runs import Method, RunSettings, Trained, read_run, train

Say = Callable[[str], None]


def command(
    method: Method, config: Path, out: Path, *, say: Say, data: str = "", tasks: str = "", journal: Path | None = None, register: str = ""
) -> dict[str, Any]:
    """Carry out a run and say what came of it. `data` and `tasks` replace the file's own; `journal` is made a dataset of first.

    `register` names the adapter in the registry; it serves nobody before it was measured and put to use. Raises TrainingError.
    """
    settings = read_run(config)
    if journal is not None:
        data = str(_collected(method, settings, journal, out / "data", say))
    if data or tasks:
        settings = msgspec.structs.replace(settings, data=data or settings.data, tasks=tasks or settings.tasks)
    if register and settings.model.lora is None:
        raise TrainingError("whole weights are no adapter", remedy="set [model.lora], or leave out --register")
    trained = train(method, settings, out, say=say)
    told: dict[str, Any] = msgspec.to_builtins(trained)
    if register:
        told["adapter"] = _registered(register, settings, trained, out)
        say(f"registered as {register}; measure it, then: suture adapter use {register}")
    return told


def _collected(method: Method, settings: RunSettings, journal: Path, folder: Path, say: Say) -> Path:
    """A dataset of the journal; one that an interrupted run made is used."""
    from suture_training.data.build import Options
    from suture_training.data.export import Wanted, export

    if method == "rl":
        raise TrainingError("reinforcement learning needs tasks, not a dataset", remedy="make some: suture tasks make --from journal")
    if (folder / "summary.json").exists():
        return folder
    kind = "sft" if method == "sft" else settings.prefer.method
    summary = export(journal, folder, Wanted(options=Options(kind=kind, seed=settings.prefer.seed)))
    say(f"{summary.figures.rows} rows from the journal")
    return folder


def _registered(name: str, settings: RunSettings, trained: Trained, out: Path) -> str:
    """Put the adapter into the registry; its digest."""
    from suture_training.adapters.pack import base_of, register

    identity: Mapping[str, Any] = msgspec.json.decode((out / "identity.json").read_bytes())
    fields = identity["fields"]
    missing = [part for part in ("environment", "harness") if not fields.get(part)]
    if missing:
        raise TrainingError(
            f"it is not known what the {missing[0]} was", remedy="export the data again, with the journal at the level full"
        )
    base, model_type = base_of(Path(settings.model.path), Path(settings.model.path).name)
    draft = Draft(
        name=name,
        base=base,
        data=Data(digest=str(identity.get("digest") or identity_of(identity)), name=settings.data or settings.tasks, rows=trained.rows),
        environment=Identified.of(fields["environment"]),
        harness=Identified.of(fields["harness"]),
        training=msgspec.to_builtins(settings),
    )
    return register(Path(trained.folder), draft, model_type=model_type).digest
