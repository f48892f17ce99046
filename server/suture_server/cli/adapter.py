"""`suture adapter list | show | use | drop`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from suture_server.cli.common import Output, options, run_async, workspace_root

if TYPE_CHECKING:
    from suture_agent.adapters import Adapter, Score
    from suture_agent.adapters.choose import Fit
    from suture_agent.adapters.registry import Registry
    from suture_agent.settings import Settings


@click.group()
def adapter() -> None:
    """Adapters: trained weights, each for the one environment and harness that it was trained in.

    A workspace is served by the adapter in use whose environment and harness are its own, by the bare model where there is none.
    policy.adapters (matched, off, or a name) and policy.require_matched_adapter in your own configuration change that.
    """


@adapter.command("list")
@options
def list_(output: Output) -> int:
    r"""List the adapters on this machine, and which of them are in use.

    \b
    Example:
      suture adapter list
    """
    from suture_agent.adapters.registry import Registry

    registry = Registry()
    found, current = registry.all(), {use.adapter for use in registry.in_use().current}
    for each in found:
        output.line({"event": "adapter", **_brief(each), "in_use": each.digest in current})
        output.say(f"{each.name}  {each.short}{'  (in use)' if each.digest in current else ''}", style="bold")
        output.say(f"  for {each.base.name}, {_score(each)}, {sum(file.size for file in each.files.values()) / 1e6:,.1f} MB")
        output.say(f"  environment {each.environment.digest[:12]}, harness {each.harness.digest[:12]}")
    damaged = registry.damaged()
    for error in damaged:
        output.line({"event": "damaged", "message": str(error), "remedy": error.remedy})
        output.say(f"{error}", style="red")
        output.say(f"  try: {error.remedy}")
    if not found and not damaged:
        output.say("There are no adapters; suture train sft makes one.")
    output.line(
        {"event": "summary", "adapters": len(found), "in_use": sorted(current), "damaged": len(damaged), "folder": str(registry.folder)}
    )
    return 1 if damaged else 0


@adapter.command()
@click.argument("name")
@click.option("--against", metavar="PATH", help="Hold it against this workspace: which fields differ.")
@click.option("--policy", metavar="NAME|URL", help="With --against: the policy that answers there, instead of the configured one.")
@options
def show(name: str, against: str | None, policy: str | None, output: Output) -> int:
    r"""Show an adapter's card: base, data, scores, the environment and harness that it was trained for.

    With --against the exit code says whether it matches that workspace (0) or not (1).

    \b
    Examples:
      suture adapter show shop-sft-2
      suture adapter show shop-sft-2 --against .
    """
    if against is not None:
        return run_async(_against(name, against, policy, output))
    from suture_agent.adapters.card import card
    from suture_agent.adapters.registry import Registry

    registry = Registry()
    found = registry.find(name)
    registry.verify(found)
    output.line({"event": "adapter", "record": found})
    output.say(card(found))
    current = any(use.adapter == found.digest for use in registry.in_use().current)
    output.line({"event": "summary", **_brief(found), "in_use": current, "folder": str(registry.entry(found)), "verified": True})
    output.say(f"In {registry.entry(found)}; every file has its digest{'; in use' if current else ''}.", style="dim")
    return 0


async def _against(name: str, path: str, spec: str | None, output: Output) -> int:
    import msgspec

    from suture_agent.adapters import Identified
    from suture_agent.adapters.choose import fit
    from suture_agent.adapters.registry import Registry
    from suture_agent.workspace import open_workspace

    found = Registry().find(name)
    overrides: dict[str, object] = {"policy.adapters": "off", **({"policy.spec": spec} if spec else {})}
    workspace = await open_workspace(workspace_root(path), overrides=overrides, progress=output.note)
    try:
        policy = workspace.policy()
        try:
            identity = await policy.introduce()
            harness = msgspec.structs.replace(workspace.harness_of(policy, identity), judge=await workspace.judged(identity))
        finally:
            await policy.close()
        held = fit(found, identity, Identified.of(workspace.sandbox.environment.fields), Identified.of(harness))
    finally:
        await workspace.close()
    _say_fit(held, output)
    return 0 if held.matched else 1


def _say_fit(held: Fit, output: Output) -> None:
    for each in held.fields:
        output.line({"event": "difference", "field": each.field, "adapter": each.before, "workspace": each.after})
        output.say(f"{each.field}: {_shown(each.before)} in its training, {_shown(each.after)} here")
    if held.base:
        output.say(f"{held.adapter.label} {held.base}")
    output.line(
        {"event": "summary", **_brief(held.adapter), "matched": held.matched, "wrong_base": held.base, "differences": len(held.fields)}
    )
    output.say(
        f"{held.adapter.label} {'matches' if held.matched else 'does not match'} this workspace.",
        style="green" if held.matched else "yellow",
    )


@adapter.command()
@click.argument("name")
@click.option("--off", is_flag=True, help="Take it out of use; the bare model answers then.")
@click.option("--override", metavar="REASON", default="", help="Against the figures, for this reason, which is recorded.")
@options
def use(name: str, off: bool, override: str, output: Output) -> int:
    r"""Let an adapter serve, in the place of the one that serves the same workspaces.

    It must beat that one, or the bare model, on the same held-out set in the environment and harness that it was trained for. A language
    server that runs notices, and takes it for the next episode.

    \b
    Examples:
      suture adapter use shop-sft-2
      suture adapter use shop-sft-2 --override "trying it out"
      suture adapter use shop-sft-2 --off
    """
    from suture_agent.adapters.registry import Registry

    if off and override:
        raise click.UsageError("--off needs no --override")
    registry = Registry()
    done = registry.off(name) if off else registry.use(registry.find(name), override=override)
    if off:
        output.say(f"{name} is not in use any more.")
    else:
        output.say(f"{name} is in use: {done.figures}", style="green")
    if override:
        output.say(f"Against the figures: {override}", style="yellow")
    for each in done.replaced:
        output.say(f"It takes the place of {each[:12]}.")
    output.line(
        {
            "event": "summary",
            "adapter": done.adapter,
            "in_use": not off,
            "replaced": done.replaced,
            "figures": done.figures,
            "override": override,
        }
    )
    return 0


@adapter.command()
@click.argument("name")
@options
def drop(name: str, output: Output) -> int:
    r"""Remove an adapter from this machine. One that is in use is not removed.

    A vLLM server that the configuration names and that has loaded it is told to forget it.

    \b
    Example:
      suture adapter drop shop-sft-1
    """
    return run_async(_drop(name, output))


async def _drop(name: str, output: Output) -> int:
    from suture_agent.adapters.names import means
    from suture_agent.adapters.registry import Registry
    from suture_agent.errors import AdapterError
    from suture_agent.places import user_configuration
    from suture_agent.settings import load

    registry = Registry()
    settings = load(registry.folder, user_file=user_configuration(), environ=os.environ).settings
    known = {each.digest: each for each in registry.all()}
    if any(means(name, each) and means(settings.policy.adapters, each) for each in known.values()):
        raise AdapterError(
            f"policy.adapters names {name}", remedy="take it out of your configuration first (suture doctor -v says where it is)"
        )
    digest = registry.drop(name)
    unloaded = await _unloaded(settings, known[digest], registry, output) if digest in known else False
    output.say(f"{name} is removed{', from the server too' if unloaded else ''}.")
    output.line({"event": "summary", "dropped": digest, "unloaded": unloaded})
    return 0


async def _unloaded(settings: Settings, dropped: Adapter, registry: Registry, output: Output) -> bool:
    """Whether the configured server had loaded it, and has let go."""
    from suture_agent.errors import PolicyError
    from suture_agent.policies.lora import Lora
    from suture_agent.policies.openai_compatible import OpenAIPolicy
    from suture_agent.policies.registry import open_policy

    policy = open_policy(settings.policy.spec, api_key=os.environ.get(settings.policy.api_key_variable))
    if not isinstance(policy, OpenAIPolicy):
        return False
    try:
        return await policy.forget(Lora(digest=dropped.digest, label=dropped.label, folder=registry.entry(dropped)))
    except PolicyError as error:
        output.note(f"the server was not told: {error}")
        return False
    finally:
        await policy.close()


def _brief(found: Adapter) -> dict[str, object]:
    return {
        "name": found.name,
        "digest": found.digest,
        "base": found.base.name,
        "environment": found.environment.digest,
        "harness": found.harness.digest,
        "data": found.data.digest,
        "created": found.created,
        "scores": found.scores
        and [{"subject": each.subject, "passed": each.passed, "of": each.of, "held_out": each.held_out} for each in found.scores],
    }


def _score(found: Adapter) -> str:
    own: tuple[Score, ...] = tuple(each for each in found.scores if each.subject == "adapter")
    return f"{own[-1].passed} of {own[-1].of} on held-out set {own[-1].held_out[:12]}" if own else "not evaluated"


def _shown(value: str | None) -> str:
    return "nothing" if value is None else value if len(value) <= 80 else f"{value[:80]}..."
