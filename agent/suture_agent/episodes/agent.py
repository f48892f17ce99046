"""The `agent` episode: a conversation with tools. One step is: ask, carry out the calls, append. Control flow by `EpisodeEnd` errors."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from string import Template

import msgspec

from suture_agent.episodes import Ending, Job
from suture_agent.errors import BudgetSpent, ContextOverflow, Submitted, limit_of
from suture_agent.harness import wording
from suture_agent.policies import ChatRequest, Choice, Message, ToolCall
from suture_agent.recall import shown
from suture_agent.tools import call_tool, offered
from suture_agent.tools.bench import Workbench
from suture_agent.tools.running import describe
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.verdict import Verdict

MOST_SUBMISSIONS = 5
"""A refused submission is answered with the verdict, and the episode goes on; this often."""

_AFTER_SUBMIT = "error: not carried out, submit came before it"
_NO_CALL = "error: call a tool. Use edit_file to change code, run_check to run the check, and submit when it passes."


async def agent_episode(job: Job) -> Ending:
    """Run the conversation until a submission is proven or a budget is spent."""
    bench = Workbench(job.problem, job.meter, job.recall)
    messages = [
        Message(role="system", content=wording(job.meter.harness, "agent_system").strip()),
        Message(role="user", content=_first(job)),
    ]
    verdict: Verdict | None = None
    submissions = 0
    while submissions < MOST_SUBMISSIONS:
        try:
            await _step(job, bench, messages)
        except Submitted:
            submissions += 1
            verdict = await job.prove(bench.patch)
            if verdict.passed:
                return Ending(patch=bench.patch, verdict=verdict)
            messages += _answers_left(messages, _refusal(verdict))
        except (BudgetSpent, ContextOverflow) as spent:
            return await _out_of_budget(job, bench, verdict, spent)
    return Ending(patch=bench.patch, verdict=verdict, reason=f"{submissions} submissions were refused")


async def _step(job: Job, bench: Workbench, messages: list[Message]) -> None:
    """Ask the policy once and carry out what it calls."""
    choice = await _ask(job, messages)
    messages.append(Message(role="assistant", content=choice.text, tool_calls=choice.tool_calls, reasoning=choice.reasoning))
    if not choice.tool_calls:
        messages.append(Message(role="user", content=_NO_CALL))
        return
    for call in choice.tool_calls:
        job.meter.call()
        started = time.monotonic()
        reply = await call_tool(bench, call)
        messages.append(_answered(call, reply))
        job.meter.step(call.name, time.monotonic() - started, reply.splitlines()[0][:80] if reply else "")


async def _ask(job: Job, messages: list[Message]) -> Choice:
    harness = job.meter.harness
    sampling = harness.sampling
    request = ChatRequest(
        messages=tuple(messages),
        tools=offered(harness),
        temperature=(sampling.temperature_milli if job.seed == 0 else sampling.explore_milli) / 1000,
        max_tokens=sampling.answer_tokens,
        seed=sampling.seed + job.seed,
        thinking=harness.thinking,
    )
    return (await job.meter.ask(request)).choices[0]


async def _out_of_budget(job: Job, bench: Workbench, verdict: Verdict | None, spent: BudgetSpent | ContextOverflow) -> Ending:
    """A policy that mended the code but forgot to submit still gets its verdict."""
    limit = limit_of(spent)
    if bench.patch.edits:
        verdict = await job.prove(bench.patch)
        if verdict.passed:
            return Ending(patch=bench.patch, verdict=verdict, limit=limit)
    return Ending(patch=bench.patch, verdict=verdict, reason=str(spent), limit=limit)


def _answers_left(messages: Sequence[Message], reply: str) -> list[Message]:
    """Answers to a submission and to the calls after it: servers refuse a conversation in which a call has none."""
    at = max(index for index, message in enumerate(messages) if message.role == "assistant")
    submission, *later = messages[at].tool_calls[len(messages) - at - 1 :]
    return [_answered(submission, reply), *(_answered(call, _AFTER_SUBMIT) for call in later)]


def _answered(call: ToolCall, reply: str) -> Message:
    return Message(role="tool", tool_call_id=call.id, name=call.name, content=reply)


def _refusal(verdict: Verdict) -> str:
    shown = f"\n{describe(verdict.deciding)}" if verdict.deciding is not None else ""
    return f"not accepted: {verdict.reason}{shown}\nGo on with your edits, then submit again."


def _first(job: Job) -> str:
    sandbox = job.meter.sandbox
    check = sandbox.check_named(job.problem.check)
    result = next(result for result in job.problem.before if result.check == check.name)
    own = describe(_only(result, job))
    others = ", ".join(f"{each.name} ({each.kind})" for each in sandbox.environment.checks if each.name != check.name)
    asked = Template(wording(job.meter.harness, "agent_problem")).safe_substitute(
        check=check.name, command=_in_shell(check), failure=own, others=others or "none"
    )
    if job.candidate is None:
        return asked
    return f"{asked}\n{shown(job.candidate, longest=job.meter.harness.budgets.observation)}"


def _in_shell(check: Check) -> str:
    """The whole command, as run_shell takes it; what it reports would otherwise be kept as an edit."""
    return shlex.join(word.replace("{report}", "/tmp/report") for word in check.command)  # noqa: S108  # inside the attempt


def _only(result: CheckResult, job: Job) -> CheckResult:
    return msgspec.structs.replace(result, findings=job.problem.findings)
