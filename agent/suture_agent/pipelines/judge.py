"""The judge: a policy that must accept a patch which the sandbox has proven, to guard test coverage (arXiv 2510.22075). Off by default.

It only ever refuses: what the sandbox has not proven never reaches it, and no word of it makes an offer. Whatever a workspace or a policy
wrote into a patch is text to it, so it can be talked into accepting; the guard, the original tests and the fresh attempts cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from string import Template

import msgspec

from suture_agent.harness import Harness, judge_field, prompt
from suture_agent.meter import Meter
from suture_agent.pipelines import Judgement
from suture_agent.policies import ChatRequest, Message, Policy, PolicyIdentity
from suture_agent.problem import Problem
from suture_sandbox.patch import Patch
from suture_sandbox.sandbox import shorten
from suture_sandbox.verdict import Verdict

LONGEST_FAILURE = 4000
LONGEST_PATCH = 24_000
"""Characters of the patch. One that is longer is refused: nobody can vouch for what he has not seen."""
ANSWER_TOKENS = 300
ASKED = 2
"""How often an answer that is neither yes nor no is asked for."""

_ANSWER = re.compile(r"\W*(accept|refuse)(?:ed|d|s)?\b\W*(.*)", re.IGNORECASE | re.DOTALL)
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)


class Judge:
    """A policy in the judge's chair. `field` is what the harness says of it, once it is started."""

    def __init__(self, policy: Policy, *, shared: bool = False) -> None:
        self._policy = policy
        self._shared = shared
        """Whether the policy is also the one that repairs, and closed by whoever opened it."""

    async def start(self) -> str:
        """Make it ready; returns what `Harness.judge` has to be. Raises PolicyUnavailable.

        Where it repairs as well, its adapter is left out: that is told of the policy, and one harness goes with and without it.
        """
        identity = await self._policy.start()
        return judge_field(msgspec.structs.replace(identity, adapter="") if self._shared else identity)

    async def close(self) -> None:
        """Release it, unless it repairs as well."""
        if not self._shared:
            await self._policy.close()

    async def review(self, meter: Meter, problem: Problem, patch: Patch) -> Judgement:
        """Its word on a proven patch, recorded among the meter's turns. Raises PolicyError: a judge that is down has refused nothing."""
        diff = patch.diff()
        if len(diff) > LONGEST_PATCH:
            return Judgement(accepted=False, reason=f"the patch is longer than {LONGEST_PATCH} characters, which the judge does not read")
        messages = (
            Message(role="system", content=prompt("judge_system").strip()),
            Message(role="user", content=_asked(problem, diff)),
        )
        for number in range(ASKED):
            request = ChatRequest(messages=messages, max_tokens=ANSWER_TOKENS, seed=number, temperature=0.0 if number == 0 else 0.5)
            completion = await meter.consult(self._policy, request, "on the proven patch")
            judgement = read_answer(completion.choices[0].text)
            if judgement is not None:
                return msgspec.structs.replace(judgement, turn=len(meter.turns) - 1)
        return Judgement(accepted=False, reason="the judge said neither ACCEPT nor REFUSE", turn=len(meter.turns) - 1)


async def started(
    policy: Policy, harness_of: Callable[[Policy, PolicyIdentity], Harness], judge: Judge | None
) -> tuple[PolicyIdentity, Harness]:
    """The policy made ready, and the judge where there is one, with the harness that follows from both. Raises PolicyError."""
    identity = await policy.start()
    harness = harness_of(policy, identity)
    return identity, harness if judge is None else msgspec.structs.replace(harness, judge=await judge.start())


async def close_both(judge: Judge | None, policy: Policy) -> None:
    """Release the judge and the policy, whatever becomes of the first."""
    try:
        if judge is not None:
            await judge.close()
    finally:
        await policy.close()


def read_answer(text: str) -> Judgement | None:
    """What an answer says; None where its first word is neither."""
    found = _ANSWER.match(_THOUGHT.sub("", text).strip())
    if found is None:
        return None
    accepted = found[1].lower() == "accept"
    said = " ".join(found[2].split())[:500]
    return Judgement(accepted=accepted, reason=said if accepted or said else "no reason given")


def refused(verdict: Verdict, judgement: Judgement) -> Verdict:
    """The verdict on a patch that the sandbox has proven and the judge refuses: it did not pass."""
    return msgspec.structs.replace(verdict, passed=False, reason=f"the judge refuses it: {judgement.reason}")


def _asked(problem: Problem, diff: str) -> str:
    said = "\n".join(f"{finding.test or finding.path}: {finding.message}\n{finding.detail}".strip() for finding in problem.findings[:5])
    return Template(prompt("judge_patch")).safe_substitute(check=problem.check, failure=shorten(said, LONGEST_FAILURE), diff=diff).strip()
