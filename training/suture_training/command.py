"""`suture train sft | rl | prefer` as a function of plain values: data where it is asked for, the run, and an entry in the registry."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from suture_agent.adapters import Data, Draft, Identified
from suture_sandbox.identity import identity_of
from suture_training.errors import TrainingError
from suture_training.runs import Method, RunSettings, Trained, read_run, train
from suture_training.telling import last_checkpoint

Say = Callable[[str], None]


def command(
    method: Method,
    config: Path,
    out: Path,
    *,
    say: Say,
    data: str = "",
    tasks: str = "",
    journal: Path | None = None,
    register: str = "",
    **chosen: Any,  # noqa: ANN401  # fields of `data.export.Wanted`
) -> dict[str, Any]:
    """Carry out a run and say what came of it. `data` and `tasks` replace the file's own; `journal` is made a dataset of first.

    `register` names the adapter in the registry; it serves nobody before it was measured and put to use. `chosen` says what of the journal
    is wanted. Raises TrainingError, AdapterError and JournalError; what can be known of before the training is told before it.
    """
    settings = read_run(config)
    if register:
        _check(register, settings, out)
    if journal is not None:
        data = str(_collected(method, settings, journal, out, say, chosen))
    if data or tasks:
        settings = msgspec.structs.replace(settings, data=data or settings.data, tasks=tasks or settings.tasks)
    if register and method != "rl" and settings.data:
        from suture_training.data.load import summary_of

        _known(summary_of(Path(settings.data)).identity.fields)
    trained = train(method, settings, out, say=say)
    told: dict[str, Any] = msgspec.to_builtins(trained)
    if register:
        told["adapter"] = _registered(register, settings, trained, out)
        say(f"registered as {register}; measure it, then: suture adapter use {register}")
    return told


def _check(name: str, settings: RunSettings, out: Path) -> None:
    """Refuse before hours of training what the registry would refuse after them."""
    from suture_agent.adapters.names import checked_name
    from suture_agent.adapters.registry import Registry
    from suture_training.adapters.base import form_of

    if settings.model.lora is None:
        raise TrainingError("whole weights are no adapter", remedy="set [model.lora], or leave out --register")
    checked_name(name)
    for told in settings.model.forms:
        form_of(told)
    taken = next((each for each in Registry().all() if each.name == name), None)
    if taken is not None and not (out / "adapter").is_dir():
        raise TrainingError(f"there is another adapter named {taken.label}", remedy="choose another name, or drop that one")


def _collected(method: Method, settings: RunSettings, journal: Path, out: Path, say: Say, chosen: Mapping[str, Any]) -> Path:
    """A dataset of the journal. One that a run has begun to learn from is gone on with; another one would be another run."""
    from suture_training.data.build import Options
    from suture_training.data.export import Wanted, export

    if method == "rl":
        raise TrainingError("reinforcement learning needs tasks, not a dataset", remedy="make some: suture tasks make --from journal")
    kind = "sft" if method == "sft" else settings.prefer.method
    wanted = Wanted(options=Options(kind=kind, seed=settings.prefer.seed), **chosen)
    folder, note = out / "data", out / "chosen.json"
    asked = msgspec.json.encode(wanted, enc_hook=str)
    if (folder / "summary.json").exists() and last_checkpoint(out / "checkpoints"):
        if note.exists() and note.read_bytes() != asked:
            raise TrainingError(
                f"{out} holds a run on other parts of the journal", remedy="give the name of a new folder, or the old choice"
            )
        say(f"going on with the data in {folder}; what was recorded since is for another run, in a new folder")
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    summary = export(journal, folder, wanted)
    note.write_bytes(asked)
    say(f"{summary.figures.rows} rows from the journal")
    for reason, count in summary.left_out.items():
        say(f"left out: {count} ({reason})")
    return folder


def _known(fields: Mapping[str, Any]) -> None:
    missing = [part for part in ("environment", "harness") if not fields.get(part)]
    if missing:
        raise TrainingError(
            f"it is not known what the {missing[0]} was", remedy="export the data again, with the journal at the level full"
        )


def _registered(name: str, settings: RunSettings, trained: Trained, out: Path) -> str:
    """Put the adapter into the registry; its digest."""
    from suture_training.adapters.base import base_for
    from suture_training.adapters.pack import register

    identity: Mapping[str, Any] = msgspec.json.decode((out / "identity.json").read_bytes())
    fields = identity["fields"]
    _known(fields)
    base, model_type = base_for(settings.model)
    draft = Draft(
        name=name,
        base=base,
        data=Data(digest=str(identity.get("digest") or identity_of(identity)), name=settings.data or settings.tasks, rows=trained.rows),
        environment=Identified.of(fields["environment"]),
        harness=Identified.of(fields["harness"]),
        varied=tuple(sorted({each["field"] for each in identity.get("admitted", ())})),
        training=msgspec.to_builtins(settings),
    )
    return register(Path(trained.folder), draft, model_type=model_type).digest
